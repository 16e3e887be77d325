//! What the HTTP edge counts, and where it shows the numbers.

use http::{Request, StatusCode};
use mcp_kit::auth::ApiKeys;
use mcp_kit::observe::metrics::Metrics;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{TestClient, TestHttpClient};
use serde_json::{Value, json};

use crate::value;

/// Does nothing, and well.
#[tool]
async fn fine() {}

fn server(metrics: &Metrics) -> ServerBuilder {
    let keys = ApiKeys::builder().key("alice", "a-key-of-alice");
    let keys = keys.build().unwrap();
    Server::builder("test", "1")
        .tool::<fine>()
        .metrics(metrics)
        .http(|http| http.allow_host("mcp.example").authenticate(keys))
}

fn client(server: ServerBuilder) -> TestHttpClient {
    TestClient::http(&server.build().unwrap())
        .header("host", "mcp.example")
        .key("a-key-of-alice")
}

fn call() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "fine",
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }})
}

#[tokio::test]
async fn a_refusal_is_counted_under_its_reason_and_is_no_call() {
    let metrics = Metrics::new();
    let client = client(server(&metrics));
    let post = async |name: &str, value: &str| {
        let client = client.clone().header(name, value);
        client.post(&call()).await.status()
    };
    let other = async |method: &str, target: &str| {
        let request = Request::builder().method(method).uri(target);
        client.send(request.body("").unwrap()).await.status()
    };
    for (first, second, reason) in [
        ("origin", "https://evil.example", "origin"),
        ("host", "evil.example", "host"),
        ("x-api-key", "made-up-by-a-client", "unauthenticated"),
        ("content-type", "text/plain", "content_type"),
        ("mcp-method", "tools/list", "malformed"),
        ("POST", "/elsewhere", "not_found"),
        ("PUT", "/mcp", "method"),
    ] {
        let series = format!(r#"mcp_http_requests_refused_total{{reason="{reason}"}}"#);
        assert_eq!(value(&metrics, &series), 0.0, "{reason}");
        let status = match second.starts_with('/') {
            true => other(first, second).await,
            false => post(first, second).await,
        };
        assert!(status.is_client_error(), "{reason}: {status}");
        assert_eq!(value(&metrics, &series), 1.0, "{reason}");
    }
    let ok = r#"mcp_calls_total{kind="tool",name="fine",outcome="ok"}"#;
    assert_eq!(value(&metrics, ok), 0.0);
    assert_eq!(client.post(&call()).await.status(), StatusCode::OK);
    assert_eq!(value(&metrics, ok), 1.0);
    assert!(!metrics.encode().contains("made-up"));
}

#[tokio::test]
async fn the_path_is_there_only_where_it_was_asked_for_and_behind_the_same_doors() {
    let metrics = Metrics::new();
    let without = client(server(&metrics));
    let with = client(server(&metrics).http(|http| http.metrics_on_path()));
    let scrape = || Request::get("/metrics").body("").unwrap();
    assert_eq!(without.send(scrape()).await.status(), 404);
    let stranger = with.clone().without_header("x-api-key");
    assert_eq!(stranger.send(scrape()).await.status(), 401);
    let mut response = with.send(scrape()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], Metrics::CONTENT_TYPE);
    let text = response.text().await;
    assert!(text.contains("mcp_calls_total{"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
