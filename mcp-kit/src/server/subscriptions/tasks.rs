//! The tasks that a subscription follows (`notifications/tasks`, of the extension).
//!
//! A task is due when it has changed since the client was notified. Its state is read
//! when the notification is written, so a client that reads slowly receives the latest
//! one. The end of a task is its last notification.
//!
//! A task that this process runs announces its changes. The store is asked for those
//! of other tasks, as often as a client would ask.

use std::any::Any;
use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};

use tokio::time::sleep;

use super::Subscription;
use super::feed::{Feed, Followed};
use super::notifications::task_changed;
use crate::caller::Principal;
use crate::limits::{ByteBudget, Claim};
use crate::protocol::RequestId;
use crate::server::ServerInner;
use crate::server::tasks::{KnownTask, POLL_INTERVAL, StoredTask, TaskKey, TaskStore};

/// The tasks that a client asked to follow and may follow. The server reaches this module
/// by this trait and the next, and by the code of tasks, so that a program without tasks
/// does not contain it.
pub(in crate::server) trait FoundTasks: Send + Sync {
    fn ids(&self) -> Vec<&str>;

    fn add(&mut self, task: FollowedTask);

    /// Follows them for the subscription with this id.
    fn follow(self: Box<Self>, feed: &Feed, id: &RequestId);
}

/// The notifications about the tasks of one subscription.
pub(super) trait TaskNotices: Any + Send {
    fn is_due(&self) -> bool;

    /// Writes the notification of a task that is due; returns whether there was one.
    fn take(&mut self, caller: &Principal, id: Option<&RequestId>, out: &mut Vec<u8>) -> bool;
}

/// The tasks that were found for one subscription.
struct Found {
    tasks: Vec<FollowedTask>,
    store: Arc<dyn TaskStore>,
}

/// The tasks of one subscription that have not ended for its client.
struct FollowedTasks(Vec<FollowedTask>);

/// A task that the client may follow.
pub(in crate::server) struct FollowedTask {
    key: TaskKey,
    task: KnownTask,
    is_due: bool,
    /// The bytes of its state, if only the follower keeps it: it has ended, or runs in
    /// another process.
    held: Option<Claim>,
}

impl FollowedTask {
    /// Returns nothing if there is no room for its state. Its client can still ask
    /// for it.
    fn new(key: TaskKey, task: KnownTask, room: &Arc<ByteBudget>) -> Option<Self> {
        let mut followed = Self {
            key,
            task,
            // The client reads the present state first, so it misses no change.
            is_due: true,
            held: None,
        };
        followed.hold(room).then_some(followed)
    }

    /// Holds the bytes of its state; returns whether there is room for them.
    fn hold(&mut self, room: &Arc<ByteBudget>) -> bool {
        self.held = None;
        if self.task.has_own_state() {
            self.held = room.claim(self.task.state().size());
            return self.held.is_some();
        }
        true
    }
}

impl FollowedTasks {
    /// Makes a task due.
    fn make_due(&mut self, at: usize, room: &Arc<ByteBudget>) {
        let followed = &mut self.0[at];
        followed.is_due = true;
        if !followed.hold(room) {
            self.0.swap_remove(at);
        }
    }

    fn find(&self, key: &TaskKey) -> Option<usize> {
        self.0.iter().position(|one| one.key == *key)
    }
}

impl TaskNotices for FollowedTasks {
    fn is_due(&self) -> bool {
        self.0.iter().any(|followed| followed.is_due)
    }

    fn take(&mut self, caller: &Principal, id: Option<&RequestId>, out: &mut Vec<u8>) -> bool {
        while let Some(at) = self.0.iter().position(|followed| followed.is_due) {
            let followed = &mut self.0[at];
            followed.is_due = false;
            let state = followed.task.state();
            if state.is_finished() {
                self.0.swap_remove(at);
            }
            if state.may_use(caller) {
                task_changed(out, &state, id);
                return true;
            }
        }
        false
    }
}

impl FoundTasks for Found {
    fn ids(&self) -> Vec<&str> {
        self.tasks.iter().map(|task| task.key.id()).collect()
    }

    fn add(&mut self, task: FollowedTask) {
        self.tasks.push(task);
    }

    fn follow(self: Box<Self>, feed: &Feed, id: &RequestId) {
        let Self { tasks, store } = *self;
        if tasks.is_empty() {
            return;
        }
        let known: Vec<_> = tasks.iter().map(|followed| followed.task.clone()).collect();
        {
            let mut state = feed.lock();
            state.followed(Some(id)).tasks = Some(Box::new(FollowedTasks(tasks)));
            feed.tell(state);
        }
        for task in &known {
            task.follow(&feed.this);
        }
        if known.iter().any(KnownTask::runs_elsewhere) {
            tokio::spawn(follow_elsewhere(Weak::clone(&feed.this), store, id.clone()));
        }
    }
}

impl Followed {
    fn tasks(&mut self) -> Option<&mut FollowedTasks> {
        let tasks: &mut dyn Any = self.tasks.as_deref_mut()?;
        tasks.downcast_mut()
    }
}

impl Feed {
    /// Follows the tasks of a subscription that was added.
    pub(super) fn follow_tasks(&self, subscription: &mut Subscription) {
        if let Some(found) = subscription.tasks.take() {
            found.follow(self, &subscription.id);
        }
    }

    /// A task that this process runs has changed.
    pub(in crate::server) fn task_changed(&self, key: &TaskKey) {
        let mut state = self.lock();
        for followed in &mut state.followed {
            if let Some(tasks) = followed.tasks()
                && let Some(at) = tasks.find(key)
            {
                tasks.make_due(at, &self.unread_ends);
            }
        }
        self.tell(state);
    }

    /// Returns the tasks of a subscription that run in other processes.
    fn elsewhere(&self, id: &RequestId) -> Vec<TaskKey> {
        let mut state = self.lock();
        let mut followed = state.followed.iter_mut();
        let followed = followed.find(|followed| followed.id.as_ref() == Some(id));
        let tasks = followed.and_then(Followed::tasks);
        let tasks = tasks.iter().flat_map(|tasks| &tasks.0);
        let tasks = tasks.filter(|followed| followed.task.runs_elsewhere());
        tasks.map(|followed| followed.key.clone()).collect()
    }

    /// The store has a task of a subscription in this state, or no more.
    fn was_found(&self, id: &RequestId, key: &TaskKey, found: Option<StoredTask>) {
        let mut state = self.lock();
        let mut followed = state.followed.iter_mut();
        let followed = followed.find(|followed| followed.id.as_ref() == Some(id));
        let Some(tasks) = followed.and_then(Followed::tasks) else {
            return;
        };
        let Some(at) = tasks.find(key) else {
            return;
        };
        match found {
            None => {
                tasks.0.swap_remove(at);
            }
            Some(found) if found.document() == tasks.0[at].task.state().document() => {}
            Some(found) => {
                tasks.0[at].task = KnownTask::Elsewhere(found);
                tasks.make_due(at, &self.unread_ends);
            }
        }
        self.tell(state);
    }
}

/// Asks the store for the tasks of a subscription, until they have ended.
async fn follow_elsewhere(feed: Weak<Feed>, store: Arc<dyn TaskStore>, id: RequestId) {
    loop {
        sleep(POLL_INTERVAL).await;
        let keys = feed.upgrade().map(|feed| feed.elsewhere(&id));
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
            return;
        };
        for key in keys {
            let found = store.get(&key).await;
            if let (Ok(found), Some(feed)) = (found, feed.upgrade()) {
                feed.was_found(&id, &key, found);
            }
        }
    }
}

impl Subscription {
    /// Finds the tasks that the client asked for: those of its own that exist. Others
    /// are omitted from the acknowledgement, like those that do not exist.
    pub(crate) async fn find_tasks(&mut self, server: &ServerInner, caller: &Principal) {
        if !self.task_ids.is_empty()
            && let Some(code) = server.task_code()
        {
            (code.find)(&mut self.tasks, server, caller, &self.task_ids).await;
        }
    }

    /// Finds the tasks that can be found without waiting: those that this process
    /// runs, as all tasks of a client over streams, and those in memory.
    pub(crate) fn find_tasks_now(&mut self, server: &ServerInner, caller: &Principal) {
        let mut finding = pin!(self.find_tasks(server, caller));
        let mut cx = Context::from_waker(Waker::noop());
        let _ = finding.as_mut().poll(&mut cx);
    }
}

/// Adds those of the tasks with these ids that exist and are the caller's.
pub(in crate::server) async fn find_tasks(
    found: &mut Option<Box<dyn FoundTasks>>,
    server: &ServerInner,
    caller: &Principal,
    ids: &[Box<str>],
) {
    let found = found.insert(Box::new(Found {
        tasks: Vec::new(),
        store: server.tasks.shared_store(),
    }));
    let keys = ids.iter().map(|id| server.tasks.key(caller, id));
    // Those that run here first, which takes no time.
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        keys.partition(|key| server.tasks.running(key).is_some());
    for key in here.into_iter().chain(elsewhere) {
        // What cannot be found now is not followed.
        if let Ok(Some(task)) = server.tasks.find(&key).await
            && task.state().may_use(caller)
            && let Some(task) = FollowedTask::new(key, task, server.tasks.unread_ends())
        {
            found.add(task);
        }
    }
}
