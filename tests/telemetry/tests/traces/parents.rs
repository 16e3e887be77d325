//! Whose child a call is.

use serde_json::{Value, json};

use crate::collector::{Collector, Sent};
use crate::server::Server;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

async fn span_with(meta: Value, environment: &[(&str, &str)]) -> Option<Sent> {
    let collector = Collector::start().await;
    let mut environment = environment.to_vec();
    environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint));
    let mut server = Server::start(&environment);
    server.call_with("refuses", json!({}), meta).await;
    server.end().await;
    collector.spans().pop()
}

#[tokio::test]
async fn the_request_says_whose_child_it_is() {
    let meta =
        json!({"traceparent": format!("00-{TRACE}-{PARENT}-01"), "tracestate": "rojo=1,congo=2"});
    let sent = span_with(meta, &[]).await.unwrap();
    assert_eq!((&*sent.trace(), &*sent.parent()), (TRACE, PARENT));
    assert_eq!(sent.span.trace_state, "rojo=1,congo=2");
    assert!(sent.span.links.is_empty());
}

#[tokio::test]
async fn a_parent_that_is_not_sampled_has_no_children() {
    let meta = json!({"traceparent": format!("00-{TRACE}-{PARENT}-00")});
    assert!(span_with(meta, &[]).await.is_none());
}

#[tokio::test]
async fn a_malformed_parent_is_none() {
    for parent in [
        json!(format!("00-{TRACE}-{PARENT}")),
        json!(format!("00-{}-{PARENT}-01", TRACE.to_uppercase())),
        json!(format!("00-{TRACE}-{PARENT}-01-hunter2")),
        json!(["00"]),
        json!(7),
        json!(null),
    ] {
        let meta = json!({"traceparent": parent, "tracestate": "rojo=1"});
        let sent = span_with(meta, &[]).await.unwrap();
        assert_ne!(sent.trace(), TRACE);
        assert_eq!(
            (sent.parent(), &*sent.span.trace_state),
            (String::new(), "")
        );
    }
}

#[tokio::test]
async fn the_environment_says_what_is_sampled() {
    for environment in [
        [("OTEL_TRACES_SAMPLER", "always_off")],
        [("OTEL_SDK_DISABLED", "true")],
        [("OTEL_TRACES_EXPORTER", "none")],
    ] {
        let sent = span_with(json!({}), &environment).await;
        assert!(sent.is_none(), "{environment:?}: {sent:?}");
    }
}
