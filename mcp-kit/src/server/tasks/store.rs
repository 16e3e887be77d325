//! Where tasks are kept, so that their results can be read later and, with a store
//! that replicas share, by another process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::document::abandoned;
use crate::caller::Principal;

/// Keeps the tasks of a server. [`MemoryTasks`](super::MemoryTasks) is the default;
/// [`ServerBuilder::task_store`](crate::server::ServerBuilder::task_store) sets
/// another.
///
/// The server writes the whole state of a task with each change: when the task is
/// created, when it reports progress or asks its client, and when it has ended. A
/// client reads the last state that was written, so a store must not answer with an
/// older one.
///
/// A store must keep its memory within limits of its own, and forget each task after
/// the time with which it was last written. [`StoredTask::limit_key`] identifies the
/// caller that a task counts for, so that one caller cannot take the room of all
/// others. The methods may be cancelled.
///
/// If replicas share a store, `tasks/update` and `tasks/cancel` may reach a process
/// that does not run the task. [`send`](Self::send) and [`receive`](Self::receive)
/// bring them to the one that does; a store for a single process keeps their
/// defaults. A store may also notice that the process of a task has died, and write
/// [`StoredTask::abandoned`] in its place.
#[async_trait]
pub trait TaskStore: Send + Sync + 'static {
    /// Writes a task, in place of its earlier state. Once this returns,
    /// [`get`](Self::get) returns the task for
    /// [`keep_for`](StoredTask::keep_for).
    ///
    /// # Errors
    ///
    /// [`TaskStoreError::Full`] if there is no room, [`TaskStoreError::Unavailable`]
    /// if the store does not answer, [`TaskStoreError::Ended`] if another process has
    /// ended the task.
    async fn put(&self, key: &TaskKey, task: StoredTask) -> Result<(), TaskStoreError>;

    /// Returns a task; `None` if there is none with this key, or its time is over.
    ///
    /// # Errors
    ///
    /// [`TaskStoreError::Unavailable`] if the store does not answer.
    async fn get(&self, key: &TaskKey) -> Result<Option<StoredTask>, TaskStoreError>;

    /// Sends a message to the process that runs a task. Discards it by default.
    ///
    /// # Errors
    ///
    /// [`TaskStoreError`] if the message cannot be kept.
    async fn send(&self, key: &TaskKey, message: TaskMessage) -> Result<(), TaskStoreError> {
        let _ = (key, message);
        Ok(())
    }

    /// Waits for the next message to a task that this process runs. Waits without
    /// end by default.
    async fn receive(&self, key: &TaskKey) -> TaskMessage {
        let _ = key;
        std::future::pending().await
    }
}

/// The key of a task: its server, its principal and its id. The task of another
/// principal is under another key, so it does not exist for a caller that has learned
/// its id. Nor do servers that share a store find each other's tasks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    server: Arc<str>,
    principal: Arc<str>,
    id: Arc<str>,
}

impl TaskKey {
    pub(super) fn new(server: &Arc<str>, principal: &str, id: &str) -> Self {
        Self {
            server: Arc::clone(server),
            principal: principal.into(),
            id: id.into(),
        }
    }

    /// Returns the name of the server, which its replicas share.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the name of the principal that the task belongs to.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// Returns the id of the task: 22 characters of base64url, which cannot be
    /// guessed.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Omits the id, with which the task's client reads its result.
impl fmt::Debug for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskKey")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// The state of a task.
#[derive(Clone)]
pub struct StoredTask {
    record: Arc<Record>,
    keep_for: Duration,
    limit_key: Arc<[u8]>,
}

/// A task's state as JSON.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The task as its client reads it.
    task: Box<RawValue>,
    /// The scopes that a caller must hold to use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    finished: bool,
}

impl StoredTask {
    pub(super) fn new(
        task: Box<RawValue>,
        scopes: Vec<String>,
        finished: bool,
        keep_for: Duration,
        limit_key: Arc<[u8]>,
    ) -> Self {
        let record = Record {
            task,
            scopes,
            finished,
        };
        Self {
            record: Arc::new(record),
            keep_for,
            limit_key,
        }
    }

    /// Returns the bytes that identify the task's caller in limits: the name of its
    /// principal, or the host of a caller without a name. So anonymous callers, which
    /// are one principal, do not take each other's room.
    #[must_use]
    pub fn limit_key(&self) -> &[u8] {
        &self.limit_key
    }

    /// Returns how long the task must be kept, from now.
    #[must_use]
    pub fn keep_for(&self) -> Duration {
        self.keep_for
    }

    /// Whether the task has ended, so that it does not change any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.record.finished
    }

    /// Returns its state as JSON text, for a store outside of the process. It holds
    /// the result of the task.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&*self.record).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) has returned; `None` if it is
    /// something else. The text contains neither [`keep_for`](Self::keep_for) nor
    /// [`limit_key`](Self::limit_key), which are zero and empty here: a store keeps
    /// them itself.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        let record = serde_json::from_str(json).ok()?;
        Some(Self {
            record: Arc::new(record),
            keep_for: Duration::ZERO,
            limit_key: Arc::default(),
        })
    }

    /// Returns the task as one that has failed because the process that ran it has
    /// died; a finished task as it is. The time for which it is kept does not change.
    ///
    /// A store in which [`put`](TaskStore::put) of the other process may still arrive
    /// must refuse it with [`TaskStoreError::Ended`] afterwards, since a client may
    /// have read this end.
    #[must_use]
    pub fn abandoned(&self) -> Self {
        let document = match self.is_finished() {
            false => abandoned(self.document()),
            true => None,
        };
        let Some(task) = document else {
            return self.clone();
        };
        let record = Record {
            task,
            scopes: self.record.scopes.clone(),
            finished: true,
        };
        Self {
            record: Arc::new(record),
            ..self.clone()
        }
    }

    /// Returns the task as its client reads it: a JSON object with members.
    pub(in crate::server) fn document(&self) -> &str {
        self.record.task.get()
    }

    /// Whether a caller holds the scopes of its tool.
    pub(in crate::server) fn may_use(&self, caller: &Principal) -> bool {
        let mut scopes = self.record.scopes.iter();
        scopes.all(|scope| caller.has_scope(scope))
    }

    /// Returns about how many bytes of memory it takes.
    pub(in crate::server) fn size(&self) -> usize {
        let scopes: usize = self.record.scopes.iter().map(String::len).sum();
        self.document().len() + scopes
    }
}

/// Omits the state, which holds the task's result.
impl fmt::Debug for StoredTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredTask")
            .field("is_finished", &self.is_finished())
            .field("keep_for", &self.keep_for)
            .finish_non_exhaustive()
    }
}

/// What a client sends to a task.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskMessage {
    /// The answers to questions of the task, as a JSON object.
    Answers(Box<RawValue>),
    /// The client cancels the task.
    Cancel,
}

/// Omits the answers, which are the client's data.
impl fmt::Debug for TaskMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answers(_) => "Answers(…)",
            Self::Cancel => "Cancel",
        })
    }
}

/// Why a store of tasks has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskStoreError {
    /// There is no room for the task.
    Full,
    /// The store does not answer. The store itself should log the reason.
    Unavailable,
    /// Another process has ended the task, because this one seemed to have died. Its
    /// handler is stopped.
    Ended,
}

impl fmt::Display for TaskStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the store of tasks is full",
            Self::Unavailable => "the store of tasks does not answer",
            Self::Ended => "another process has ended the task",
        })
    }
}

impl std::error::Error for TaskStoreError {}
