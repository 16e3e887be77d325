//! Callers who do not say who they are count by their addresses.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use mcp_kit::middleware::Rate;
use mcp_kit::transport::http::{HttpService, PeerAddr};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::client::{Answer, call, initialize, read};
use crate::tools::server;

async fn ask(service: &HttpService, from: &str, session: Option<&str>, message: &Value) -> Answer {
    let from: SocketAddr = from.parse().unwrap();
    let mut request = Request::post("/mcp")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .extension(PeerAddr(from));
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    let request = request.body(Full::new(Bytes::from(message.to_string())));
    read(service.clone().call(request.unwrap()).await.unwrap()).await
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
    for (host, id) in &sessions {
        // Sessions, calls of a tool, and requests.
        ask(&service, host, None, &open).await.refusal(429);
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
