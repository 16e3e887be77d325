//! JSON-RPC batches, which 2025-03-26 alone has.

use mcp_kit::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
use mcp_kit::{Error, async_trait};
use serde_json::{Value, json};

use super::tools::{gate, gated_server, server};
use crate::client::{Answer, Ask as _, call, cancel, http, initialize, ping, result};

#[track_caller]
fn answers(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_value(answer.json()).unwrap()
}

#[track_caller]
fn under(answers: &[Value], id: impl Into<Value>) -> &Value {
    let id = id.into();
    let mut found = answers.iter().filter(|answer| answer["id"] == id);
    let (Some(answer), None) = (found.next(), found.next()) else {
        panic!("not one answer under {id}: {answers:?}");
    };
    answer
}

#[tokio::test(start_paused = true)]
async fn every_message_of_a_batch_is_answered() {
    let sessions = server().build().unwrap();
    let client = http(&sessions).opened("2025-03-26").await;
    let alone = server()
        .http(|http| http.without_sessions())
        .build()
        .unwrap();
    for client in [client, http(&alone)] {
        let batch = json!([
            call(1, "wait", json!({"ms": 5_000})),
            call(2, "wait", json!({"ms": 0})),
            {"jsonrpc": "2.0", "method": "notifications/unheard-of"},
            {"jsonrpc": "2.0", "id": 3, "method": "no/such/method"},
            ping(4),
            7,
            call(1, "wait", json!({"ms": 1})),
            initialize("2025-03-26"),
            {"jsonrpc": "2.0", "id": 5, "method": "ping", "params": {"_meta": 5}},
        ]);
        let answers = answers(&client.ask(&batch).await);
        assert_eq!(answers.len(), 8, "{answers:?}");
        assert_eq!(result(under(&answers, 1)), "waited 5000");
        assert_eq!(result(under(&answers, 2)), "waited 0");
        assert_eq!(under(&answers, 3)["error"]["code"], -32601);
        assert_eq!(under(&answers, 4)["result"], json!({}));
        assert_eq!(under(&answers, 5)["error"]["code"], -32602);
        assert_eq!(under(&answers, "open")["error"]["code"], -32600);
        let unaddressed = answers.iter().filter(|answer| answer["id"].is_null());
        assert_eq!(unaddressed.count(), 2);
    }
}

#[tokio::test]
async fn batch_of_notifications_is_accepted() {
    let server = server().build().unwrap();
    let client = http(&server).opened("2025-03-26").await;
    let unheard_of = json!({"jsonrpc": "2.0", "method": "notifications/unheard-of"});
    let answer = client.ask(&json!([cancel(1), cancel(2), unheard_of])).await;
    answer.accepted();
}

#[tokio::test]
async fn a_batch_whose_calls_are_cancelled_ends() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let client = http(&server).opened("2025-03-26").await;
    let asked = client.start(json!([call(1, "gated", json!({}))]));
    entered.recv().await.unwrap();
    client.ask(&ping(1)).await.refusal(400);
    assert_eq!(client.ask(&cancel(1)).await.status, 202);
    assert_eq!(asked.await.unwrap().status, 202);

    let batch = json!([call(1, "gated", json!({})), ping(2)]);
    let asked = client.start(batch);
    entered.recv().await.unwrap();
    assert_eq!(client.ask(&cancel(1)).await.status, 202);
    assert_eq!(answers(&asked.await.unwrap()).len(), 1);
}

#[tokio::test]
async fn other_versions_have_no_batches() {
    let server = server().build().unwrap();
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let client = http(&server).opened(version).await;
        let refused = client.ask(&json!([ping(1)])).await;
        assert!(refused.refusal(400).contains("2025-03-26"), "{refused:?}");
        assert_eq!(refused.json()["error"]["code"], -32600);
        client.assert_alive().await;
    }
    let client = http(&server).opened("2025-03-26").await;
    let refused = client.ask(&json!([])).await;
    refused.refusal(400);
    assert_eq!(refused.json()["error"]["code"], -32600);
    client.assert_alive().await;
    // Nor is a session opened in one.
    let stranger = http(&server);
    for batch in [json!([initialize("2025-03-26"), ping(2)]), json!([ping(2)])] {
        let refused = stranger.ask(&batch).await;
        let text = refused.refusal(400);
        assert!(text.contains("Mcp-Session-Id"), "{text}");
        assert!(!refused.headers.contains_key("mcp-session-id"));
    }
}

#[tokio::test]
async fn a_large_batch_is_answered_in_full() {
    let server = server().build().unwrap();
    let client = http(&server).opened("2025-03-26").await;
    let calls: Vec<Value> = (0..2_000)
        .map(|id| call(id, "big", json!({"bytes": id + 1})))
        .collect();
    let answers = answers(&client.ask(&json!(calls)).await);
    assert_eq!(answers.len(), 2_000);
    for answer in &answers {
        if answer["result"]["isError"] != true {
            let id = answer["id"].as_u64().unwrap();
            assert_eq!(result(answer).len() as u64, id + 1);
        }
    }
    client.assert_alive().await;
}

#[tokio::test]
async fn batches_are_limited_in_number_and_bytes() {
    let server = server()
        .limits(|limits| {
            limits.pending_calls = 10;
            limits.unread_bytes = 5_000;
        })
        .build()
        .unwrap();
    let client = http(&server).opened("2025-03-26").await;
    let pings: Vec<Value> = (0..11).map(ping).collect();
    let text = client.ask(&json!(pings)).await.refusal(400);
    assert!(text.contains("10"), "{text}");

    let calls: Vec<Value> = (0..10)
        .map(|id| call(id, "big", json!({"bytes": 1_000})))
        .collect();
    let answers = answers(&client.ask(&json!(calls)).await);
    assert_eq!(answers.len(), 10);
    let (whole, cut): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer["result"]["isError"] != true);
    assert_eq!(whole.len(), 4, "{cut:?}");
    assert!(result(cut[0]).contains("too large"), "{cut:?}");
    client.assert_alive().await;
}

/// What other clients leave unread costs a batch its large results at most,
/// and never those that it has.
#[tokio::test]
async fn a_batch_keeps_the_answers_that_found_room() {
    let server = server()
        .http(|http| http.limits(|limits| limits.unread_bytes = 64 * 1024))
        .build()
        .unwrap();
    let client = http(&server).opened("2025-03-26").await;
    // Both large alone, and small ones that are large together.
    for (bytes, fit) in [(20_000, 3), (6_000, 10)] {
        let calls: Vec<Value> = (0..12)
            .map(|id| call(id, "big", json!({"bytes": bytes})))
            .collect();
        let answers = answers(&client.ask(&json!(calls)).await);
        assert_eq!(answers.len(), 12);
        let is_whole = |answer: &&Value| answer["result"]["isError"] != true;
        assert_eq!(answers.iter().filter(is_whole).count(), fit, "{bytes}");
    }
    // All of it is given back.
    let answer = client.ask(&call(1, "big", json!({"bytes": 60_000}))).await;
    assert_eq!(answer.result().len(), 60_000);
}

/// Refuses calls of the tool `wait`.
struct WithoutWait;

#[async_trait]
impl MessageMiddleware for WithoutWait {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        if (message.params()).is_some_and(|params| params.contains("wait")) {
            return Err(Error::forbidden("Not this tool."));
        }
        next.run(message).await
    }
}

#[tokio::test]
async fn a_member_passes_middlewares_by_its_own_admission_alone() {
    let server = server().message_layer(WithoutWait).build().unwrap();
    let client = http(&server).opened("2025-03-26").await;
    let early = json!({"name": "no", "_meta": 5});
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": early},
        call(1, "wait", json!({"ms": 0})),
        ping(2),
    ]);
    let answers = answers(&client.ask(&batch).await);
    assert_eq!(under(&answers, 2)["result"], json!({}));
    let all = json!(answers).to_string();
    assert!(all.contains("Not this tool."), "{all}");
    assert!(!all.contains("waited"), "{all}");
}
