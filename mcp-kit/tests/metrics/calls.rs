//! Each end that a call can have is counted once, under its own word.

use std::sync::Arc;

use mcp_kit::observe::metrics::Metrics;
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::TestClient;
use serde_json::json;
use tokio::sync::Notify;

use crate::value;

/// Does what its name says.
#[tool]
async fn fine() -> &'static str {
    "fine"
}

/// Refuses.
#[tool]
async fn refuses() -> Result<(), ToolError> {
    Err(ToolError::user("No."))
}

/// Fails.
#[tool]
async fn fails() -> Result<(), ToolError> {
    Err(ToolError::internal("a cause"))
}

/// Panics.
#[tool]
#[allow(clippy::unused_async)]
async fn panics() {
    panic!("as it must");
}

/// Panics on a thread of its own.
#[tool(blocking)]
fn panics_blocking() {
    panic!("as it must");
}

/// Returns more than it may.
#[tool]
async fn large() -> String {
    "x".repeat(2_000)
}

/// Never ends.
#[tool(timeout = "1s")]
async fn endless() {
    std::future::pending().await
}

/// Signals that it runs, and continues at a signal.
#[tool]
async fn waits(State(gate): State<Arc<Gate>>) {
    gate.runs.notify_one();
    gate.go_on.notified().await;
}

/// For callers with a scope.
#[tool(scope = "keys")]
async fn locked() {}

#[derive(Default)]
struct Gate {
    runs: Notify,
    go_on: Notify,
}

fn server(metrics: &Metrics, gate: &Arc<Gate>) -> ServerBuilder {
    Server::builder("test", "1")
        .state(Arc::clone(gate))
        .local_scopes(["none"])
        .tool::<fine>()
        .tool::<refuses>()
        .tool::<fails>()
        .tool::<panics>()
        .tool::<panics_blocking>()
        .tool_with::<large>(|tool| tool.result_bytes(1_024))
        .tool::<endless>()
        .tool::<waits>()
        .tool::<locked>()
        .metrics(metrics)
}

fn calls(metrics: &Metrics, tool: &str, outcome: &str) -> f64 {
    let labels = format!(r#"{{kind="tool",name="{tool}",outcome="{outcome}"}}"#);
    value(metrics, &format!("mcp_calls_total{labels}"))
}

fn count(metrics: &Metrics, tool: &str) -> f64 {
    let series = format!(r#"mcp_call_duration_seconds_count{{kind="tool",name="{tool}"}}"#);
    value(metrics, &series)
}

fn running(metrics: &Metrics, tool: &str) -> f64 {
    value(
        metrics,
        &format!(r#"mcp_calls_in_flight{{kind="tool",name="{tool}"}}"#),
    )
}

#[tokio::test(start_paused = true)]
async fn each_end_of_a_call_is_counted_under_its_word() {
    let (metrics, gate) = (Metrics::new(), Arc::default());
    let server = server(&metrics, &gate).build().unwrap();
    let client = TestClient::new(&server).await;
    for (tool, arguments, outcome) in [
        ("fine", json!({}), "ok"),
        ("fine", json!({"more": 1}), "invalid_arguments"),
        ("refuses", json!({}), "user_error"),
        ("fails", json!({}), "internal_error"),
        ("panics", json!({}), "panic"),
        ("panics_blocking", json!({}), "panic"),
        ("large", json!({}), "result_too_large"),
        ("endless", json!({}), "timeout"),
        ("locked", json!({}), "forbidden"),
    ] {
        assert_eq!(calls(&metrics, tool, outcome), 0.0, "{tool} {outcome}");
        // The client reads of a tool without its scope that it is unknown.
        let _ = client.call(tool, arguments).outcome().await;
        assert_eq!(calls(&metrics, tool, outcome), 1.0, "{tool} {outcome}");
        assert_eq!(running(&metrics, tool), 0.0, "{tool}");
    }
    assert_eq!(count(&metrics, "fine"), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_as_running_until_it_is_cancelled() {
    let (metrics, gate) = (Metrics::new(), Arc::<Gate>::default());
    let server = server(&metrics, &gate).build().unwrap();
    let client = TestClient::new(&server).await;
    let call = client.call("waits", json!({}));
    gate.runs.notified().await;
    assert_eq!(running(&metrics, "waits"), 1.0);
    call.cancel();
    client.close().await;
    assert_eq!(running(&metrics, "waits"), 0.0);
    assert_eq!(calls(&metrics, "waits", "cancelled"), 1.0);
    assert_eq!(count(&metrics, "waits"), 1.0);
}

#[tokio::test]
async fn what_never_runs_is_counted_with_its_answer() {
    let (metrics, gate) = (Metrics::new(), Arc::<Gate>::default());
    let server = server(&metrics, &gate)
        .limits(|limits| {
            limits.calls_per_connection = 1;
            limits.pending_calls = 1;
        })
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let first = client.call("waits", json!({}));
    gate.runs.notified().await;
    let second = client.call("fine", json!({}));
    let third = client.call("fine", json!({})).await;
    assert!(third.text().contains("busy"), "{}", third.text());
    assert_eq!(calls(&metrics, "fine", "busy"), 1.0);
    gate.go_on.notify_one();
    first.await;
    second.await;
    assert_eq!(calls(&metrics, "fine", "ok"), 1.0);
    assert_eq!(count(&metrics, "fine"), 1.0);
}

#[tokio::test]
async fn a_tool_that_is_unknown_makes_no_series() {
    let (metrics, gate) = (Metrics::new(), Arc::default());
    let server = server(&metrics, &gate).build().unwrap();
    let client = TestClient::new(&server).await;
    let params = json!({"name": "made_up_by_a_client"});
    client.request("tools/call", params).await.unwrap_err();
    assert!(!metrics.encode().contains("made_up"));
    assert!(!metrics.encode().contains("local"));
}

#[tokio::test(start_paused = true)]
async fn durations_fall_into_their_buckets() {
    let (metrics, gate) = (Metrics::new(), Arc::default());
    let server = server(&metrics, &gate).build().unwrap();
    let client = TestClient::new(&server).await;
    client.call("endless", json!({})).await;
    let bucket = |bound: &str| {
        let labels = format!(r#"{{le="{bound}",kind="tool",name="endless"}}"#);
        value(
            &metrics,
            &format!("mcp_call_duration_seconds_bucket{labels}"),
        )
    };
    assert_eq!(bucket("0.5"), 0.0);
    assert_eq!(bucket("2.5"), 1.0);
    assert_eq!(bucket("+Inf"), 1.0);
    let sum = value(
        &metrics,
        r#"mcp_call_duration_seconds_sum{kind="tool",name="endless"}"#,
    );
    assert!((1.0..1.1).contains(&sum), "{sum}");
}

#[tokio::test]
async fn servers_that_share_metrics_are_counted_together() {
    let (metrics, gate) = (Metrics::new(), Arc::default());
    for _ in 0..2 {
        let server = server(&metrics, &gate).build().unwrap();
        assert!(server.metrics().is_some());
        TestClient::new(&server).await.call("fine", json!({})).await;
    }
    assert_eq!(calls(&metrics, "fine", "ok"), 2.0);
    assert!(metrics.encode().ends_with("# EOF\n"));
}

#[cfg(feature = "metrics-registry")]
#[test]
fn registered_metric_is_encoded_with_those_of_the_server() {
    use mcp_kit::observe::metrics::prometheus_client::metrics::gauge::Gauge;

    let metrics = Metrics::new();
    let own = Gauge::<i64>::default();
    metrics.register(|registry| registry.register("stock", "What is left", own.clone()));
    own.set(7);
    let _server = server(&metrics, &Arc::default()).build().unwrap();
    assert_eq!(value(&metrics, "stock"), 7.0);
    assert_eq!(calls(&metrics, "fine", "ok"), 0.0);
    assert!(metrics.encode().ends_with("# EOF\n"));
}

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Step {
    #[garde(range(max = 9))]
    step: u8,
}

/// Goes up a step.
#[tool]
async fn climb(args: Step) -> String {
    args.step.to_string()
}

#[tokio::test]
async fn calls_whose_arguments_were_normalised_are_counted() {
    let metrics = Metrics::new();
    let server = Server::builder("test", "1").tool::<climb>();
    let server = server.metrics(&metrics).build().unwrap();
    let client = TestClient::new(&server).await;
    let count = || {
        let series = r#"mcp_calls_normalised_total{kind="tool",name="climb"}"#;
        value(&metrics, series)
    };
    for (step, normalised) in [
        (json!(5), 0.0),
        (json!(5.0), 1.0),
        (json!("5"), 2.0),
        (json!("10"), 2.0),
    ] {
        client.call("climb", json!({"step": step})).await;
        assert_eq!(count(), normalised, "{step}");
    }
}

#[tokio::test]
async fn removed_tool_leaves_the_text_when_its_last_call_has_ended() {
    let (metrics, gate) = (Metrics::new(), Arc::<Gate>::default());
    let server = server(&metrics, &gate).build().unwrap();
    let client = TestClient::new(&server).await;
    let shown = |name: &str| metrics.encode().contains(&format!("name=\"{name}\""));
    client.call("fine", json!({})).await;
    server.registry().hide(Kind::Tool, "fine").unwrap();
    assert!(shown("fine"));
    server.registry().remove(Kind::Tool, "fine").unwrap();
    assert!(!shown("fine"));
    server
        .registry()
        .update(|changes| changes.tool::<fine>())
        .unwrap();
    assert_eq!(calls(&metrics, "fine", "ok"), 0.0);
    // One that is removed and added in one change counts on.
    client.call("fine", json!({})).await;
    let again = server.registry().update(|changes| {
        changes.remove(Kind::Tool, "fine");
        changes.tool::<fine>();
    });
    again.unwrap();
    assert_eq!(calls(&metrics, "fine", "ok"), 1.0);

    let call = client.call("waits", json!({}));
    gate.runs.notified().await;
    server.registry().remove(Kind::Tool, "waits").unwrap();
    assert_eq!(running(&metrics, "waits"), 1.0);
    call.cancel();
    client.close().await;
    assert!(!shown("waits"));
}
