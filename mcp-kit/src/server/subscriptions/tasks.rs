//! The tasks that a subscription follows (`notifications/tasks`, of the extension).
//!
//! A task is due when it has changed since the client was notified. Its state is read
//! when the notification is written, so a client that reads slowly receives the latest
//! one. The end of a task is its last notification.
//!
//! A task that this process runs announces its changes. The store is asked for those
//! of other tasks, as often as a client would ask.
//!
//! The states that only followers keep are limited for each caller. One without room
//! is not kept: the store is asked again, until the client has read others.

use std::any::Any;
use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::Subscription;
use super::feed::{Feed, Followed, State};
use super::notifications::task_changed;
use crate::caller::Principal;
use crate::limits::{CallerBudget, CallerClaim};
use crate::protocol::RequestId;
use crate::server::ServerInner;
use crate::server::tasks::{KnownTask, POLL_INTERVAL, StoredTask, TaskKey, TaskStore};
use crate::support::task::{AbortOnDrop, spawn_on};

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
struct FollowedTasks {
    tasks: Vec<FollowedTask>,
    store: Arc<dyn TaskStore>,
    /// The runtime on which the store is polled: a task may change outside of one.
    runtime: Option<Handle>,
    /// Polls the store. It ends with the subscription.
    polling: Option<AbortOnDrop<()>>,
}

/// A task that the client may follow.
pub(in crate::server) struct FollowedTask {
    key: TaskKey,
    task: FollowedState,
    is_due: bool,
    /// The bytes of its state, if only the follower keeps it: it has ended, or runs in
    /// another process.
    held: Option<CallerClaim>,
}

enum FollowedState {
    Known(KnownTask),
    /// There was no room for its state, of so many bytes.
    WithoutRoom(usize),
}

/// The room of a caller for states that only its followers keep.
struct Room<'a> {
    budget: &'a Arc<CallerBudget>,
    caller: &'a [u8],
}

impl FollowedTask {
    fn new(key: TaskKey, task: KnownTask, room: &Room<'_>) -> Self {
        let mut followed = Self {
            key,
            task: FollowedState::Known(task),
            is_due: false,
            held: None,
        };
        // The client reads the present state first, so it misses no change.
        followed.make_due(room);
        followed
    }

    /// Makes it due. Without room for its state, the store is asked for it until there
    /// is room.
    fn make_due(&mut self, room: &Room<'_>) {
        self.held = None;
        let Some(task) = self.known() else {
            return;
        };
        if task.has_own_state() {
            let bytes = task.state().size();
            self.held = room.budget.claim(room.caller, bytes);
            if self.held.is_none() {
                self.is_due = false;
                self.task = FollowedState::WithoutRoom(bytes);
                return;
            }
        }
        self.is_due = true;
    }

    fn known(&self) -> Option<&KnownTask> {
        match &self.task {
            FollowedState::Known(task) => Some(task),
            FollowedState::WithoutRoom(_) => None,
        }
    }

    /// Whether the store must be asked for its next state.
    fn is_in_store(&self) -> bool {
        self.known().is_none_or(KnownTask::runs_elsewhere)
    }
}

impl FollowedTasks {
    /// Asks the store for states from now on, if it must be asked for any.
    fn ask_store(&mut self, feed: &Weak<Feed>, id: &RequestId) {
        if self.polling.is_some() || !self.tasks.iter().any(FollowedTask::is_in_store) {
            return;
        }
        if let Some(runtime) = &self.runtime {
            let (feed, store) = (Weak::clone(feed), Arc::clone(&self.store));
            let polling = spawn_on(runtime, ask_for_states(feed, store, id.clone()));
            self.polling = Some(AbortOnDrop(polling));
        }
    }

    fn find(&self, key: &TaskKey) -> Option<usize> {
        self.tasks.iter().position(|one| one.key == *key)
    }
}

impl TaskNotices for FollowedTasks {
    fn is_due(&self) -> bool {
        self.tasks.iter().any(|followed| followed.is_due)
    }

    fn take(&mut self, caller: &Principal, id: Option<&RequestId>, out: &mut Vec<u8>) -> bool {
        while let Some(at) = self.tasks.iter().position(|followed| followed.is_due) {
            let followed = &mut self.tasks[at];
            followed.is_due = false;
            let Some(state) = followed.known().map(KnownTask::state) else {
                continue;
            };
            if state.is_finished() {
                self.tasks.swap_remove(at);
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
        let known = tasks
            .iter()
            .filter_map(|followed| followed.known().cloned());
        let known: Vec<_> = known.collect();
        let mut tasks = FollowedTasks {
            tasks,
            store,
            runtime: Handle::try_current().ok(),
            polling: None,
        };
        {
            let mut state = feed.lock();
            tasks.ask_store(&feed.this, id);
            state.followed(Some(id)).tasks = Some(Box::new(tasks));
            feed.tell(state);
        }
        for task in &known {
            task.follow(&feed.this);
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
        let State {
            principal,
            followed,
            ..
        } = &mut *state;
        let room = self.room_of(principal);
        for followed in followed {
            let id = followed.id.clone();
            if let Some(tasks) = followed.tasks()
                && let Some(at) = tasks.find(key)
            {
                tasks.tasks[at].make_due(&room);
                if let Some(id) = &id {
                    tasks.ask_store(&self.this, id);
                }
            }
        }
        self.tell(state);
    }

    fn room_of<'a>(&'a self, caller: &'a Principal) -> Room<'a> {
        Room {
            budget: &self.unread_ends,
            caller: caller.limit_key(),
        }
    }

    /// Returns the tasks of a subscription whose next state the store has: those that
    /// run in other processes, and those for whose state there may be room again.
    /// Returns `None` if the store is not asked from now on.
    fn in_store(&self, id: &RequestId) -> Option<Vec<TaskKey>> {
        let mut state = self.lock();
        let State {
            principal,
            followed,
            ..
        } = &mut *state;
        let mut followed = followed.iter_mut();
        let followed = followed.find(|followed| followed.id.as_ref() == Some(id))?;
        let tasks = followed.tasks()?;
        let in_store = tasks.tasks.iter().filter(|followed| followed.is_in_store());
        let in_store: Vec<_> = in_store.collect();
        if in_store.is_empty() {
            tasks.polling = None;
            return None;
        }
        let caller = principal.limit_key();
        let may_have_room = |followed: &&FollowedTask| match followed.task {
            FollowedState::Known(_) => true,
            FollowedState::WithoutRoom(bytes) => self.unread_ends.has_room(caller, bytes),
        };
        let keys = in_store.into_iter().filter(may_have_room);
        Some(keys.map(|followed| followed.key.clone()).collect())
    }

    /// The store has a task of a subscription in this state, or no more.
    fn was_found(&self, id: &RequestId, key: &TaskKey, found: Option<StoredTask>) {
        let mut state = self.lock();
        let State {
            principal,
            followed,
            ..
        } = &mut *state;
        let room = self.room_of(principal);
        let mut followed = followed.iter_mut();
        let followed = followed.find(|followed| followed.id.as_ref() == Some(id));
        let Some(tasks) = followed.and_then(Followed::tasks) else {
            return;
        };
        let Some(at) = tasks.find(key) else {
            return;
        };
        let followed = &mut tasks.tasks[at];
        let before = followed.known().map(KnownTask::state);
        match found {
            None => {
                tasks.tasks.swap_remove(at);
            }
            Some(found) if before.is_some_and(|before| before.document() == found.document()) => {}
            Some(found) => {
                followed.task = FollowedState::Known(KnownTask::Elsewhere(found));
                followed.make_due(&room);
            }
        }
        self.tell(state);
    }
}

/// Asks the store for the tasks of a subscription, until they have ended for it.
async fn ask_for_states(feed: Weak<Feed>, store: Arc<dyn TaskStore>, id: RequestId) {
    loop {
        sleep(POLL_INTERVAL).await;
        let Some(keys) = feed.upgrade().and_then(|feed| feed.in_store(&id)) else {
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
            && let Ok(Some(code)) = server.task_code()
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
        {
            let room = Room {
                budget: server.tasks.unread_ends(),
                caller: caller.limit_key(),
            };
            found.add(FollowedTask::new(key, task, &room));
        }
    }
}
