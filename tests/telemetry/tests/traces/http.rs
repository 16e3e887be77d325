//! The same over HTTP: the headers may name the parent.

use opentelemetry_proto::tonic::trace::v1::span::Link;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::collector::{Collector, Sent, hex};
use crate::server::{Listening, call};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The span of one call with these headers and this `_meta`.
async fn span_with(headers: &str, meta: Value) -> Sent {
    let collector = Collector::start().await;
    let server = Listening::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)]).await;
    let body = call(json!(1), "works", json!({}), meta).to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: works\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.end().await;
    let mut spans = collector.spans();
    let at = spans
        .iter()
        .position(|sent| sent.span.name == "tools/call works");
    spans.remove(at.unwrap())
}

fn linked(links: &[Link]) -> Vec<(String, String)> {
    links
        .iter()
        .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
        .collect()
}

#[tokio::test]
async fn the_headers_name_the_parent() {
    let headers =
        format!("traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: a=1\r\ntracestate: b=2\r\n");
    let sent = span_with(&headers, json!({})).await;
    assert_eq!((&*sent.trace(), &*sent.parent()), (TRACE, PARENT));
    assert_eq!(sent.span.trace_state, "a=1,b=2");
    assert!(sent.span.links.is_empty());
    for (attribute, value) in [
        ("network.transport", "tcp"),
        ("network.protocol.name", "http"),
        ("network.protocol.version", "1.1"),
        ("mcp.protocol.version", "2026-07-28"),
        ("principal", "anonymous"),
    ] {
        assert_eq!(sent.get(attribute).as_deref(), Some(value), "{attribute}");
    }
}

#[tokio::test]
async fn the_request_comes_before_the_headers_which_become_a_link() {
    let headers = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    let own = ("11111111111111111111111111111111", "2222222222222222");
    let meta = json!({"traceparent": format!("00-{}-{}-01", own.0, own.1)});
    let sent = span_with(&headers, meta).await;
    assert_eq!((&*sent.trace(), &*sent.parent()), own);
    let transport = (TRACE.to_owned(), PARENT.to_owned());
    assert_eq!(linked(&sent.span.links), [transport]);
}

#[tokio::test]
async fn a_malformed_or_doubled_header_is_none() {
    let good = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    for headers in [
        format!("{good}{good}"),
        good.replace("-01", "-1"),
        format!("traceparent: {TRACE}\r\n"),
        "tracestate: a=1\r\n".to_owned(),
    ] {
        let sent = span_with(&headers, json!({})).await;
        assert_eq!(sent.parent(), "", "{headers}");
        assert_ne!(sent.trace(), TRACE);
    }
}
