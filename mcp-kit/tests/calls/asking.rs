//! Questions and log messages to the client, as the client notices them.

use std::time::Duration;

use mcp_kit::extract::LogLevel;
use mcp_kit::prelude::*;
use mcp_kit::testing::Client as TestClient;
use serde_json::{Value, json};

/// Logs at every level.
#[tool]
async fn log_all(client: Client) -> &'static str {
    for level in LogLevel::ALL {
        client.log(level, json!({"at": level.as_str()}));
    }
    "logged"
}

/// Logs one text.
#[tool]
async fn log_text(args: Bytes, client: Client) -> &'static str {
    client.log(LogLevel::Emergency, "x".repeat(args.bytes));
    "logged"
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Bytes {
    #[garde(skip)]
    bytes: usize,
}

/// Logs in a task that outlives the call.
#[tool]
async fn log_late(client: Client) -> &'static str {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.log(LogLevel::Emergency, "too late");
    });
    "answered"
}

/// Neither asks nor logs.
#[tool]
async fn plain() -> &'static str {
    "plain"
}

fn server() -> Server {
    Server::builder("logging", "1.0.0")
        .tool::<log_all>()
        .tool::<log_text>()
        .tool::<log_late>()
        .build()
        .unwrap()
}

/// Calls the tool; returns the levels of the messages that came before the answer.
async fn levels(client: &TestClient, meta: Value) -> Vec<String> {
    let params = json!({"name": "log_all", "arguments": {}, "_meta": meta});
    let answer = client.request("tools/call", params).await.unwrap();
    assert_eq!(answer["content"][0]["text"], "logged");
    // A message that is none ends what there is to read.
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
    let mut levels = Vec::new();
    loop {
        let message = client.next_message().await.unwrap();
        if message["id"] == "end" {
            return levels;
        }
        assert_eq!(message["method"], "notifications/message", "{message}");
        let params = &message["params"];
        assert_eq!(params["logger"], "log_all");
        assert_eq!(params["data"], json!({"at": params["level"]}));
        levels.push(params["level"].as_str().unwrap().to_owned());
    }
}

const ALL: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

#[tokio::test]
async fn modern_call_logs_from_the_level_of_its_own_request() {
    let server = server();
    let client = TestClient::modern(&server).await;
    for (at, level) in ALL.iter().enumerate() {
        let meta = json!({"io.modelcontextprotocol/logLevel": level});
        assert_eq!(levels(&client, meta).await, ALL[at..]);
    }
    // Nothing without a level, also after requests with one.
    assert!(levels(&client, json!({})).await.is_empty());
    let wrong = json!({"name": "log_all", "_meta": {"io.modelcontextprotocol/logLevel": "loud"}});
    let refused = client.request("tools/call", wrong).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
}

#[tokio::test]
async fn legacy_client_sets_the_level_for_its_connection() {
    let server = server();
    let client = TestClient::new(&server).await;
    let other = TestClient::new(&server).await;
    assert_eq!(levels(&client, json!({})).await, ALL[1..]);
    for (at, level) in ALL.iter().enumerate() {
        let set = client.request("logging/setLevel", json!({"level": level}));
        assert_eq!(set.await.unwrap(), json!({}));
        assert_eq!(levels(&client, json!({})).await, ALL[at..]);
    }
    assert_eq!(levels(&other, json!({})).await, ALL[1..]);
    for wrong in [json!({"level": "loud"}), json!({"level": 3}), json!({})] {
        let refused = client.request("logging/setLevel", wrong).await;
        assert_eq!(refused.unwrap_err().code(), Some(-32602));
    }
    // Refused levels change nothing.
    assert_eq!(levels(&client, json!({})).await, ["emergency"]);
}

#[tokio::test]
async fn set_level_does_not_exist_in_the_modern_era() {
    let client = TestClient::modern(&server()).await;
    let refused = client.request("logging/setLevel", json!({"level": "info"}));
    assert_eq!(refused.await.unwrap_err().code(), Some(-32601));
}

#[tokio::test]
async fn logging_is_declared_if_a_tool_can_log() {
    let quiet = Server::builder("quiet", "1.0.0")
        .tool::<plain>()
        .build()
        .unwrap();
    let quiet = TestClient::modern(&quiet).await;
    let client = TestClient::modern(&server()).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert_eq!(discovered["capabilities"]["logging"], json!({}));
    let discovered = quiet.request("server/discover", json!({})).await.unwrap();
    assert_eq!(discovered["capabilities"].get("logging"), None);
}

#[tokio::test]
async fn large_log_message_is_dropped() {
    let client = TestClient::new(&server()).await;
    for (bytes, is_sent) in [(60_000, true), (70_000, false)] {
        client.call("log_text", json!({"bytes": bytes})).await;
        client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
        let first = client.next_message().await.unwrap();
        assert_eq!(first["method"] == "notifications/message", is_sent);
        if is_sent {
            client.next_message().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ended_call_sends_no_log_message() {
    let client = TestClient::new(&server()).await;
    assert_eq!(client.call("log_late", json!({})).await.text(), "answered");
    tokio::time::sleep(Duration::from_secs(2)).await;
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
    assert_eq!(client.next_message().await.unwrap()["id"], "end");
}
