//! One span per call, with what is inside it, and nothing that is secret.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;

use crate::collector::{Collector, named};
use crate::server::{Server, call};

async fn start() -> (Collector, Server) {
    let collector = Collector::start().await;
    let server = Server::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)]);
    (collector, server)
}

#[tokio::test]
async fn a_call_is_a_span_that_the_end_of_the_process_sends() {
    let (collector, mut server) = start().await;
    server.call("keeps", json!({"secret": "hunter2"})).await;
    let ended = server.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let spans = collector.spans();
    let sent = named(&spans, "tools/call keeps");
    assert_eq!(spans.len(), 1);
    assert_eq!(sent.service, "traced");
    assert_eq!(sent.span.kind(), SpanKind::Server);
    assert_eq!((sent.parent(), sent.status()), (String::new(), 0));
    assert!(sent.span.end_time_unix_nano >= sent.span.start_time_unix_nano);
    for (attribute, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "keeps"),
        ("mcp.protocol.version", "2026-07-28"),
        ("jsonrpc.request.id", "1"),
        ("network.transport", "pipe"),
        ("mcp_kit.outcome", "ok"),
        ("kind", "tool"),
        ("name", "keeps"),
        ("principal", "local"),
    ] {
        assert_eq!(sent.get(attribute).as_deref(), Some(value), "{attribute}");
    }
    assert_eq!(sent.span.attributes.len(), 10, "{:#?}", sent.span);
    assert_eq!(sent.span.events.len(), 0);
}

#[tokio::test]
async fn the_handshake_says_the_version_of_what_follows() {
    let (collector, mut server) = start().await;
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let greeting = json!({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": params});
    server.send(greeting).await;
    server.receive().await;
    let call = json!({"jsonrpc": "2.0", "id": "an \u{202e}id", "method": "tools/call", "params": {"name": "works"}});
    server.send(call).await;
    server.receive().await;
    server.end().await;
    let spans = collector.spans();
    let sent = named(&spans, "tools/call works");
    assert_eq!(sent.get("mcp.protocol.version").unwrap(), "2025-06-18");
    assert_eq!(sent.get("jsonrpc.request.id").unwrap(), "an \\u{202e}id");
}

#[tokio::test]
async fn spans_of_a_handler_are_children_wherever_they_are_opened() {
    let (collector, mut server) = start().await;
    server.call("works", json!({})).await;
    server.call("blocks", json!({})).await;
    server.end().await;
    let spans = collector.spans();
    for (call, child) in [
        ("tools/call works", "inside"),
        ("tools/call works", "in a task"),
        ("tools/call blocks", "on a thread"),
    ] {
        let (call, child) = (named(&spans, call), named(&spans, child));
        assert_eq!(child.parent(), call.id());
        assert_eq!(child.trace(), call.trace());
        assert_eq!(child.span.kind(), SpanKind::Internal);
    }
    assert_eq!(spans.len(), 5, "{spans:#?}");
}

#[tokio::test]
async fn an_ending_that_the_client_reads_as_an_error_is_one() {
    let (collector, mut server) = start().await;
    let mut references = Vec::new();
    for (tool, arguments, outcome) in [
        ("leaks", json!({}), "internal_error"),
        ("panics", json!({}), "panic"),
        ("refuses", json!({}), "user_error"),
        ("endless", json!({}), "timeout"),
        ("sleeps", json!({}), "timeout"),
        ("keeps", json!({"hunter2": 1}), "invalid_arguments"),
    ] {
        let text = server.call(tool, arguments).await;
        let reference = text
            .split_once("(reference ")
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(reference, _)| reference.to_owned());
        references.push((tool, outcome, reference));
    }
    let ended = server.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let spans = collector.spans();
    for (tool, outcome, reference) in references {
        let sent = named(&spans, &format!("tools/call {tool}"));
        assert_eq!(sent.status(), 2, "{tool}");
        assert_eq!(sent.get("error.type").unwrap(), "tool_error", "{tool}");
        assert_eq!(sent.get("mcp_kit.outcome").unwrap(), outcome, "{tool}");
        assert_eq!(sent.get("mcp_kit.reference"), reference, "{tool}");
        assert!(sent.span.status.as_ref().unwrap().message.is_empty());
        assert!(sent.span.events.is_empty(), "{tool}");
    }
}

#[tokio::test]
async fn a_cancelled_call_is_no_error() {
    let (collector, mut server) = start().await;
    let meta = json!({"progressToken": 1});
    server.send(call(json!(1), "waits", json!({}), meta)).await;
    assert_eq!(server.receive().await["method"], "notifications/progress");
    let params = json!({"requestId": 1});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    server.send(cancel).await;
    server.call("works", json!({})).await;
    server.end().await;
    let spans = collector.spans();
    let sent = named(&spans, "tools/call waits");
    assert_eq!(sent.get("mcp_kit.outcome").unwrap(), "cancelled");
    assert_eq!((sent.get("error.type"), sent.status()), (None, 0));
}

#[tokio::test]
async fn an_id_in_flight_is_the_clients_mistake() {
    let (collector, mut server) = start().await;
    let meta = json!({"progressToken": 1});
    server.send(call(json!(1), "waits", json!({}), meta)).await;
    assert_eq!(server.receive().await["method"], "notifications/progress");
    server
        .send(call(json!(1), "works", json!({}), json!({})))
        .await;
    assert_eq!(server.receive().await["error"]["code"], -32600);
    server.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})).await;
    server.end().await;
    let spans = collector.spans();
    let sent = named(&spans, "tools/call works");
    assert_eq!(sent.get("rpc.response.status_code").unwrap(), "-32600");
    assert_eq!((sent.get("error.type"), sent.status()), (None, 0));
}

#[tokio::test]
async fn lines_of_the_log_name_the_trace_and_show_nothing_of_how_it_is_made() {
    let (collector, mut server) = start().await;
    server.call("keeps", json!({"secret": "hunter2"})).await;
    server.call("blocks", json!({})).await;
    server.call("leaks", json!({})).await;
    let ended = server.end().await;
    let spans = collector.spans();
    for (message, tool) in [("kept", "keeps"), ("blocked", "blocks")] {
        let line = ended.lines(message)[0];
        let trace = named(&spans, &format!("tools/call {tool}")).trace();
        assert_eq!(line["trace_id"], trace, "{line}");
        assert_eq!(line["name"], tool, "{line}");
        assert_eq!(line["principal"], "local", "{line}");
    }
    for line in ended.lines("call") {
        let tool = line["name"].as_str().unwrap();
        let trace = named(&spans, &format!("tools/call {tool}")).trace();
        assert_eq!(line["trace_id"], trace, "{line}");
    }
    assert_eq!(ended.lines("call").len(), 3);
    assert!(!ended.stderr.contains("otel."), "{}", ended.stderr);
}

#[tokio::test]
async fn the_level_of_the_log_and_of_the_traces_are_two_things() {
    let collector = Collector::start().await;
    let mut server = Server::start(&[
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &format!("{}/v1/traces", collector.endpoint),
        ),
        ("OTEL_SERVICE_NAME", "named"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=hunter2"),
        ("RUST_LOG", "off"),
    ]);
    server.call("works", json!({})).await;
    let ended = server.end().await;
    assert_eq!(ended.stderr, "");
    let received = collector.received();
    assert_eq!(received[0].headers["x-team"], "hunter2");
    assert_eq!(received[0].path, "/v1/traces");
    assert!(received[0].body.windows(5).any(|bytes| bytes == b"named"));
}
