//! Log messages to the client: on the stream of their call, from the level that
//! the session or the request has.

use mcp_kit::extract::LogLevel;
use mcp_kit::prelude::*;
use mcp_kit::testing::TestHttpClient;
use serde_json::{Value, json};

use crate::client::{Ask as _, call, events_of, http, open, read, request, rest_of, result};
use crate::sessions;

/// Logs two messages.
#[tool]
async fn log_twice(client: Client) -> &'static str {
    client.log(LogLevel::Info, "first");
    client.log(LogLevel::Warning, "second");
    "logged"
}

fn server() -> Server {
    let server = sessions::tools::server().tool::<log_twice>();
    server.build().unwrap()
}

/// Calls the tool; returns the texts of the messages before its answer.
async fn logged(client: &TestHttpClient, level: Option<&str>) -> Vec<Value> {
    let mut message = call(1, "log_twice", json!({}));
    if client.session_id().is_none() {
        message["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    if let Some(level) = level {
        message["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = level.into();
    }
    let response = client.post(&message).await;
    if !response.is_stream() {
        assert_eq!(read(response).await.result(), "logged");
        return Vec::new();
    }
    let events = rest_of(&mut events_of(response)).await;
    let mut messages: Vec<Value> = (events.iter())
        .filter(|event| !event.data.is_empty())
        .map(|event| event.json())
        .collect();
    assert_eq!(result(&messages.pop().unwrap()), "logged");
    let data = messages.iter().map(|message| {
        assert_eq!(message["method"], "notifications/message");
        message["params"]["data"].clone()
    });
    data.collect()
}

#[tokio::test]
async fn session_keeps_the_level_that_its_client_has_set() {
    let server = server();
    let (client, other) = (open(&server).await, open(&server).await);
    for (level, texts) in [
        ("debug", vec!["first", "second"]),
        ("warning", vec!["second"]),
        ("error", vec![]),
    ] {
        let mut set = request(2, "logging/setLevel");
        set["params"] = json!({"level": level});
        assert_eq!(client.ask(&set).await.json()["result"], json!({}));
        assert_eq!(logged(&client, None).await, texts);
    }
    assert_eq!(logged(&other, None).await, ["first", "second"]);
}

#[tokio::test]
async fn modern_request_without_a_level_is_answered_in_json() {
    let client = http(&server()).modern();
    assert_eq!(logged(&client, Some("warning")).await, ["second"]);
    assert!(logged(&client, None).await.is_empty());
}
