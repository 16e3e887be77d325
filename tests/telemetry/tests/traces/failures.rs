//! A collector that is not there, does not answer or says no; settings that
//! cannot be used. The server serves as ever.

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::server::{Ended, Server};

/// More calls than fit into the queue.
const CALLS: usize = 300;

async fn calls(environment: &[(&str, &str)]) -> Ended {
    let mut server = Server::start(environment);
    for _ in 0..CALLS {
        assert_eq!(server.call("keeps", json!({"secret": "four"})).await, "4");
    }
    let ended = server.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.lines("call").len(), CALLS);
    ended
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut body = Vec::new();
        stream.read_to_end(&mut body).await.unwrap();
        body
    });
    calls(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32"),
    ])
    .await;
    let body = silent.await.unwrap();
    assert!(body.starts_with(b"POST /v1/traces "));
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_reported_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = calls(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer hunter2"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32"),
    ])
    .await;
    let told = ended.lines("traces cannot be sent");
    assert_eq!(told.len(), 1, "{}", ended.stderr);
    assert_eq!(told[0]["level"], "WARN");
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[tokio::test]
async fn unusable_settings_are_reported_with_valid_ones() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    for (setting, told) in [
        (("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), "http/protobuf"),
        (("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), "unset it"),
        (("OTEL_EXPORTER_OTLP_TIMEOUT", "ten"), "milliseconds"),
        (("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem"), "PEM"),
        (("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "no url"), "endpoint"),
    ] {
        let ended = calls(&[endpoint, setting]).await;
        let lines = ended.lines("traces cannot be sent");
        assert_eq!(lines.len(), 1, "{setting:?}: {}", ended.stderr);
        let message = lines[0]["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
        assert_eq!(ended.lines("call")[0].get("trace_id"), None);
    }
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_traced() {
    let ended = calls(&[]).await;
    assert!(!ended.stderr.contains("trace_id"), "{}", ended.stderr);
}
