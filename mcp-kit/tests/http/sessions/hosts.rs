//! Callers without authentication count by their addresses.

use std::net::SocketAddr;

use mcp_kit::limits::Rate;
use serde_json::json;
use tokio::task::JoinSet;

use super::tools::{gate, gated_server, server};
use crate::client::{Ask as _, TestHttpClient, call, events_of, http, initialize, ping};

const GREEDY: &str = "192.0.2.1:4000";
const OTHER: &str = "192.0.2.2:4000";

/// The same service, asked from `address`.
fn at(client: &TestHttpClient, address: &str) -> TestHttpClient {
    client.clone().peer(address.parse::<SocketAddr>().unwrap())
}

/// The client with the session that it has opened.
async fn with_session(client: TestHttpClient) -> TestHttpClient {
    let opened = client.ask(&initialize("2025-11-25")).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    client.session(opened.headers["mcp-session-id"].to_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn rates_and_sessions_of_one_host_do_not_affect_another() {
    let server = server()
        .rate_limit(Rate::per_minute(1))
        .http(|http| {
            http.allow_unauthenticated()
                .principal_rate(Rate::per_minute(6))
                .limits(|limits| limits.sessions_per_principal = 1)
        })
        .build()
        .unwrap();
    let client = http(&server);
    let waited = call(1, "wait", json!({"ms": 0}));
    let mut sessions = Vec::new();
    for host in [GREEDY, OTHER, "[2001:db8::1]:4000"] {
        sessions.push(with_session(at(&client, host)).await);
    }
    for session in &mut sessions {
        // A session ends for another of its own host's, and for no other. Calls
        // of a tool and requests are counted by host as well.
        *session = with_session(session.clone().without_session()).await;
        assert_eq!(session.ask(&waited).await.result(), "waited 0");
        let second = session.ask(&waited).await;
        assert!(second.result().contains("Rate limit"), "{second:?}");
        for _ in 0..2 {
            session.ask(&waited).await;
        }
        session.ask(&waited).await.refusal(429);
    }
    // The session itself goes where its client goes.
    let moved = at(&sessions[0], "192.0.2.3:4000").ask(&waited).await;
    assert_eq!(moved.result(), "waited 0");
}

/// In all of its sessions together; the calls of others run meanwhile.
#[tokio::test]
async fn calls_of_one_host_are_limited_and_others_are_served() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| limits.calls_per_principal = 2)
        .build()
        .unwrap();
    let client = http(&server);
    let gated = call(1, "gated", json!({}));
    let mut asked = Vec::new();
    for number in 0..4 {
        let session = with_session(at(&client, GREEDY)).await;
        asked.push(session.start(gated.clone()));
        if number < 2 {
            entered.recv().await.unwrap();
        } else {
            // It is taken once its id is in flight.
            while session.ask(&ping(1)).await.status == 200 {
                tokio::task::yield_now().await;
            }
        }
    }
    let others = with_session(at(&client, OTHER)).await.start(gated);
    entered.recv().await.unwrap();
    assert!(
        entered.try_recv().is_err(),
        "a third call of the first host runs"
    );
    gate.open.add_permits(5);
    for asked in asked.into_iter().chain([others]) {
        assert!(asked.await.unwrap().text.contains("through"));
    }
}

#[tokio::test]
async fn calls_that_wait_leave_room_for_the_requests_of_others() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| limits.calls_per_principal = 2)
        .http(|http| {
            http.allow_unauthenticated()
                .limits(|limits| limits.connections = 8)
        })
        .build()
        .unwrap();
    let client = http(&server);
    let mut gated = call(1, "gated", json!({}));
    gated["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let start = |host| {
        let (client, gated) = (at(&client, host), gated.clone());
        async move { client.ask(&gated).await }
    };
    let mut asked = JoinSet::new();
    for _ in 0..2 {
        asked.spawn(start(GREEDY));
        entered.recv().await.unwrap();
    }
    // Two more wait; the others are refused.
    for _ in 0..6 {
        asked.spawn(start(GREEDY));
    }
    for _ in 0..4 {
        asked.join_next().await.unwrap().unwrap().refusal(503);
    }
    let others = tokio::spawn(start(OTHER));
    entered.recv().await.unwrap();
    gate.open.add_permits(5);
    assert!(others.await.unwrap().text.contains("through"));
    while let Some(answered) = asked.join_next().await {
        assert!(answered.unwrap().text.contains("through"));
    }
}

#[tokio::test]
async fn subscriptions_are_limited_per_caller_and_leave_room_for_requests() {
    let server = server()
        .limits(|limits| limits.subscriptions_per_principal = 2)
        .http(|http| {
            http.allow_unauthenticated()
                .limits(|limits| limits.requests = 3)
        })
        .build()
        .unwrap();
    let client = http(&server);
    let listen = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": {
            "notifications": {},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    });
    let [one, two, three] = [GREEDY, OTHER, "192.0.2.3:4000"].map(|address| at(&client, address));
    let mut streams = Vec::new();
    for client in [&one, &one, &two] {
        let mut events = events_of(client.post(&listen).await);
        events.next_event().await.unwrap();
        streams.push(events);
    }
    let refused = one.ask(&listen).await;
    assert!(
        refused.refusal(429).contains("subscriptions"),
        "{refused:?}"
    );
    assert!(refused.headers.contains_key("retry-after"));
    // All together they are bounded, too.
    three.ask(&listen).await.refusal(503);
    let opened = one.ask(&initialize("2025-11-25")).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    // One that is closed makes room.
    drop(streams.remove(0));
    let events = one.post(&listen).await;
    assert_eq!(events.status(), 200);
}
