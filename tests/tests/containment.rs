//! What a handler's own code does must not reach the client, nor keep it
//! waiting.
#![allow(clippy::unwrap_used)]

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use serde_json::json;

#[derive(Debug)]
struct Untellable;

impl fmt::Display for Untellable {
    #[allow(clippy::panic)]
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("secret in a panic in Display")
    }
}

impl std::error::Error for Untellable {}

/// Fails with an error that cannot be displayed.
#[tool]
async fn untellable() -> Result<(), ToolError> {
    Err(Untellable)?
}

#[tokio::test]
async fn an_error_that_panics_when_it_is_displayed_is_answered() {
    for log_calls in [true, false] {
        let mut server = Server::builder("broken", "1.0.0").tool::<untellable>();
        if !log_calls {
            server = server.without_call_log();
        }
        let client = TestClient::new(&server.build().unwrap()).await;
        let result = client.call("untellable", json!({})).await;
        assert!(result.is_error());
        let text = result.text();
        assert!(text.starts_with("An internal error occurred"), "{text}");
    }
}

/// Blocks until the gate is open.
#[tool(blocking)]
fn hold(State(gate): State<Arc<Mutex<()>>>) {
    drop(gate.lock());
}

/// Says that it ran.
#[tool(blocking, timeout = "50ms")]
fn mark(State(ran): State<Arc<AtomicBool>>) {
    ran.store(true, Ordering::SeqCst);
}

#[test]
fn a_blocking_call_that_timed_out_before_it_began_does_not_run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let gate = Arc::new(Mutex::new(()));
    let ran = Arc::new(AtomicBool::new(false));
    let server = Server::builder("busy", "1.0.0")
        .state(Arc::clone(&gate))
        .state(Arc::clone(&ran))
        .tool::<hold>()
        .tool::<mark>()
        .build()
        .unwrap();
    let closed = gate.lock().unwrap();
    runtime.block_on(async {
        let client = TestClient::new(&server).await;
        let holding = client.call("hold", json!({}));
        let late = client.call("mark", json!({})).await;
        assert!(late.text().contains("timed out"), "{}", late.text());
        drop(closed);
        assert!(!holding.await.is_error());
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    assert!(!ran.load(Ordering::SeqCst));
}
