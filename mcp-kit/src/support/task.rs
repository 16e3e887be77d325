//! Tokio tasks: spawned in little code, those that end with their owner, and those that
//! several callers wait for.

use std::future::Future;
use std::pin::Pin;

use tokio::runtime::Handle;
#[cfg(feature = "cli")]
use tokio::runtime::Runtime;
#[cfg(feature = "http")]
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Spawns a task on the runtime of the caller.
///
/// It is boxed, and has no result: otherwise the code by which tokio runs a task is compiled
/// for each type of future, and twice, for the two kinds of runtime: 8 kB in the binary of
/// every server.
#[cfg(any(feature = "stdio", feature = "testing", feature = "cli"))]
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    spawn_boxed(&Handle::current(), Box::pin(future))
}

/// Spawns a task on a runtime, as [`spawn`] does.
pub(crate) fn spawn_on(
    runtime: &Handle,
    future: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    spawn_boxed(runtime, Box::pin(future))
}

/// Not inlined: a copy in the crate of a server would bring all of tokio's code for it
/// along.
#[inline(never)]
fn spawn_boxed(runtime: &Handle, future: Boxed) -> JoinHandle<()> {
    runtime.spawn(future)
}

/// Runs a future on a runtime, on this thread. Like [`spawn`], it is compiled once for all
/// futures.
#[cfg(feature = "cli")]
#[inline(never)]
pub(crate) fn block_on(runtime: &Runtime, future: Pin<&mut dyn Future<Output = ()>>) {
    runtime.block_on(future);
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
