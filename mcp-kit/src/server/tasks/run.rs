//! Runs a task: its handler in one task of the runtime, and its time, its messages
//! and the end of the server in another, so that a handler that blocks its thread
//! delays none of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::settle::{Backoff, settle};
use super::store::TaskStoreError;
use super::task::{End, Task};
use crate::call::{Concluded, Due, Pending, Refusal, Running};
use crate::limits::Limits;
use crate::server::ServerInner;

/// Runs a task that has begun, to its end.
pub(super) fn start(
    server: &Arc<ServerInner>,
    task: Arc<Task>,
    pending: Pending,
    running: Running,
) {
    let handler = Handler(tokio::spawn(running.conclude()));
    let server = Arc::clone(server);
    tokio::spawn(async move {
        watch(&server, &task, pending, handler).await;
        settle(&server, &task).await;
    });
}

/// Writes the end of a task that never ran.
pub(super) fn forget(server: &Arc<ServerInner>, task: &Arc<Task>) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            let (server, task) = (Arc::clone(server), Arc::clone(task));
            runtime.spawn(async move { settle(&server, &task).await });
        }
        Err(_) => server.tasks.remove(task),
    }
}

/// Ends a task that the store did not take when it was created. No client knows it, so
/// its end is written once at most, in case that the store has it nevertheless.
pub(super) fn withdraw(server: &Arc<ServerInner>, task: &Arc<Task>, error: TaskStoreError) {
    task.end(End::Cancelled);
    server.tasks.remove(task);
    if error == TaskStoreError::Unavailable {
        let (server, task) = (Arc::clone(server), Arc::clone(task));
        tokio::spawn(async move {
            let _ = task.publish(server.tasks.store()).await;
        });
    }
}

/// The handler of a task, which ends with this.
struct Handler(JoinHandle<Option<Concluded>>);

impl Drop for Handler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Watches a task until it has ended, and stops its handler.
async fn watch(server: &Arc<ServerInner>, task: &Task, pending: Pending, mut handler: Handler) {
    let store = server.tasks.store();
    let mut messages = store.receive(&task.key);
    let mut server_ends = Box::pin(server_ends(server));
    let mut due = Box::pin(sleep_until(pending.due(Instant::now())));
    // The store has an older state, and is asked again later.
    let mut is_behind = false;
    let mut waits = Backoff::new();
    let mut again = Box::pin(sleep(Duration::ZERO));
    loop {
        let mut publish = false;
        tokio::select! {
            biased;
            concluded = &mut handler.0 => {
                match concluded {
                    Ok(Some(concluded)) => {
                        if server.drain.is_draining() {
                            server.tasks.owe(&task.key);
                        }
                        task.end(End::With(concluded))
                    }
                    // It panicked outside of the handler.
                    _ => refuse(task, &pending, Refusal::Lost),
                };
                return;
            }
            () = task.stopped.notified() => break,
            () = &mut server_ends => {
                server.tasks.owe(&task.key);
                refuse(task, &pending, Refusal::ShuttingDown);
                break;
            }
            () = &mut due => match pending.expire(Instant::now()) {
                Due::Later(at) => due.as_mut().reset(at),
                Due::Ended(ended) => {
                    task.end(End::With(ended.conclude(Refusal::TimedOut)));
                    break;
                }
                // The handler's end is on its way.
                Due::HasEnded => due.as_mut().reset(Instant::now() + Limits::LONGEST_TIME),
            },
            message = &mut messages => {
                task.receive(&message);
                messages = store.receive(&task.key);
            }
            // While the store does not answer, it is asked less often.
            () = task.changed.notified() => publish = !is_behind,
            () = &mut again, if is_behind => publish = true,
        }
        if publish {
            match task.publish(store).await {
                Ok(()) => {
                    is_behind = false;
                    waits = Backoff::new();
                }
                Err(TaskStoreError::Ended) => {
                    task.end(End::Cancelled);
                    break;
                }
                Err(TaskStoreError::Full | TaskStoreError::Unavailable) => {
                    is_behind = true;
                    again.as_mut().reset(Instant::now() + waits.next());
                }
            }
        }
    }
    // The handler's future is dropped where it runs, and its observers are notified
    // there, unless its end was reported already.
    handler.0.abort();
    if let Some(ended) = pending.end() {
        ended.cancel();
    }
}

/// Ends a task that runs no more with a refusal.
fn refuse(task: &Task, pending: &Pending, why: Refusal) -> bool {
    match pending.end() {
        Some(ended) => task.end(End::With(ended.conclude(why))),
        None => task.end(End::With(pending.conclude_lost())),
    }
}

/// Waits until the tasks of a server must end: shortly before its drain time is over,
/// so that their clients can still read how they ended.
async fn server_ends(server: &ServerInner) {
    let time = server.limits.drain_time.min(Limits::LONGEST_TIME);
    let drained = async {
        server.drain.started().await;
        sleep(time - super::last_reads(time)).await;
    };
    tokio::select! {
        () = drained => {}
        () = server.tasks.closing() => {}
    }
}
