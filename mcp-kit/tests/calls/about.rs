//! What a server reports about itself, its primitives and its results: titles,
//! icons, `_meta`, cache hints; and the `_meta` that clients send.

use std::time::Duration;

use mcp_kit::primitive::{Icon, IconTheme};
use mcp_kit::prompt::PromptResult;
use mcp_kit::server::BuildError;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::ToolResult;
use mcp_kit::{RequestInfo, Server, prompt, tool};
use serde_json::{Value, json};

/// Returns a result with metadata.
#[tool]
async fn measured() -> ToolResult {
    ToolResult::text("done")
        .with_meta("example.com/elapsed", 12)
        .with_meta("io.modelcontextprotocol/serverInfo", "forged")
}

/// Asks for a summary.
#[prompt]
async fn summary() -> PromptResult {
    PromptResult::new(Vec::new()).with_meta("example.com/draft", true)
}

/// Returns the metadata of the request.
#[tool]
async fn echo_meta(request: RequestInfo) -> String {
    Value::Object(request.meta()).to_string()
}

fn server() -> Server {
    let icon = || Icon::new("https://example.com/icon.png").with_size("48x48");
    Server::builder("about", "1.0.0")
        .title("About")
        .description("Describes itself.")
        .website_url("https://example.com")
        .icon(icon().with_theme(IconTheme::Dark))
        .list_ttl(Duration::from_secs(300))
        .tool_with::<measured>(|tool| tool.icon(icon()).meta("example.com/team", "metrics"))
        .prompt_with::<summary>(|prompt| prompt.icon(icon()).meta("example.com/order", 1))
        .tool::<echo_meta>()
        .build()
        .unwrap()
}

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

#[tokio::test]
async fn discover_describes_the_server_and_results_only_name_it() {
    let client = TestClient::modern(&server()).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert_eq!(
        discovered["_meta"][SERVER_INFO],
        json!({
            "name": "about",
            "version": "1.0.0",
            "title": "About",
            "description": "Describes itself.",
            "websiteUrl": "https://example.com",
            "icons": [{
                "src": "https://example.com/icon.png",
                "sizes": ["48x48"],
                "theme": "dark",
            }],
        })
    );
    assert_eq!(discovered["ttlMs"], 300_000);
    let result = client.call("measured", json!({})).await;
    assert_eq!(
        result.json()["_meta"],
        json!({
            "example.com/elapsed": 12,
            SERVER_INFO: {"name": "about", "version": "1.0.0"},
        })
    );
}

#[tokio::test]
async fn primitives_have_icons_and_metadata_in_both_eras() {
    let server = server();
    let icons = json!([{"src": "https://example.com/icon.png", "sizes": ["48x48"]}]);
    for client in [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ] {
        let tools = client.request("tools/list", json!({})).await.unwrap();
        let [measured, echo] = tools["tools"].as_array().unwrap().as_slice() else {
            panic!("two tools are registered: {tools}");
        };
        assert_eq!(measured["icons"], icons);
        assert_eq!(measured["_meta"], json!({"example.com/team": "metrics"}));
        assert_eq!(echo.get("icons").or(echo.get("_meta")), None);
        let prompts = client.request("prompts/list", json!({})).await.unwrap();
        assert_eq!(prompts["prompts"][0]["icons"], icons);
        assert_eq!(
            prompts["prompts"][0]["_meta"],
            json!({"example.com/order": 1})
        );
        let params = json!({"name": "summary"});
        let result = client.request("prompts/get", params).await.unwrap();
        assert_eq!(result["_meta"]["example.com/draft"], true);
    }
}

#[tokio::test]
async fn legacy_result_has_only_its_own_metadata() {
    let client = TestClient::new(&server()).await;
    let result = client.call("measured", json!({})).await;
    assert_eq!(result.json()["_meta"], json!({"example.com/elapsed": 12}));
    let result = client.call("echo_meta", json!({})).await;
    assert_eq!(result.json().get("_meta"), None);
}

#[tokio::test]
async fn handler_reads_the_members_that_the_specification_does_not_define() {
    let client = TestClient::new(&server()).await;
    let call = |meta: Value| {
        let params = json!({"name": "echo_meta", "_meta": meta});
        client.request("tools/call", params)
    };
    let text = |result: Value| result["content"][0]["text"].as_str().unwrap().to_owned();
    let sent = json!({"progressToken": 1, "example.com/tenant": {"id": 7}, "baggage": "a=b"});
    let echoed = text(call(sent).await.unwrap());
    assert_eq!(echoed, r#"{"example.com/tenant":{"id":7}}"#);
    assert_eq!(text(call(json!({"progressToken": 2})).await.unwrap()), "{}");
    assert_eq!(text(call(json!(null)).await.unwrap()), "{}");
    let error = call(json!([1])).await.unwrap_err();
    assert_eq!(error.code(), Some(-32602));
}

#[test]
fn bad_icon_is_an_error_of_build() {
    let problems = |icon: Icon| -> Vec<String> {
        let build: Result<Server, BuildError> = Server::builder("about", "1.0.0")
            .tool_with::<measured>(|tool| tool.icon(icon))
            .build();
        build.unwrap_err().problems().to_vec()
    };
    assert_eq!(
        problems(Icon::new("javascript:alert(1)")),
        [
            "tool \"measured\": the icon \"javascript:alert(1)\" must be an https:, http: or data: URI"
        ]
    );
    assert_eq!(
        problems(Icon::new("https://example.com/i.png").with_size("large")),
        ["tool \"measured\": the icon's size \"large\" must have the form 48x48, or be any"]
    );
}
