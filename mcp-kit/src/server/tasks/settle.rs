//! Writes the ends of tasks to the store. A store that does not answer is asked again
//! until it does, since a task whose end is lost reads "working" until it expires.
//!
//! Meanwhile the end is kept in this process, whose clients read it. The handler has
//! ended, so no permit of its tool is held.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::store::TaskStoreError;
use super::task::Task;
use crate::limits::Limits;
use crate::server::ServerInner;

/// The wait between the first two attempts.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The bytes that an end counts for in addition to its state.
const PER_END: usize = 1_024;

/// The waits between attempts to write to a store.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST_WAIT)
    }

    /// Returns the next wait.
    pub(super) fn next(&mut self) -> Duration {
        let next = (self.0 * 2).min(LONGEST_WAIT);
        std::mem::replace(&mut self.0, next)
    }
}

/// Writes the end of a task, and forgets the task in this process.
pub(super) async fn settle(server: &ServerInner, task: &Task) {
    if let Err(error) = task.publish(server.tasks.store()).await {
        tracing::error!(
            target: "mcp_kit::tasks",
            %error,
            "the end of a task could not be stored"
        );
        // If another process has ended the task, its client may have read that.
        if error != TaskStoreError::Ended {
            let lost = tokio::select! {
                kept = keep_trying(server, task, error) => kept.err(),
                lost = gives_up(server, task) => Some(lost),
            };
            if let Some(why) = lost {
                tracing::error!(target: "mcp_kit::tasks", "the end of a task is lost: {why}");
            }
        }
    }
    server.tasks.remove(task);
}

/// Tries until the store has an end of the task. Returns why it does not try if there is
/// no room to keep the end.
async fn keep_trying(
    server: &ServerInner,
    task: &Task,
    error: TaskStoreError,
) -> Result<(), &'static str> {
    let budget = server.tasks.unstored_ends();
    let claim = |task: &Task| budget.claim(task.limit_key(), task.stored().size() + PER_END);
    let mut held = match error {
        // The result itself is too large for what is left.
        TaskStoreError::Full => None,
        _ => claim(task),
    };
    if held.is_none() {
        task.replace_result();
        held = claim(task);
        if held.is_none() {
            return Err(NO_ROOM);
        }
    }
    let result_ends = task.result_ends(Instant::now());
    let mut waits = Backoff::new();
    loop {
        wait(server, waits.next()).await;
        if Instant::now() >= result_ends && task.replace_result() {
            drop(held.take());
            held = claim(task);
        }
        match task.publish(server.tasks.store()).await {
            Ok(()) | Err(TaskStoreError::Ended) => return Ok(()),
            Err(TaskStoreError::Full) => {
                task.replace_result();
            }
            Err(TaskStoreError::Unavailable) => {}
        }
    }
}

/// Waits for the next attempt; less if the server begins to drain, or drains, since
/// there is little time left.
async fn wait(server: &ServerInner, time: Duration) {
    if !server.drain.is_draining() {
        let started = timeout(time, server.drain.started()).await;
        if started.is_err() {
            return;
        }
    }
    sleep(time.min(FIRST_WAIT)).await;
}

const NO_ROOM: &str =
    "64 MiB of ends, or 16 MiB of those of its caller, already wait for the task store";

/// Waits until no attempt is made any more, and returns why: the store has forgotten the
/// task, or the server has had its time to drain.
async fn gives_up(server: &ServerInner, task: &Task) -> &'static str {
    let time = server.limits.drain_time.min(Limits::LONGEST_TIME);
    let drained = async {
        server.drain.started().await;
        sleep(time).await;
    };
    let closed = async {
        server.tasks.closing().await;
        sleep(time).await;
    };
    tokio::select! {
        () = sleep_until(task.forgotten_at()) => "the task store did not take it until it expired",
        () = drained => "the task store did not take it until the server had drained",
        () = closed => "the task store did not take it until the server had drained",
    }
}
