//! Bounds that a client meets, through the whole protocol, and bounds that
//! cannot work, which `build()` refuses.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::TestClient;
use serde_json::json;
use tokio::sync::Semaphore;

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

#[tokio::test]
async fn no_length_of_time_overflows() {
    let server = Server::builder("patient", "1.0.0")
        .limits(|limits| {
            limits.call_time = Duration::MAX;
            limits.drain_time = Duration::MAX;
        })
        .tool::<hello>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    assert_eq!(client.call("hello", json!({})).await.text(), "Hello!");
    client.close().await; // drains
}

#[test]
fn a_tools_own_bounds_are_checked_when_the_server_is_built() {
    let refused = Server::builder("strict", "1.0.0")
        .tool_with::<hello>(|tool| {
            tool.timeout(Duration::ZERO)
                .concurrency(0)
                .result_bytes(100)
        })
        .build()
        .unwrap_err();
    assert_eq!(
        refused.problems(),
        [
            "tool \"hello\": its timeout is zero; every call would time out",
            "tool \"hello\": its concurrency is 0; it must be at least 1",
            "tool \"hello\": its result_bytes is 100; it must be at least 256",
        ]
    );
}

/// Answers in the order in which they come.
async fn answers(client: &TestClient, count: usize) -> Vec<serde_json::Value> {
    let mut answers = Vec::new();
    for _ in 0..count {
        answers.push(client.next_message().await.unwrap());
    }
    answers
}

#[tokio::test]
async fn short_requests_with_long_answers_are_all_answered() {
    let server = Server::builder("talkative", "1.0.0")
        .instructions("x".repeat(50_000))
        .limits(|limits| limits.unread_bytes = 1_024)
        .tool::<hello>()
        .build()
        .unwrap();
    let client = TestClient::builder(&server).connect_silently();
    for id in 0..100 {
        let meta = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        client.send_line(format!(
            r#"{{"jsonrpc":"2.0","id":"{id}","method":"server/discover","params":{{"_meta":{meta}}}}}"#
        ));
    }
    for (id, answer) in answers(&client, 100).await.into_iter().enumerate() {
        assert_eq!(answer["id"], id.to_string());
    }
    client.close().await;
}

#[tokio::test]
async fn long_ids_count_as_what_waits() {
    let server = Server::builder("small", "1.0.0")
        .limits(|limits| {
            limits.pending_bytes = 2_500;
            limits.calls_per_connection = 1;
        })
        .tool::<stuck>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let running = client.call("stuck", json!({}));
    for id in 0..4 {
        let id = format!("{id}{}", "x".repeat(1_000));
        client.send_line(format!(
            r#"{{"jsonrpc":"2.0","id":"{id}","method":"tools/call","params":{{"name":"stuck"}}}}"#
        ));
    }
    // Room for one of them: the others are told at once.
    for answer in answers(&client, 2).await {
        assert_eq!(answer["result"]["isError"], true);
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("busy"), "{text}");
    }
    drop(running);
}

/// Never ends.
#[tool]
async fn stuck() {
    std::future::pending().await
}

/// Says that it ran.
#[tool]
async fn mark(State(ran): State<Arc<AtomicBool>>) {
    ran.store(true, Ordering::SeqCst);
}

#[derive(Clone)]
struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

/// Runs until it is let go.
#[tool]
async fn hold(State(gate): State<Gate>) {
    gate.entered.add_permits(1);
    let _ = gate.open.acquire().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_cancelled_while_the_server_is_full_never_begins() {
    let gate = Gate {
        entered: Arc::new(Semaphore::new(0)),
        open: Arc::new(Semaphore::new(0)),
    };
    let ran = Arc::new(AtomicBool::new(false));
    let server = Server::builder("full", "1.0.0")
        .limits(|limits| {
            limits.calls_per_server = 1;
            limits.calls_per_connection = 1;
        })
        .state(gate.clone())
        .state(Arc::clone(&ran))
        .tool::<hold>()
        .tool_with::<hello>(|tool| tool.timeout(Duration::from_millis(20)))
        .tool::<mark>()
        .build()
        .unwrap();
    let first = TestClient::new(&server).await;
    let holding = first.call("hold", json!({}));
    let _entered = gate.entered.acquire().await.unwrap();

    let second = TestClient::new(&server).await;
    let cancelled = second.call("mark", json!({}));
    second.request("ping", json!({})).await.unwrap();
    cancelled.cancel();
    // Waits for the server's room in its place, and gives its own back.
    let late = second.call("hello", json!({})).await;
    assert!(late.text().contains("timed out"), "{}", late.text());
    gate.open.add_permits(1);
    assert!(!holding.await.is_error());
    drop(second.call("hello", json!({})).await);
    assert!(!ran.load(Ordering::SeqCst));
}

/// Returns a long text.
#[tool]
async fn long() -> String {
    "x".repeat(5_000)
}

#[tokio::test]
async fn an_unfinished_batch_keeps_no_more_than_may_be_unread() {
    let gate = Gate {
        entered: Arc::new(Semaphore::new(0)),
        open: Arc::new(Semaphore::new(0)),
    };
    let server = Server::builder("batches", "1.0.0")
        .limits(|limits| {
            limits.unread_bytes = 20_000;
            limits.pending_calls = 50;
        })
        .state(gate.clone())
        .tool::<long>()
        .tool::<hold>()
        .build()
        .unwrap();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2025_03_26)
        .connect()
        .await;
    let request = |id: usize, method: &str, tool: &str| json!({"jsonrpc": "2.0", "id": format!("{id}"), "method": method, "params": {"name": tool}});
    let mut batch = vec![request(0, "tools/call", "hold")];
    batch.extend((1..10).map(|id| request(id, "tools/call", "long")));
    batch.extend((10..40).map(|id| request(id, "tools/list", "")));
    client.send_line(json!(batch).to_string());
    let _entered = gate.entered.acquire().await.unwrap();
    client.request("ping", json!({})).await.unwrap();
    gate.open.add_permits(1);
    let whole = answers(&client, 1).await.remove(0);
    assert!(whole.to_string().len() < 40_000);
    let whole = whole.as_array().unwrap();
    assert_eq!(whole.len(), 40, "every member is answered");
    let refused = |answer: &serde_json::Value| answer.to_string().contains("too large together");
    assert!(whole.iter().any(refused) && !whole.iter().all(refused));

    let many = vec![request(0, "ping", ""); 51];
    client.send_line(json!(many).to_string());
    let answer = answers(&client, 1).await.remove(0);
    assert_eq!(answer["error"]["code"], -32600);
}
