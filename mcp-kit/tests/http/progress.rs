//! Progress: a stream if the call asks for it and reports, plain JSON if not.

use mcp_kit::testing::TestHttpClient;
use serde_json::{Value, json};

use crate::client::{Ask as _, call, events_of, http, open, read, reported, rest_of, result};
use crate::sessions::tools::{gate, gated_server, server};

/// A client of each era.
async fn both(server: &mcp_kit::Server) -> [TestHttpClient; 2] {
    [open(server).await, http(server).modern()]
}

/// The message with the metadata of the client's era, and a progress token.
fn watched(client: &TestHttpClient, id: i64, tool: &str, arguments: Value) -> Value {
    let mut message = plain(client, id, tool, arguments);
    message["params"]["_meta"]["progressToken"] = json!("token");
    message
}

fn plain(client: &TestHttpClient, id: i64, tool: &str, arguments: Value) -> Value {
    let mut message = call(id, tool, arguments);
    if client.session_id().is_none() {
        message["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    message
}

#[tokio::test]
async fn reports_arrive_while_the_call_runs() {
    let (gate, _entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    for client in both(&server).await {
        let message = watched(&client, 1, "gated", json!({}));
        let mut events = events_of(client.post(&message).await);
        let report = loop {
            let event = events.next_event().await.unwrap();
            if !event.data.is_empty() {
                break event.json();
            }
        };
        assert_eq!(report["method"], "notifications/progress");
        // The call still runs: another one is served meanwhile.
        let other = client
            .ask(&plain(&client, 2, "wait", json!({"ms": 0})))
            .await;
        assert_eq!(other.result(), "waited 0");
        gate.open.add_permits(1);
        let rest = rest_of(&mut events).await;
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(result(&rest[0].json()), "through");
    }
}

#[tokio::test]
async fn without_a_token_or_a_report_the_answer_is_json() {
    let server = server().build().unwrap();
    for client in both(&server).await {
        let unasked = plain(&client, 1, "count", json!({"to": 5}));
        let silent = watched(&client, 1, "wait", json!({"ms": 0}));
        for (message, text) in [(unasked, "counted 5"), (silent, "waited 0")] {
            let response = client.post(&message).await;
            assert!(!response.is_stream(), "{response:?}");
            assert_eq!(read(response).await.result(), text);
        }
    }
}

/// Two calls with one token: each report arrives on the stream of its call.
#[tokio::test(start_paused = true)]
async fn reports_stay_on_the_stream_of_their_call() {
    let server = server().build().unwrap();
    for client in both(&server).await {
        let own = match client.session_id() {
            Some(_) => Some(events_of(client.get().await)),
            None => None,
        };
        let mut streams = Vec::new();
        for id in 0..5 {
            let message = watched(&client, id, "count", json!({"to": 3 + id, "ms": 20}));
            streams.push(events_of(client.post(&message).await));
        }
        for (id, stream) in (0..).zip(&mut streams) {
            let events = rest_of(stream).await;
            let reports: Vec<_> = events.iter().filter_map(reported).collect();
            assert_eq!(reports, (1..=3 + id).collect::<Vec<u64>>());
            let answer = events.last().unwrap().json();
            assert_eq!(answer["id"], id);
            assert_eq!(result(&answer), format!("counted {}", 3 + id));
        }
        if let Some(mut own) = own {
            assert_eq!(client.delete().await.status(), 204);
            assert_eq!(own.next_event().await, None);
        }
    }
}

#[tokio::test]
async fn event_ids_are_gone_in_the_modern_era() {
    let server = server().build().unwrap();
    for client in both(&server).await {
        let message = watched(&client, 1, "count", json!({"to": 2}));
        let events = rest_of(&mut events_of(client.post(&message).await)).await;
        for event in events {
            assert_eq!(event.id.is_some(), client.session_id().is_some());
            assert!(event.kind.is_none_or(|kind| kind == "message"));
        }
    }
}

/// A tool's failure in the middle of a stream is its result.
#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_after_a_report_is_still_answered() {
    let server = server();
    let server = server.limits(|limits| limits.call_time = std::time::Duration::from_secs(5));
    let server = server.build().unwrap();
    for client in both(&server).await {
        let message = watched(&client, 1, "count", json!({"to": 100, "ms": 100}));
        let events = rest_of(&mut events_of(client.post(&message).await)).await;
        let last = events.last().unwrap().json();
        assert_eq!(last["id"], 1);
        assert_eq!(last["result"]["isError"], true);
        assert!(result(&last).contains("timed out"), "{last}");
    }
}
