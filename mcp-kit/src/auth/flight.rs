//! Work that many callers wait for and one does.

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// A task of which one runs at a time. It outlives the caller that began it,
/// so that a request whose client leaves takes nothing from the others.
#[derive(Default)]
pub(super) struct Flight(Mutex<Option<JoinHandle<()>>>);

impl Flight {
    /// Waits until nothing `is_due` any more: for the task that is running, or
    /// else for one that `start` spawns.
    pub(super) async fn join(
        &self,
        is_due: impl Fn() -> bool,
        start: impl FnOnce() -> JoinHandle<()>,
    ) {
        let mut slot = self.0.lock().await;
        if !is_due() {
            return;
        }
        // One that has ended is of an earlier time.
        let task = match slot.take() {
            Some(running) if !running.is_finished() => running,
            _ => start(),
        };
        // It stays in its slot where this caller gives up.
        let _ = slot.insert(task).await;
        *slot = None;
    }
}
