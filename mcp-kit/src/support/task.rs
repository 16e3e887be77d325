//! Tokio tasks: spawned in little code, those that end with their owner, and those that
//! several callers wait for.

use std::future::Future;
use std::pin::Pin;

use tokio::runtime::Handle;
#[cfg(feature = "http")]
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Spawns a task on the runtime of the caller.
///
/// It is boxed: otherwise the code by which tokio runs a task is compiled for each type of
/// future, and twice, for the two kinds of runtime: 8 kB in the binary of every server.
/// Tasks that are spawned for one small call are not worth it.
#[cfg(any(feature = "stdio", feature = "testing", feature = "cli"))]
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let boxed: Boxed<T> = Box::pin(future);
    tokio::spawn(boxed)
}

/// Spawns a task on a runtime, as [`spawn`] does.
pub(crate) fn spawn_on(
    runtime: &Handle,
    future: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let boxed: Boxed<()> = Box::pin(future);
    runtime.spawn(boxed)
}

/// A spawned task, which is aborted when this is dropped. Dropping a plain
/// `JoinHandle` leaves its task running.
#[derive(Debug)]
pub(crate) struct AbortOnDrop<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A task of which one runs at a time. It outlives the caller that started it,
/// so a request whose client leaves does not affect the others.
#[cfg(feature = "http")]
#[derive(Default)]
pub(crate) struct Flight(Mutex<Option<JoinHandle<()>>>);

#[cfg(feature = "http")]
impl Flight {
    /// Waits until `is_due` returns false: for the task that is running, or
    /// otherwise for one that `start` spawns.
    pub(crate) async fn join(
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
