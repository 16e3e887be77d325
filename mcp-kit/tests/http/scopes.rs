//! Scopes: a tool is hidden from a caller without its scope, in both eras.

use mcp_kit::auth::ApiKeys;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{TestClient, TestHttpClient};
use serde_json::json;

/// Lets administrators in.
#[tool(scope = "admin")]
async fn admin() -> &'static str {
    "welcome"
}

/// For every caller.
#[tool]
async fn open() -> &'static str {
    "open"
}

fn server() -> ServerBuilder {
    Server::builder("test", "1")
        .tool::<admin>()
        .tool::<open>()
        .without_call_log()
}

fn with_keys() -> TestHttpClient {
    let keys =
        "alice:key-of-alice-0001:admin,bob:key-of-bob-000002,carol:key-of-carol-003:other+admin";
    let keys = ApiKeys::from_list(keys).unwrap();
    TestClient::http(
        &server()
            .http(|http| http.authenticate(keys))
            .build()
            .unwrap(),
    )
}

/// A client of each era.
async fn both(http: TestHttpClient) -> [TestClient; 2] {
    let modern = http.clone().modern().connect().await.unwrap();
    [http.connect().await.unwrap(), modern]
}

async fn assert_has_scope(client: &TestClient, has_scope: bool) {
    let list = client.request("tools/list", json!({})).await.unwrap();
    let tools = list["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "open"));
    let is_listed = tools.iter().any(|tool| tool["name"] == "admin");
    assert_eq!(is_listed, has_scope, "{list}");
    // Who asks makes a difference.
    if list["resultType"] == "complete" {
        assert_eq!(list["cacheScope"], "private");
    }
    let of = async |name: &str| client.call(name, json!({})).outcome().await;
    match has_scope {
        true => assert_eq!(of("admin").await.unwrap().text(), "welcome"),
        false => {
            let unknown = of("no").await.unwrap_err().to_string();
            let hidden = of("admin").await.unwrap_err().to_string();
            assert_eq!(hidden, unknown.replace(" no ", " admin "));
        }
    }
}

#[tokio::test]
async fn a_tool_is_listed_and_called_with_its_scope_alone() {
    let http = with_keys();
    for (key, has_scope) in [
        ("key-of-alice-0001", true),
        ("key-of-bob-000002", false),
        ("key-of-carol-003", true),
    ] {
        for client in both(http.clone().key(key)).await {
            assert_has_scope(&client, has_scope).await;
        }
    }
}

#[tokio::test]
async fn a_caller_without_authentication_has_no_scope() {
    for client in both(TestClient::http(&server().build().unwrap())).await {
        assert_has_scope(&client, false).await;
    }
}

/// What a caller claims in the body gives it nothing.
#[tokio::test]
async fn scopes_are_not_the_clients_to_claim() {
    for client in both(with_keys().key("key-of-bob-000002")).await {
        let params = json!({"name": "admin", "_meta": {"scopes": ["admin"], "principal": "alice"}});
        let refused = client.request("tools/call", params).await.unwrap_err();
        assert!(refused.to_string().starts_with("Unknown tool"), "{refused}");
    }
}
