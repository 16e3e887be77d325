//! Tasks in Redis or Valkey, which the replicas of a server share.
//!
//! ```text
//!  tasks/get, on any replica ──────── get ──► task (a hash, expires)
//!  tasks/update, on another replica ─ send ─► inbox of the process that runs the task
//!                                              │ poll, 4 a second while tasks run
//!  the process that runs the task ◄────────────┘ and renews its lease
//! ```
//!
//! A process has one inbox and one lease for all its tasks, so the requests to the
//! store do not grow with their number. A task whose process has lost its lease has
//! failed, for every reader alike (`abandon.lua`).

mod inbox;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::{FromRedisValue, Script, ScriptInvocation};

use super::document::millis;
use super::store::{StoredTask, TaskKey, TaskMessage, TaskStore, TaskStoreError};
use crate::limits::{Limits, RedisLimits};
use crate::support::random;
use inbox::Inbox;

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("put.lua")));
static GET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("get.lua")));
static ABANDON: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("abandon.lua")));
static SEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("send.lua")));
static POLL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("poll.lua")));

/// How long a request to the store may take, unless the operator has set more.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The most tasks of one caller.
const MOST_TASKS: usize = 1_000;

/// The most bytes of the states of one caller's tasks.
const MOST_BYTES: usize = 64 << 20;

/// The most bytes of messages to one process.
const MOST_INBOX_BYTES: usize = 16 << 20;

/// The most bytes of messages to the tasks of one caller. One without a message may have
/// one of any size.
const MOST_CALLER_BYTES: usize = MOST_INBOX_BYTES / 4;

/// The most bytes of messages to one task. One without a message may have one of any size.
const MOST_TASK_BYTES: usize = MOST_CALLER_BYTES / 4;

/// The most messages to the tasks of one caller.
const MOST_CALLER_MESSAGES: usize = 1_024;

/// The most messages to one task.
const MOST_TASK_MESSAGES: usize = 256;

/// How long a process may take to read its messages.
const INBOX_TIME: Duration = Duration::from_secs(600);

/// Keeps tasks in one Redis or Valkey, so that every replica finds them and results
/// survive the process that ran them; set with
/// [`ServerBuilder::task_store`](crate::server::ServerBuilder::task_store). Requires
/// the feature `redis`.
///
/// A task runs in the process that created it. Another replica answers `tasks/get`
/// from the store, and passes on what `tasks/update` and `tasks/cancel` bring: the
/// process of the task reads it within 250 ms.
///
/// If a process dies, `tasks/get` reports its tasks as failed once its lease has
/// expired ([`lease`](Self::lease), 30 seconds by default).
///
/// Each caller may have 1,000 tasks with 64 MiB of states and results in the store;
/// above these limits, its finished tasks that expire first are removed. Limit the store's own memory with `maxmemory`, under the policy `noeviction`.
///
/// The names of keys are digests, and every key expires. The states of tasks, with
/// their questions and results, are stored unencrypted: keep the store in a private
/// network.
///
/// ```
/// use mcp_kit::limits::RedisLimits;
/// use mcp_kit::server::RedisTasks;
///
/// let shared = RedisLimits::new("redis://127.0.0.1:6379")?;
/// let server = mcp_kit::Server::builder("search", "1.0.0")
///     .shared_limits(shared.clone())
///     .task_store(RedisTasks::new(shared))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RedisTasks {
    process: Arc<Process>,
    lease: Duration,
}

/// What the tasks of this process share.
struct Process {
    store: RedisLimits,
    /// Its name in the store, which changes with each start.
    id: String,
    inbox: Inbox,
}

/// The answer of the store cannot be used, or there is none.
impl From<crate::limits::StoreUnavailable> for TaskStoreError {
    fn from(_: crate::limits::StoreUnavailable) -> Self {
        Self::Unavailable
    }
}

impl RedisTasks {
    /// Keeps tasks in the store of these limits, over a connection of their own and
    /// with the same prefix of keys. Does not connect yet.
    ///
    /// A request to the store may take 2 seconds, or the
    /// [`timeout`](RedisLimits::timeout) of the limits if that is longer. While the
    /// store does not answer, no task begins; whether the limits
    /// [`fail_open`](RedisLimits::fail_open) makes no difference.
    #[must_use]
    pub fn new(store: RedisLimits) -> Self {
        let id = random::id().unwrap_or_default();
        Self {
            process: Arc::new(Process {
                store: store.apart(TIMEOUT),
                id: URL_SAFE_NO_PAD.encode(id),
                inbox: Inbox::default(),
            }),
            lease: Duration::from_secs(30),
        }
    }

    /// Sets after how long without a sign of life the tasks of a process have failed;
    /// 30 seconds. At least 2 seconds: a process that runs tasks renews its lease four
    /// times a second, unless the store does not answer or its runtime is blocked.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.clamp(Duration::from_secs(2), Limits::LONGEST_TIME);
        self
    }
}

impl Process {
    fn task(&self, key: &TaskKey) -> String {
        let parts = [key.server(), key.principal(), key.id()];
        self.store.key_of("task", &parts.map(str::as_bytes))
    }

    /// Returns the name of something that a caller has once.
    fn of_caller(&self, kind: &str, key: &TaskKey, task: &StoredTask) -> String {
        let parts = [key.server().as_bytes(), task.limit_key()];
        self.store.key_of(kind, &parts)
    }

    /// Returns the beginning of the names of something that each process has once.
    fn of_processes(&self, kind: &str) -> String {
        format!("{}task-{kind}:", self.store.prefix())
    }

    fn of_this(&self, kind: &str) -> String {
        self.of_processes(kind) + &self.id
    }

    async fn ask<T: FromRedisValue>(
        &self,
        question: &ScriptInvocation<'_>,
    ) -> Result<T, TaskStoreError> {
        let asking = self
            .store
            .ask(|mut store| async move { question.invoke_async(&mut store).await });
        Ok(asking.await?)
    }

    async fn write(
        &self,
        key: &TaskKey,
        task: &StoredTask,
        lease: Duration,
    ) -> Result<(), TaskStoreError> {
        let mut putting = PUT.key(self.task(key));
        for kind in ["tasks-unfinished", "tasks-finished", "tasks-bytes"] {
            putting.key(self.of_caller(kind, key, task));
        }
        putting
            .key(self.of_this("lease"))
            .arg(&self.id)
            .arg(u8::from(task.is_finished()))
            .arg(task.to_json())
            .arg(millis(task.keep_for().min(Limits::LONGEST_TIME)).max(1))
            .arg(millis(lease))
            .arg(MOST_TASKS)
            .arg(MOST_BYTES);
        let outcome: String = self.ask(&putting).await?;
        match &*outcome {
            "written" => Ok(()),
            "full" => Err(TaskStoreError::Full),
            _ => Err(TaskStoreError::Ended),
        }
    }
}

#[async_trait]
impl TaskStore for RedisTasks {
    async fn put(&self, key: &TaskKey, task: StoredTask) -> Result<(), TaskStoreError> {
        let name = self.process.task(key);
        if !task.is_finished() {
            Inbox::open(&self.process, name, &task, self.lease);
            return self.process.write(key, &task, self.lease).await;
        }
        let written = self.process.write(key, &task, self.lease).await;
        // Until its end is written the lease is renewed, so that no reader ends it.
        if matches!(written, Ok(()) | Err(TaskStoreError::Ended)) {
            self.process.inbox.close(&name);
        }
        written
    }

    async fn get(&self, key: &TaskKey) -> Result<Option<StoredTask>, TaskStoreError> {
        let process = &self.process;
        let (name, leases) = (process.task(key), process.of_processes("lease"));
        let mut getting = GET.key(&name);
        getting.arg(&leases);
        let found: Option<(String, bool)> = process.ask(&getting).await?;
        let Some((state, is_lost)) = found else {
            return Ok(None);
        };
        let task = StoredTask::from_json(&state);
        let Some(task) = task.filter(|_| is_lost) else {
            return Ok(StoredTask::from_json(&state));
        };
        let mut abandoning = ABANDON.key(&name);
        abandoning.arg(&leases).arg(task.abandoned().to_json());
        let state: Option<String> = process.ask(&abandoning).await?;
        Ok(state.as_deref().and_then(StoredTask::from_json))
    }

    async fn send(&self, key: &TaskKey, message: TaskMessage) -> Result<(), TaskStoreError> {
        let process = &self.process;
        let name = process.task(key);
        let is_cancellation = matches!(message, TaskMessage::Cancel);
        let mut sending = SEND.key(&name);
        for kind in ["lease", "inbox", "inbox-state"] {
            sending.arg(process.of_processes(kind));
        }
        sending
            .arg(inbox::to_text(name, message))
            .arg(millis(INBOX_TIME))
            .arg(MOST_INBOX_BYTES)
            .arg(MOST_CALLER_BYTES)
            .arg(MOST_CALLER_MESSAGES)
            .arg(MOST_TASK_BYTES)
            .arg(MOST_TASK_MESSAGES)
            .arg(u8::from(is_cancellation));
        let outcome: String = process.ask(&sending).await?;
        match &*outcome {
            "full" => Err(TaskStoreError::Full),
            // A task that has ended ignores messages.
            _ => Ok(()),
        }
    }

    async fn receive(&self, key: &TaskKey) -> TaskMessage {
        self.process.inbox.receive(&self.process.task(key)).await
    }
}

/// Omits the store's URL, which has credentials.
impl fmt::Debug for RedisTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTasks")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
