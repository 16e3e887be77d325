//! A tool whose calls wait until the test lets them go.

use std::sync::Arc;

use mcp_kit::prelude::*;
use tokio::sync::{Notify, Semaphore, mpsc};

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

/// Waits at the gate, and reports that it does.
#[tool]
pub async fn gated(State(gate): State<Gate>, progress: Progress) -> String {
    let _left = Left(Arc::clone(&gate.dropped));
    progress.report(1.0, Some(2.0), Some("waiting"));
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
