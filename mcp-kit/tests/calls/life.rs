//! Progress, cancellation, the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::testing::{RequestError, TestClient};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::log::Log;

/// Reports how far it is, not always sensibly.
#[tool]
async fn reports(progress: Progress, other: Progress) {
    for step in [1.0, 1.0, 0.5, f64::NAN, 2.0, f64::INFINITY, 3.0] {
        progress.report(step, Some(3.0), Some("on the way"));
        other.report(step - 0.5, None, Some("behind"));
        other.report(step, None, Some("as far"));
    }
}

#[tokio::test]
async fn progress_only_grows_and_comes_before_the_result() {
    let server = Server::builder("test", "1")
        .tool::<reports>()
        .build()
        .unwrap();
    for client in [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ] {
        let result = client.call("reports", json!({})).await;
        let steps: Vec<_> = result
            .progress()
            .iter()
            .map(|report| report["progress"].as_f64().unwrap())
            .collect();
        assert_eq!(steps, [1.0, 2.0, 3.0]);
        assert_eq!(result.progress()[0]["total"], 3.0);
        assert_eq!(result.progress()[0]["message"], "on the way");
    }
}

/// Where a tool leaves its progress for another task.
type Left = Arc<std::sync::Mutex<Option<Progress>>>;

/// Ends before its work does.
#[tool]
async fn leaves(progress: Progress, State(left): State<Left>) {
    *left.lock().unwrap() = Some(progress);
}

#[tokio::test]
async fn nothing_is_reported_of_a_call_that_was_answered() {
    let left = Left::default();
    let server = Server::builder("test", "1")
        .state(Arc::clone(&left))
        .tool::<leaves>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    assert!(!client.call("leaves", json!({})).await.is_error());
    let progress = left.lock().unwrap().take().unwrap();
    progress.report(1.0, None, None);
    client.close().await;
    assert_eq!(client.next_message().await, None);
}

#[tokio::test]
async fn a_call_without_a_progress_token_gets_no_progress() {
    let server = Server::builder("test", "1")
        .tool::<reports>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    client
        .request("tools/call", json!({"name": "reports"}))
        .await
        .unwrap();
    client.close().await;
    assert_eq!(client.next_message().await, None);
}

#[derive(Clone, Default)]
struct Watch {
    begun: Arc<Notify>,
    dropped: Arc<AtomicBool>,
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Works for some seconds.
#[tool]
async fn works(State(watch): State<Watch>) -> &'static str {
    let _dropped = SetOnDrop(Arc::clone(&watch.dropped));
    watch.begun.notify_one();
    tokio::time::sleep(Duration::from_secs(5)).await;
    "done"
}

/// Waits, on the blocking pool, until its caller gives up.
#[tool(blocking)]
fn waits(State(watch): State<Watch>, cancellation: Cancellation) {
    watch.begun.notify_one();
    while !cancellation.is_cancelled() {
        std::thread::yield_now();
    }
    watch.dropped.store(true, Ordering::SeqCst);
    watch.begun.notify_one();
}

fn server(watch: &Watch) -> Server {
    Server::builder("test", "1")
        .state(watch.clone())
        .tool::<works>()
        .tool::<waits>()
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn cancelling_drops_the_handler_and_sends_no_answer() {
    let log = Log::capture();
    let watch = Watch::default();
    let client = TestClient::new(&server(&watch)).await;
    let call = client.call("works", json!({}));
    watch.begun.notified().await;
    call.cancel();
    client.request("ping", json!({})).await.unwrap();
    let other = client.call("works", json!({}));
    assert_eq!(other.await.text(), "done");
    assert!(watch.dropped.load(Ordering::SeqCst));
    assert_eq!(call.outcome().await, Err(RequestError::Cancelled));
    client.close().await;
    let outcomes: Vec<_> = log
        .calls("works")
        .iter()
        .map(|line| line.get("outcome").to_owned())
        .collect();
    assert_eq!(outcomes, ["cancelled", "ok"]);
}

#[tokio::test]
async fn a_blocking_handler_is_notified_of_its_cancellation() {
    let watch = Watch::default();
    let client = TestClient::new(&server(&watch)).await;
    let call = client.call("waits", json!({}));
    watch.begun.notified().await;
    call.cancel();
    watch.begun.notified().await;
    assert!(watch.dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_drain_lets_calls_finish_and_takes_no_new_ones() {
    let watch = Watch::default();
    let server = server(&watch);
    let client = TestClient::new(&server).await;
    let drain = server.drain_handle();
    let running = client.call("works", json!({}));
    watch.begun.notified().await;
    assert!(!drain.is_draining());
    drain.begin();
    let late = client.call("works", json!({})).await;
    assert!(late.is_error());
    assert_eq!(
        late.text(),
        "The server is shutting down. Try again once it is back."
    );
    assert_eq!(running.await.text(), "done");
    assert_eq!(client.next_message().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlasts_the_drain_is_answered() {
    let watch = Watch::default();
    let server = Server::builder("test", "1")
        .limits(|limits| limits.drain_time = Duration::from_secs(2))
        .state(watch.clone())
        .tool::<works>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let running = client.call("works", json!({}));
    watch.begun.notified().await;
    let begun = Instant::now();
    server.drain_handle().begin();
    let result = running.await;
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert!(result.is_error());
    assert!(result.text().contains("shutting down"), "{}", result.text());
    assert_eq!(client.next_message().await, None);
    assert!(watch.dropped.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_lets_calls_finish() {
    let watch = Watch::default();
    let client = TestClient::new(&server(&watch)).await;
    let running = client.call("works", json!({}));
    client.close().await;
    assert_eq!(running.await.text(), "done");
}

#[tokio::test(start_paused = true)]
async fn an_id_in_flight_is_refused_without_ending_the_first_call() {
    let watch = Watch::default();
    let client = TestClient::new(&server(&watch)).await;
    let line = r#"{"jsonrpc":"2.0","id":"one","method":"tools/call","params":{"name":"works"}}"#;
    client.send_line(line);
    watch.begun.notified().await;
    client.send_line(line);
    let refused = client.next_message().await.unwrap();
    assert!(refused["id"].is_null(), "{refused}");
    assert_eq!(refused["error"]["code"], -32600);
    let answer = client.next_message().await.unwrap();
    assert_eq!(answer["id"], "one");
    assert_eq!(answer["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn before_the_handshake_the_error_names_the_handshake() {
    let server = server(&Watch::default());
    let client = TestClient::builder(&server).connect_silently();
    let error = client.request("tools/list", json!({})).await.unwrap_err();
    let RequestError::Protocol { code, message, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(code, -32602);
    assert!(
        message.contains("initialize") && message.contains("_meta"),
        "{message}"
    );
    client.request("ping", json!({})).await.unwrap();
}

/// Shows the request.
#[tool]
async fn show_request(request: mcp_kit::RequestInfo) -> String {
    let client = request.client().map_or("nobody", |client| client.name());
    let version = request.protocol_version().as_str();
    assert!(request.session_id().is_none() && request.address().is_none());
    assert!(request.header("host").is_none() && !request.id().to_string().is_empty());
    format!("{client} {version}")
}

#[tokio::test]
async fn handlers_see_the_client_without_http_too() {
    let server = Server::builder("test", "1")
        .tool::<show_request>()
        .build()
        .unwrap();
    for (client, version) in [
        (TestClient::new(&server).await, "2025-11-25"),
        (TestClient::modern(&server).await, "2026-07-28"),
    ] {
        let shown = client.call("show_request", json!({})).await;
        assert_eq!(shown.text(), format!("mcp-kit-testing {version}"));
    }
}
