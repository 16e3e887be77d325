//! What the HTTP edge counts, and where it shows the numbers.

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use mcp_kit::auth::ApiKeys;
use mcp_kit::observe::metrics::Metrics;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::transport::http::{HttpBody, HttpService};
use tower_service::Service as _;

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

async fn send(service: &HttpService, request: http::request::Builder) -> Response<HttpBody> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fine","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let request = request.body(Full::<bytes::Bytes>::from(body)).unwrap();
    service.clone().call(request).await.unwrap()
}

/// A call that is right, but for what a test changes about it.
fn call() -> http::request::Builder {
    Request::post("/mcp")
        .header("host", "mcp.example")
        .header("x-api-key", "a-key-of-alice")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "fine")
}

async fn text(response: Response<HttpBody>) -> String {
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_refusal_is_counted_under_its_reason_and_is_no_call() {
    let metrics = Metrics::new();
    let service = server(&metrics).build().unwrap().http_service();
    let with = |name: &str, value: &str| {
        let mut request = call();
        let headers = request.headers_mut().unwrap();
        let name = http::HeaderName::try_from(name).unwrap();
        headers.insert(name, value.parse().unwrap());
        request
    };
    for (request, reason) in [
        (with("origin", "https://evil.example"), "origin"),
        (with("host", "evil.example"), "host"),
        (with("x-api-key", "made-up-by-a-client"), "unauthenticated"),
        (with("content-type", "text/plain"), "content_type"),
        (with("mcp-method", "tools/list"), "malformed"),
        (call().uri("/elsewhere"), "not_found"),
        (call().method("PUT"), "method"),
    ] {
        let series = format!(r#"mcp_http_requests_refused_total{{reason="{reason}"}}"#);
        assert_eq!(value(&metrics, &series), 0.0, "{reason}");
        let status = send(&service, request).await.status();
        assert!(status.is_client_error(), "{reason}: {status}");
        assert_eq!(value(&metrics, &series), 1.0, "{reason}");
    }
    let ok = r#"mcp_tool_calls_total{tool="fine",outcome="ok"}"#;
    assert_eq!(value(&metrics, ok), 0.0);
    assert_eq!(send(&service, call()).await.status(), StatusCode::OK);
    assert_eq!(value(&metrics, ok), 1.0);
    assert!(!metrics.encode().contains("made-up"));
}

#[tokio::test]
async fn the_path_is_there_only_where_it_was_asked_for_and_behind_the_same_doors() {
    let metrics = Metrics::new();
    let without = server(&metrics).build().unwrap().http_service();
    let with = server(&metrics).http(|http| http.metrics_on_path());
    let with = with.build().unwrap().http_service();
    let scrape = || call().method("GET").uri("/metrics");
    assert_eq!(send(&without, scrape()).await.status(), 404);
    let mut stranger = scrape();
    stranger.headers_mut().unwrap().remove("x-api-key");
    assert_eq!(send(&with, stranger).await.status(), 401);
    let response = send(&with, scrape()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], Metrics::CONTENT_TYPE);
    let text = text(response).await;
    assert!(text.contains("mcp_tool_calls_total{"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
