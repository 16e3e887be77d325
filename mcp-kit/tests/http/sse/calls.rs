//! Calls: their answers, and what comes before or in place of them.

use serde_json::{Value, json};

use super::client::{Caller, call, ping, text, watched};
use super::tools::{gate, gated_server, server};

#[tokio::test]
async fn progress_comes_before_the_answer() {
    let server = server().build().unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    let message = watched(1, "count", json!({"of": 3}));
    client.send(&message).await.accepted();
    for step in 1..=3 {
        let report = client.next().await;
        assert_eq!(report["method"], "notifications/progress");
        assert_eq!(report["params"]["progressToken"], "token");
        assert_eq!(report["params"]["progress"].as_f64(), Some(f64::from(step)));
    }
    assert_eq!(text(&client.next().await), "counted 3");
}

/// Clients that read a report with its call's answer take it for one of an
/// unknown call. On paused time: what waits for nothing comes before an answer
/// that waits.
#[tokio::test(start_paused = true)]
async fn an_answer_leaves_a_moment_after_its_last_report_and_holds_up_no_other() {
    let server = server().build().unwrap();
    let mut client = Caller::of(&server).greeted("2025-11-25").await;
    for of in [1, 3, 50] {
        let message = watched(1, "count", json!({"of": of}));
        client.send(&message).await.accepted();
        for step in 1..=of {
            let report = client.next().await;
            assert_eq!(report["params"]["progress"].as_f64(), Some(f64::from(step)));
        }
        client.send(&ping(2)).await.accepted();
        assert_eq!(client.next().await["id"], 2);
        assert_eq!(text(&client.next().await), format!("counted {of}"));
    }
}

#[tokio::test]
async fn an_id_in_flight_belongs_to_one_call_at_a_time() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let mut client = Caller::of(&server).greeted("2025-11-25").await;
    client.send(&call(1, "gated", json!({}))).await.accepted();
    entered.recv().await.unwrap();
    for second in [
        call(1, "gated", json!({})),
        ping(1),
        json!({"id": 1, "method": "ping"}),
    ] {
        let refused = client.send(&second).await;
        refused.refusal(400);
        assert_eq!(refused.json()["id"], Value::Null, "{refused:?}");
    }
    gate.open.add_permits(2);
    assert_eq!(text(&client.next().await), "through");
    // And then to the next.
    assert_eq!(client.call(1, "gated", json!({})).await, "through");
}

#[tokio::test]
async fn answers_reach_the_stream_of_the_client_that_asked() {
    let server = server().build().unwrap();
    let caller = Caller::of(&server);
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(caller.greeted("2024-11-05").await);
    }
    for (number, client) in (1..).zip(&clients) {
        let big = call(1, "big", json!({"of": number}));
        client.send(&big).await.accepted();
    }
    for (number, client) in (1..).zip(&mut clients) {
        assert_eq!(text(&client.next().await).len(), number);
    }
}

#[tokio::test]
async fn a_cancelled_call_is_not_answered() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    client.send(&call(1, "gated", json!({}))).await.accepted();
    entered.recv().await.unwrap();
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1},
    });
    client.send(&cancel).await.accepted();
    gate.dropped.notified().await;
    client.assert_silent().await;
}

#[tokio::test]
async fn batches_are_answered_as_one_message_where_they_belong() {
    let server = server().build().unwrap();
    let caller = Caller::of(&server);
    let mut client = caller.greeted("2025-03-26").await;
    let batch = json!([
        ping(1),
        call(2, "big", json!({"of": 2})),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 3, "method": "server/discover", "params": {"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }}},
    ]);
    client.send(&batch).await.accepted();
    let answers = client.next().await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 3, "{answers:?}");
    let under = |id: i64| answers.iter().find(|answer| answer["id"] == id).unwrap();
    assert_eq!(under(1)["result"], json!({}));
    assert_eq!(text(under(2)), "xx");
    assert_eq!(under(3)["error"]["code"], -32601);
    client.send(&json!([])).await.refusal(400);
    // Nothing in it wants an answer.
    let silent = json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]);
    client.send(&silent).await.accepted();
    client.assert_silent().await;
    let newer = caller.greeted("2025-06-18").await;
    newer.send(&batch).await.refusal(400);
}

#[tokio::test]
async fn calls_above_the_limits_are_answered_with_busy() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| {
            limits.calls_per_connection = 1;
            limits.pending_calls = 1;
        })
        .build()
        .unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    client.send(&call(1, "gated", json!({}))).await.accepted();
    entered.recv().await.unwrap();
    client.send(&call(2, "gated", json!({}))).await.accepted();
    let told = client.call(3, "gated", json!({})).await;
    assert!(told.contains("busy"), "{told}");
    gate.open.add_permits(2);
    for id in [1, 2] {
        let answer = client.next().await;
        assert_eq!(answer["id"], id);
        assert_eq!(text(&answer), "through");
    }
}

#[tokio::test]
async fn callers_see_and_reach_what_their_scopes_allow() {
    let server = server()
        .http(|http| http.authenticate(super::client::Names))
        .build()
        .unwrap();
    let mut client = Caller::of(&server)
        .named("alice")
        .greeted("2024-11-05")
        .await;
    assert_eq!(client.call(1, "whoami", json!({})).await, "alice");
    let hidden = call(2, "secret", json!({}));
    client.send(&hidden).await.accepted();
    let answer = client.next().await;
    assert_eq!(answer["error"]["message"], "Unknown tool: secret");
}

#[tokio::test]
async fn handlers_see_the_client_and_its_address() {
    let server = server().build().unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    let shown = client.call(1, "whence", json!({})).await;
    assert_eq!(shown, "test Some(127.0.0.1) true");
}
