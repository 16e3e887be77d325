//! Tasks (extension `io.modelcontextprotocol/tasks`, for 2026-07-28): calls of tools
//! whose clients receive a handle and ask for the result later.
//!
//! ```text
//!  tools/call ─► StartTask ─ begin ─► Task ◄─ watch ── time, drain, messages
//!                    │                 │ ▲
//!        a new task ◄┘       publish   ▼ │ update, cancel
//!                                   TaskStore ─► tasks/get
//! ```
//!
//! The process that runs a task has its [`Task`]; every change of it is written to
//! the [`TaskStore`], where any process finds it. Requests for a task that this process
//! runs do not need the store.

mod code;
mod document;
mod known;
mod memory;
mod methods;
mod place;
#[cfg(feature = "redis")]
mod redis;
mod run;
mod settle;
mod start;
mod store;
mod task;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

pub use memory::MemoryTasks;
#[cfg(feature = "redis")]
pub use redis::RedisTasks;
pub use store::{StoredTask, TaskKey, TaskMessage, TaskStore, TaskStoreError};

pub(super) use code::TaskMethod;
pub(super) use document::POLL_INTERVAL;
pub(super) use known::KnownTask;

use super::dispatch::Ask;
use super::{Limits, ServerInner};
use crate::call::{CallContext, Error, Target, Work};
use crate::caller::Principal;
use crate::limits::CallerBudget;
use crate::protocol::{ClientCapabilities, ClientCapability, Era, RpcError};
use crate::support::lock::Lock;
use crate::support::random;
use place::Places;
use task::{Task, TaskLimits};

/// The tasks of a server.
pub(crate) struct Tasks {
    /// The name of the server.
    server: Arc<str>,
    /// Made when it is first used, unless the author has set one.
    store: OnceLock<Arc<dyn TaskStore>>,
    places: Places,
    unread_ends: Arc<CallerBudget>,
    unstored_ends: Arc<CallerBudget>,
    running: Lock<Running>,
    /// A task has ended, or its end was read.
    settled: Notify,
    closing: Closing,
    /// What requests about tasks call.
    target: Arc<Target>,
}

/// The tasks that this process runs.
#[derive(Default)]
struct Running {
    tasks: HashMap<TaskKey, Arc<Task>>,
    /// Those that ended while the server drained, until a client has read their end.
    unread: HashSet<TaskKey>,
}

/// The most bytes of ended tasks that are kept for followers that do not read.
const MOST_UNREAD_ENDS: usize = 16 << 20;

/// The most bytes of ended tasks that wait for a store that does not answer.
const MOST_UNSTORED_ENDS: usize = 64 << 20;

/// Whether all tasks must end at once.
#[derive(Default)]
struct Closing {
    is_set: std::sync::atomic::AtomicBool,
    set: Notify,
}

/// How long clients may take to read the ends of their tasks, before the drain time is
/// over.
fn last_reads(drain_time: Duration) -> Duration {
    (drain_time / 2).min(Duration::from_secs(2))
}

impl Tasks {
    pub(super) fn new(server: &str, store: Option<Arc<dyn TaskStore>>, limits: &Limits) -> Self {
        Self {
            server: server.into(),
            store: store.map(OnceLock::from).unwrap_or_default(),
            places: Places::new(limits.tasks_per_principal),
            unread_ends: CallerBudget::new(MOST_UNREAD_ENDS),
            unstored_ends: CallerBudget::new(MOST_UNSTORED_ENDS),
            running: Lock::default(),
            settled: Notify::new(),
            closing: Closing::default(),
            target: Arc::new(methods::target(limits)),
        }
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    fn store(&self) -> &dyn TaskStore {
        &**self.owned_store()
    }

    fn owned_store(&self) -> &Arc<dyn TaskStore> {
        (self.store).get_or_init(|| Arc::new(MemoryTasks::default()))
    }

    /// Returns the store, for code that outlives its request.
    pub(super) fn shared_store(&self) -> Arc<dyn TaskStore> {
        Arc::clone(self.owned_store())
    }

    /// Returns the budget of ended tasks whose followers have not read the end.
    pub(super) fn unread_ends(&self) -> &Arc<CallerBudget> {
        &self.unread_ends
    }

    /// Returns the budget of ended tasks whose store does not answer.
    fn unstored_ends(&self) -> &Arc<CallerBudget> {
        &self.unstored_ends
    }

    /// Returns the key of a task of a caller.
    pub(super) fn key(&self, caller: &Principal, id: &str) -> TaskKey {
        TaskKey::new(&self.server, caller.name(), id)
    }

    /// Creates the task of a call.
    fn create(&self, limits: &Limits, call: &CallContext) -> Result<Arc<Task>, Error> {
        let id = random::id().ok_or_else(|| Error::internal("the system has no randomness"))?;
        let key = self.key(&call.principal, &URL_SAFE_NO_PAD.encode(id));
        let scopes = call.target.info.scopes().map(str::to_owned).collect();
        let limits = TaskLimits {
            time: call.target.timeout,
            kept: limits.finished_task_time.min(Limits::LONGEST_TIME),
            question_time: limits.question_time.min(Limits::LONGEST_TIME),
            questions: limits.questions_per_call,
        };
        let limit_key = call.principal.limit_key().into();
        let task = Task::new(key.clone(), scopes, limit_key, limits);
        let task = Arc::new(task);
        self.running.lock().tasks.insert(key, Arc::clone(&task));
        Ok(task)
    }

    /// Finds a task, in this process or in the store.
    pub(super) async fn find(&self, key: &TaskKey) -> Result<Option<KnownTask>, TaskStoreError> {
        if let Some(task) = self.running(key) {
            return Ok(Some(KnownTask::Here(task)));
        }
        let found = self.store().get(key).await?;
        Ok(found.map(KnownTask::Elsewhere))
    }

    /// Returns a task that this process runs.
    pub(super) fn running(&self, key: &TaskKey) -> Option<Arc<Task>> {
        self.running.lock().tasks.get(key).cloned()
    }

    /// Forgets a task that has ended, whose state is in the store.
    fn remove(&self, task: &Task) {
        self.running.lock().tasks.remove(&task.key);
        self.settled.notify_waiters();
    }

    /// Notes that a task has ended because the server drains.
    fn owe(&self, key: &TaskKey) {
        self.running.lock().unread.insert(key.clone());
    }

    /// Notes that a client has read the end of a task.
    fn was_read(&self, key: &TaskKey) {
        if self.running.lock().unread.remove(key) {
            self.settled.notify_waiters();
        }
    }

    /// Waits until all tasks must end at once.
    async fn closing(&self) {
        let closing = self.closing.set.notified();
        tokio::pin!(closing);
        closing.as_mut().enable();
        if !self
            .closing
            .is_set
            .load(std::sync::atomic::Ordering::Acquire)
        {
            closing.await;
        }
    }

    /// Ends all tasks at once: no client can reach them any more. Waits until the
    /// store has their ends, but not longer than `until`.
    #[cfg(feature = "stdio")]
    pub(crate) async fn close(&self, until: Instant) {
        (self.closing.is_set).store(true, std::sync::atomic::Ordering::Release);
        self.closing.set.notify_waiters();
        let _ = timeout_at(until, self.settled(|running| running.tasks.is_empty())).await;
    }

    /// Waits while the server drains, until its tasks have ended and their clients
    /// have read how, but not longer than `until`.
    pub(crate) async fn drained(&self, until: Instant) {
        let is_done = |running: &Running| running.tasks.is_empty() && running.unread.is_empty();
        let _ = timeout_at(until, self.settled(is_done)).await;
    }

    async fn settled(&self, is_done: impl Fn(&Running) -> bool) {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // Registered before the look, so that an end in between is not missed.
            settled.as_mut().enable();
            if is_done(&self.running.lock()) {
                return;
            }
            settled.await;
        }
    }
}

impl ServerInner {
    /// Returns the work of a call that may become a task, if it may.
    pub(super) fn task_of(
        self: &Arc<Self>,
        target: &Target,
        ask: &Ask<'_, '_>,
    ) -> Result<Option<Box<dyn Work>>, RpcError> {
        let Some(task) = target.task.as_deref().filter(|_| ask.era == Era::Modern) else {
            return Ok(None);
        };
        let is_declared = ask.declares(ClientCapability::Tasks);
        if !is_declared && !task.is_required {
            return Ok(None);
        }
        let code = code::of(task.code)?;
        Ok(Some((code.start)(self, task, is_declared)))
    }
}

impl Ask<'_, '_> {
    /// Whether the client of this request has declared a capability with it.
    pub(super) fn declares(&self, capability: ClientCapability) -> bool {
        let declared = self.meta.client_capabilities;
        declared.is_some_and(|json| ClientCapabilities::from_json(json.get()).has(capability))
    }
}
