//! The tools that the tests call.

use std::sync::Arc;

use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use tokio::sync::{Notify, Semaphore, mpsc};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
pub struct Amount {
    #[garde(skip)]
    pub of: usize,
}

/// Reports how far it is.
#[tool]
pub async fn count(args: Amount, progress: Progress) -> String {
    for step in 1..=args.of {
        progress.report(step as f64, None, Some(&"x".repeat(100)));
    }
    format!("counted {}", args.of)
}

/// Answers at length.
#[tool]
pub async fn big(args: Amount) -> String {
    "x".repeat(args.of)
}

/// Who calls.
#[tool]
pub async fn whoami(caller: Principal) -> String {
    caller.name().to_owned()
}

/// Never called by who has no scope.
#[tool(scope = "secrets")]
pub async fn secret() -> &'static str {
    "secret"
}

/// Holds calls back until the test lets them go, and tells it of each.
#[derive(Clone)]
pub struct Gate {
    pub open: Arc<Semaphore>,
    pub entered: mpsc::UnboundedSender<()>,
    pub dropped: Arc<Notify>,
}

struct Left(Arc<Notify>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Waits at the gate.
#[tool]
pub async fn gated(State(gate): State<Gate>) -> String {
    let _left = Left(Arc::clone(&gate.dropped));
    gate.entered.send(()).unwrap();
    gate.open.acquire().await.unwrap().forget();
    "through".to_owned()
}

/// A gate, and what it tells of those that came to it.
pub fn gate() -> (Gate, mpsc::UnboundedReceiver<()>) {
    let (entered, told) = mpsc::unbounded_channel();
    let gate = Gate {
        open: Arc::new(Semaphore::new(0)),
        entered,
        dropped: Arc::default(),
    };
    (gate, told)
}

/// A server with all of them but the gate.
pub fn server() -> ServerBuilder {
    Server::builder("test", "1")
        .tool::<count>()
        .tool::<big>()
        .tool::<whoami>()
        .tool::<secret>()
        .without_call_log()
        .http(|http| http.tool_rate(None).sse())
}

/// And one whose calls wait at `gate`.
pub fn gated_server(gate: &Gate) -> ServerBuilder {
    server().state(gate.clone()).tool::<gated>()
}
