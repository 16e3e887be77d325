//! Prompts over HTTP, in both eras: headers, scopes, the default rate, failures.

use std::time::Duration;

use mcp_kit::Error;
use mcp_kit::auth::{ApiKeys, ProtectedResource};
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{RequestError, TestClient, TestHttpClient};
use serde_json::{Value, json};

use crate::client::Ask as _;
use crate::kit::Tokens;
use crate::modern::message;

/// For every caller.
#[prompt]
async fn open(caller: Principal) -> String {
    format!("for {}", caller.name())
}

/// For administrators.
#[prompt(scope = "admin")]
async fn hidden() -> &'static str {
    "welcome"
}

/// Fails with a secret.
#[prompt]
async fn leak() -> Result<String, Error> {
    Err(std::io::Error::other("hunter2"))?
}

/// Never ends.
#[prompt(timeout = "500ms")]
async fn endless() -> String {
    std::future::pending().await
}

fn server() -> ServerBuilder {
    Server::builder("test", "1")
        .prompt::<open>()
        .prompt::<hidden>()
        .prompt::<leak>()
        .prompt::<endless>()
}

/// A client of each era.
async fn both(http: TestHttpClient) -> [TestClient; 2] {
    let modern = http.clone().modern().connect().await.unwrap();
    [http.connect().await.unwrap(), modern]
}

async fn refused(client: &TestClient, name: &str) -> RequestError {
    let outcome = client.get_prompt(name, json!({})).outcome().await;
    outcome.expect_err(name)
}

#[tokio::test]
async fn prompt_is_listed_and_requested_with_its_scope_alone() {
    let keys = ApiKeys::from_list("alice:key-of-alice-0001:admin,bob:key-of-bob-000002").unwrap();
    let server = server()
        .http(|http| http.authenticate(keys))
        .build()
        .unwrap();
    for (key, name, listed) in [
        ("key-of-alice-0001", "alice", 4),
        ("key-of-bob-000002", "bob", 3),
    ] {
        for client in both(TestClient::http(&server).key(key)).await {
            let list = client.request("prompts/list", json!({})).await.unwrap();
            assert_eq!(list["prompts"].as_array().unwrap().len(), listed);
            if list["resultType"] == "complete" {
                assert_eq!(list["cacheScope"], "private");
            }
            let result = client.get_prompt("open", json!({})).await;
            assert_eq!(result.text(), format!("for {name}"));
            if name == "alice" {
                assert_eq!(
                    client.get_prompt("hidden", json!({})).await.text(),
                    "welcome"
                );
                continue;
            }
            let of = async |name: &str| refused(&client, name).await.to_string();
            assert_eq!(of("hidden").await, "Unknown prompt: hidden (-32602)");
            assert_eq!(of("no").await, "Unknown prompt: no (-32602)");
        }
    }
}

#[tokio::test]
async fn token_without_the_scope_of_a_prompt_is_challenged() {
    let resource = ProtectedResource::new("https://mcp.example.com/mcp").unwrap();
    let server = server()
        .http(|http| http.authenticate(Tokens(resource)))
        .build()
        .unwrap();
    for client in both(TestClient::http(&server).bearer("the-token")).await {
        let RequestError::Refused(refusal) = refused(&client, "hidden").await else {
            panic!("it was answered");
        };
        assert_eq!(refusal.status(), 403);
        let challenge = refusal.header("www-authenticate").unwrap();
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
        assert!(challenge.contains("scope=\"admin\""), "{challenge}");
    }
}

#[tokio::test]
async fn header_must_name_the_prompt_of_the_body() {
    let client = TestClient::http(&server().build().unwrap()).modern();
    let body = message(1, "prompts/get", json!({"name": "open"}));
    let headers = |name: &'static str| {
        [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "prompts/get"),
            ("mcp-name", name),
        ]
    };
    for (name, status) in [("open", 200), ("hidden", 400), ("", 400)] {
        let body = body.to_string();
        let mut response = client.bare("POST", "/mcp", &headers(name), &body).await;
        assert_eq!(response.status(), status, "{name}");
        let answer: Value = serde_json::from_str(&response.text().await).unwrap();
        if status == 400 {
            assert_eq!(answer["error"]["code"], -32020, "{answer}");
        }
    }
}

#[tokio::test]
async fn server_without_prompts_has_no_such_methods() {
    let server = Server::builder("test", "1").build().unwrap();
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "open"})),
    ] {
        let client = TestClient::http(&server).modern();
        let answer = client.ask(&message(1, method, params.clone())).await;
        assert_eq!(answer.refusal(404), format!("Method not found: {method}"));
        let legacy = TestClient::http(&server).connect().await.unwrap();
        let refused = legacy.request(method, params).await.unwrap_err();
        assert_eq!(refused.code(), Some(-32601));
    }
}

#[tokio::test(start_paused = true)]
async fn limits_hold_for_prompts() {
    let server = server()
        .http(|http| http.allow_unauthenticated().call_rate(Rate::per_minute(1)))
        .build()
        .unwrap();
    mcp_kit::testing::tick_on_timers(&server);
    let [legacy, modern] = both(TestClient::http(&server)).await;
    let begun = tokio::time::Instant::now();
    let late = refused(&modern, "endless").await.to_string();
    assert_eq!(begun.elapsed(), Duration::from_millis(500));
    assert!(
        late.starts_with("The prompt timed out after 500 ms."),
        "{late}"
    );

    let leak = refused(&modern, "leak").await.to_string();
    assert!(
        leak.starts_with("An internal error occurred (reference "),
        "{leak}"
    );
    assert!(
        leak.ends_with("(-32603)") && !leak.contains("hunter2"),
        "{leak}"
    );

    assert!(legacy.get_prompt("open", json!({})).outcome().await.is_ok());
    let RequestError::Protocol {
        code,
        message,
        data,
    } = refused(&modern, "open").await
    else {
        panic!("the request was refused as a whole");
    };
    assert_eq!(
        (code, &data.unwrap()["reason"]),
        (-32603, &json!("rate_limited"))
    );
    assert!(
        message.starts_with("Rate limit of 1/min reached"),
        "{message}"
    );
}
