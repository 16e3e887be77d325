//! What a server reports about itself, its primitives and its results: titles,
//! icons, `_meta`, cache hints; and the `_meta` that clients send.

use std::time::Duration;

use mcp_kit::call::{Call, Error};
use mcp_kit::caller::Principal;
use mcp_kit::content::ResourceLink;
use mcp_kit::primitive::{Icon, IconTheme};
use mcp_kit::prompt::PromptResult;
use mcp_kit::resource::{
    CacheScope, ResourceContents, ResourceDefinition, ResourcePage, ResourceProvider,
    ResourceResult,
};
use mcp_kit::server::BuildError;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::ToolResult;
use mcp_kit::{RequestInfo, Server, async_trait, prompt, resource, tool};
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

const LOGO: &str = "data:image/svg+xml;base64,PHN2Zy8+";

/// Has the icon of its attribute.
#[tool(icon = "https://example.com/tool.png")]
async fn iconic() -> &'static str {
    "done"
}

/// Has the icon of its attribute.
#[prompt(icon = LOGO)]
async fn iconic_prompt() -> &'static str {
    "done"
}

/// May be kept by every caller.
#[resource(
    uri = "docs://public",
    icon = Icon::new(LOGO).with_size("any"),
    ttl = "5m",
    cache_scope = "public"
)]
async fn public() -> &'static str {
    "public"
}

#[tokio::test]
async fn attributes_set_icons() {
    let server = Server::builder("icons", "1")
        .tool_with::<iconic>(|tool| tool.icon("https://example.com/more.png"))
        .prompt::<iconic_prompt>()
        .resource::<public>()
        .build()
        .unwrap();
    let client = TestClient::modern(&server).await;
    for (method, member, icons) in [
        (
            "tools/list",
            "tools",
            json!([{"src": "https://example.com/tool.png"}, {"src": "https://example.com/more.png"}]),
        ),
        ("prompts/list", "prompts", json!([{"src": LOGO}])),
        (
            "resources/list",
            "resources",
            json!([{"src": LOGO, "sizes": ["any"]}]),
        ),
    ] {
        let list = client.request(method, json!({})).await.unwrap();
        assert_eq!(list[member][0]["icons"], icons, "{method}");
    }
}

/// May be kept by its caller.
#[resource(uri = "docs://kept", ttl = "1h")]
async fn kept() -> &'static str {
    "kept"
}

/// Differs by caller, whatever its attribute says.
#[resource(uri = "docs://own", ttl = "5m", cache_scope = "public")]
async fn own(principal: Principal) -> String {
    principal.name().to_owned()
}

/// Requires a scope, whatever its attribute says.
#[resource(
    uri = "docs://scoped",
    ttl = "5m",
    cache_scope = "public",
    scope = "docs"
)]
async fn scoped() -> &'static str {
    "scoped"
}

/// Is for some callers, whatever its attribute says.
#[resource(uri = "docs://some", ttl = "5m", cache_scope = "public")]
async fn some() -> &'static str {
    "some"
}

/// Sets its own hints.
#[resource(uri = "docs://result", ttl = "5m", cache_scope = "public")]
async fn result() -> ResourceResult {
    ResourceResult::from(ResourceContents::from_text("result"))
        .with_ttl(Duration::from_millis(7))
        .with_cache_scope(CacheScope::Private)
}

/// Books with icons, of which each may be kept for as many seconds as its number.
struct Books(ResourceDefinition);

#[async_trait]
impl ResourceProvider for Books {
    fn definition(&self) -> &ResourceDefinition {
        &self.0
    }

    async fn list(&self, _: Call, cursor: Option<&str>) -> Result<ResourcePage, Error> {
        let icon = if cursor.is_none() { LOGO } else { "book.png" };
        let link = ResourceLink::new("book://1", "One").with_icon(icon);
        Ok(ResourcePage::new(vec![link]).with_next("wrong"))
    }

    async fn read(&self, call: Call) -> Result<Option<ResourceResult>, Error> {
        let number = call.uri().and_then(|uri| uri.value("number")?.parse().ok());
        let book = ResourceResult::from(ResourceContents::from_text("A book."));
        Ok(number.map(|number| match number {
            0 => book,
            _ => book.with_ttl(Duration::from_secs(number)),
        }))
    }
}

#[tokio::test]
async fn resources_report_how_long_and_by_whom_they_may_be_kept() {
    let definition = ResourceDefinition::new("book://{number}", "books")
        .with_ttl(Duration::from_secs(90))
        .with_cache_scope(CacheScope::Public);
    assert_eq!(definition.cache_scope(), Some(CacheScope::Public));
    let server = Server::builder("cache", "1")
        .resource::<public>()
        .resource::<kept>()
        .resource::<own>()
        .resource::<scoped>()
        .resource_with::<some>(|some| some.readable_by(|_, _| true))
        .resource::<result>()
        .resource_provider(Books(definition))
        .build()
        .unwrap();
    let modern = TestClient::modern(&server).await;
    let legacy = TestClient::new(&server).await;
    for (uri, ttl, scope) in [
        ("docs://public", 300_000, "public"),
        ("docs://kept", 3_600_000, "private"),
        ("docs://own", 300_000, "private"),
        ("docs://scoped", 300_000, "private"),
        ("docs://some", 300_000, "private"),
        ("docs://result", 7, "private"),
        ("book://0", 90_000, "public"),
        ("book://3", 3_000, "public"),
    ] {
        let params = json!({"uri": uri});
        let read = modern.request("resources/read", params.clone()).await;
        let read = read.unwrap();
        let hints = (&read["ttlMs"], &read["cacheScope"]);
        assert_eq!(hints, (&json!(ttl), &json!(scope)), "{uri}");
        let read = legacy.request("resources/read", params).await.unwrap();
        assert_eq!(read.as_object().unwrap().len(), 1, "{read}");
    }
}

#[tokio::test]
async fn pages_of_a_provider_have_icons() {
    let books = Books(ResourceDefinition::new("book://{number}", "books"));
    let server = Server::builder("books", "1").resource_provider(books);
    let client = TestClient::new(&server.build().unwrap()).await;
    let page = client.request("resources/list", json!({})).await.unwrap();
    assert_eq!(page["resources"][0]["icons"], json!([{"src": LOGO}]));
    // An icon that no client may load is the author's mistake.
    let more = json!({"cursor": page["nextCursor"]});
    let error = client.request("resources/list", more).await.unwrap_err();
    assert!(
        error.to_string().starts_with("An internal error"),
        "{error}"
    );
}
