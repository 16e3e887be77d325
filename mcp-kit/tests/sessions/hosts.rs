//! Callers without authentication count by their addresses.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use mcp_kit::limits::Rate;
use mcp_kit::transport::http::{HttpBody, HttpService, PeerAddr};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_service::Service as _;

use crate::client::{Answer, Events, call, initialize, read};
use crate::tools::{gate, gated_server, server};

async fn ask(service: &HttpService, from: &str, session: Option<&str>, message: &Value) -> Answer {
    read(post(service, from, session, message).await).await
}

async fn post(
    service: &HttpService,
    from: &str,
    session: Option<&str>,
    message: &Value,
) -> Response<HttpBody> {
    let from: SocketAddr = from.parse().unwrap();
    let mut request = Request::post("/mcp")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .extension(PeerAddr(from));
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    } else if message["params"]["_meta"].is_object() {
        request = request
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", message["method"].as_str().unwrap());
        if let Some(name) = message["params"]["name"].as_str() {
            request = request.header("mcp-name", name);
        }
    }
    let request = request.body(Full::new(Bytes::from(message.to_string())));
    service.clone().call(request.unwrap()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_host_takes_nothing_from_another() {
    let server = server()
        .rate_limit(Rate::per_minute(1))
        .http(|http| {
            http.allow_unauthenticated()
                .principal_rate(Rate::per_minute(6))
                .limits(|limits| limits.sessions_per_principal = 1)
        })
        .build()
        .unwrap();
    let service = server.http_service();
    let open = initialize("2025-11-25");
    let waited = call(1, "wait", json!({"ms": 0}));
    let mut sessions = Vec::new();
    for host in ["192.0.2.1:4000", "192.0.2.2:4000", "[2001:db8::1]:4000"] {
        let opened = ask(&service, host, None, &open).await;
        assert_eq!(opened.status, 200, "{opened:?}");
        let id = opened.headers["mcp-session-id"].to_str().unwrap();
        sessions.push((host, id.to_owned()));
    }
    for (host, id) in &mut sessions {
        // A session ends for another of its own host's, and for no other. Calls
        // of a tool and requests are counted by host as well.
        let opened = ask(&service, host, None, &open).await;
        let opened = opened.headers["mcp-session-id"].to_str().unwrap();
        opened.clone_into(id);
        let first = ask(&service, host, Some(id), &waited).await;
        assert_eq!(first.result(), "waited 0");
        let second = ask(&service, host, Some(id), &waited).await;
        assert!(second.result().contains("Rate limit"), "{second:?}");
        for _ in 0..2 {
            ask(&service, host, Some(id), &waited).await;
        }
        ask(&service, host, Some(id), &waited).await.refusal(429);
    }
    // The session itself goes where its client goes.
    let moved = ask(&service, "192.0.2.3:4000", Some(&sessions[0].1), &waited).await;
    assert_eq!(moved.result(), "waited 0");
}

/// In all of its sessions together; the calls of others run meanwhile.
#[tokio::test]
async fn a_host_runs_so_many_calls_at_once_and_others_are_served() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| limits.calls_per_principal = 2)
        .build()
        .unwrap();
    let service = server.http_service();
    let open = initialize("2025-11-25");
    let gated = call(1, "gated", json!({}));
    let start = |host: &'static str, session: &str| {
        let (service, gated, session) = (service.clone(), gated.clone(), session.to_owned());
        tokio::spawn(async move { ask(&service, host, Some(&session), &gated).await })
    };
    let [greedy, other] = ["192.0.2.1:4000", "192.0.2.2:4000"];
    let mut asked = Vec::new();
    for number in 0..4 {
        let opened = ask(&service, greedy, None, &open).await;
        let session = opened.headers["mcp-session-id"].to_str().unwrap();
        asked.push(start(greedy, session));
        if number < 2 {
            entered.recv().await.unwrap();
        } else {
            let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
            // It is taken once its id is in flight.
            while ask(&service, greedy, Some(session), &ping).await.status == 200 {
                tokio::task::yield_now().await;
            }
        }
    }
    let opened = ask(&service, other, None, &open).await;
    let session = opened.headers["mcp-session-id"].to_str().unwrap();
    let others = start(other, session);
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
    let service = server.http_service();
    let [greedy, other] = ["192.0.2.1:4000", "192.0.2.2:4000"];
    let mut gated = call(1, "gated", json!({}));
    gated["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let start = |host: &'static str| {
        let (service, gated) = (service.clone(), gated.clone());
        async move { ask(&service, host, None, &gated).await }
    };
    let mut asked = JoinSet::new();
    for _ in 0..2 {
        asked.spawn(start(greedy));
        entered.recv().await.unwrap();
    }
    // Two more wait; the others are refused.
    for _ in 0..6 {
        asked.spawn(start(greedy));
    }
    for _ in 0..4 {
        asked.join_next().await.unwrap().unwrap().refusal(503);
    }
    let others = tokio::spawn(start(other));
    entered.recv().await.unwrap();
    gate.open.add_permits(5);
    assert!(others.await.unwrap().text.contains("through"));
    while let Some(answered) = asked.join_next().await {
        assert!(answered.unwrap().text.contains("through"));
    }
}

#[tokio::test]
async fn subscriptions_are_bounded_by_caller_and_leave_room_for_requests() {
    let server = server()
        .limits(|limits| limits.subscriptions_per_principal = 2)
        .http(|http| {
            http.allow_unauthenticated()
                .limits(|limits| limits.requests = 3)
        })
        .build()
        .unwrap();
    let service = server.http_service();
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
    let [one, two, three] = ["192.0.2.1:4000", "192.0.2.2:4000", "192.0.2.3:4000"];
    let mut streams = Vec::new();
    for host in [one, one, two] {
        let mut events = Events::of(post(&service, host, None, &listen).await);
        events.next().await.unwrap();
        streams.push(events);
    }
    let refused = ask(&service, one, None, &listen).await;
    assert!(
        refused.refusal(429).contains("subscriptions"),
        "{refused:?}"
    );
    assert!(refused.headers.contains_key("retry-after"));
    // All together they are bounded, too.
    ask(&service, three, None, &listen).await.refusal(503);
    let opened = ask(&service, one, None, &initialize("2025-11-25")).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    // One that is closed makes room.
    drop(streams.remove(0));
    let events = post(&service, one, None, &listen).await;
    assert_eq!(events.status(), 200);
}
