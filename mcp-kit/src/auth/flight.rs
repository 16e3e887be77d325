//! A shared task: one caller runs the work, and the others wait for it.

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// A task of which one runs at a time. It outlives the caller that started it,
/// so a request whose client leaves does not affect the others.
#[derive(Default)]
pub(super) struct Flight(Mutex<Option<JoinHandle<()>>>);

impl Flight {
    /// Waits until `is_due` returns false: for the task that is running, or
    /// otherwise for one that `start` spawns.
    pub(super) async fn join(
        &self,
        is_due: impl Fn() -> bool,
        start: impl FnOnce() -> JoinHandle<()>,
    ) {
        let mut slot = self.0.lock().await;
        if !is_due() {
            return;
        }
        // A task that has ended belongs to an earlier time.
        let task = match slot.take() {
            Some(running) if !running.is_finished() => running,
            _ => start(),
        };
        // It stays in its slot if this caller gives up.
        let _ = slot.insert(task).await;
        *slot = None;
    }
}
