//! Tasks in the memory of the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use super::store::{StoredTask, TaskKey, TaskStore, TaskStoreError};
use crate::limits::Limits;
use crate::support::lock::Lock;

/// Keeps tasks in the memory of the process: at most 10,000, with at most 64 MiB of
/// states and results. They end with the process.
///
/// When it is full, it forgets finished tasks early: those of the caller whose tasks
/// take most, the ones that would expire first. Callers without a name are counted by
/// their hosts.
pub struct MemoryTasks {
    most: Usage,
    table: Lock<Table>,
}

#[derive(Clone, Copy, Default)]
struct Usage {
    tasks: usize,
    bytes: usize,
}

#[derive(Default)]
struct Table {
    tasks: HashMap<TaskKey, Kept>,
    /// The keys in the order in which they expire. The number distinguishes those
    /// that expire together.
    by_expiry: BTreeMap<Expiry, TaskKey>,
    last: u64,
    total: Usage,
    /// Of `total`, the finished tasks.
    finished: Usage,
    callers: HashMap<Arc<[u8]>, CallerTasks>,
    /// The callers that have finished tasks, by the bytes of all of their tasks.
    by_bytes: BTreeSet<(usize, Arc<[u8]>)>,
}

/// The tasks of one caller.
#[derive(Default)]
struct CallerTasks {
    all: Usage,
    /// The finished ones, in the order in which they expire.
    finished: BTreeMap<Expiry, TaskKey>,
}

type Expiry = (Instant, u64);

struct Kept {
    task: StoredTask,
    expiry: Expiry,
    bytes: usize,
}

/// The bytes that a task counts for in addition to its state.
const PER_TASK: usize = 512;

impl Default for MemoryTasks {
    fn default() -> Self {
        Self::holding(10_000, 64 << 20)
    }
}

impl MemoryTasks {
    fn holding(tasks: usize, bytes: usize) -> Self {
        Self {
            most: Usage { tasks, bytes },
            table: Lock::default(),
        }
    }
}

#[async_trait]
impl TaskStore for MemoryTasks {
    async fn put(&self, key: &TaskKey, task: StoredTask) -> Result<(), TaskStoreError> {
        let now = Instant::now();
        let mut table = self.table.lock();
        table.expire(now);
        let bytes = task.size() + 2 * (key.principal().len() + key.id().len()) + PER_TASK;
        // The state before is kept if there is no room for this one.
        let before = table.tasks.get(key).map_or(0, |kept| kept.bytes);
        let is_new = usize::from(before == 0);
        let is_full = |total: &Usage| {
            total.tasks + is_new > self.most.tasks || total.bytes + bytes - before > self.most.bytes
        };
        // No result is forgotten in vain.
        if is_full(&table.total) && is_full(&table.unfinished(key)) {
            return Err(TaskStoreError::Full);
        }
        while is_full(&table.total) {
            if !table.forget_one(key) {
                return Err(TaskStoreError::Full);
            }
        }
        table.remove(key);
        table.insert(key.clone(), task, bytes, now);
        Ok(())
    }

    async fn get(&self, key: &TaskKey) -> Result<Option<StoredTask>, TaskStoreError> {
        let mut table = self.table.lock();
        table.expire(Instant::now());
        Ok(table.tasks.get(key).map(|kept| kept.task.clone()))
    }
}

impl Table {
    fn expire(&mut self, now: Instant) {
        while let Some((expiry, key)) = self.by_expiry.first_key_value()
            && expiry.0 <= now
        {
            let key = key.clone();
            self.remove(&key);
        }
    }

    /// Returns what would be left without the finished tasks other than `except`.
    fn unfinished(&self, except: &TaskKey) -> Usage {
        let mut left = Usage {
            tasks: self.total.tasks - self.finished.tasks,
            bytes: self.total.bytes - self.finished.bytes,
        };
        let except = self.tasks.get(except);
        if let Some(except) = except.filter(|kept| kept.task.is_finished()) {
            left.add(except.bytes);
        }
        left
    }

    /// Forgets a finished task other than `except`; returns whether there was one.
    fn forget_one(&mut self, except: &TaskKey) -> bool {
        let callers = self.by_bytes.iter().rev();
        let mut finished = callers.filter_map(|(_, caller)| {
            let mut tasks = self.callers.get(caller)?.finished.values();
            tasks.find(|key| *key != except)
        });
        let Some(key) = finished.next().cloned() else {
            return false;
        };
        self.remove(&key);
        true
    }

    fn insert(&mut self, key: TaskKey, task: StoredTask, bytes: usize, now: Instant) {
        self.last += 1;
        let expiry = (now + task.keep_for().min(Limits::LONGEST_TIME), self.last);
        self.change(task.limit_key(), |theirs| {
            theirs.all.add(bytes);
            if task.is_finished() {
                theirs.finished.insert(expiry, key.clone());
            }
        });
        self.total.add(bytes);
        if task.is_finished() {
            self.finished.add(bytes);
        }
        self.by_expiry.insert(expiry, key.clone());
        let kept = Kept {
            task,
            expiry,
            bytes,
        };
        self.tasks.insert(key, kept);
    }

    fn remove(&mut self, key: &TaskKey) {
        let Some(kept) = self.tasks.remove(key) else {
            return;
        };
        self.by_expiry.remove(&kept.expiry);
        self.total.subtract(kept.bytes);
        if kept.task.is_finished() {
            self.finished.subtract(kept.bytes);
        }
        self.change(kept.task.limit_key(), |theirs| {
            theirs.all.subtract(kept.bytes);
            theirs.finished.remove(&kept.expiry);
        });
    }

    /// Changes the tasks of a caller, and its place among the others.
    fn change(&mut self, caller: &[u8], change: impl FnOnce(&mut CallerTasks)) {
        let (caller, mut theirs) = match self.callers.remove_entry(caller) {
            Some(known) => known,
            None => (caller.into(), CallerTasks::default()),
        };
        let place = (theirs.all.bytes, caller);
        self.by_bytes.remove(&place);
        change(&mut theirs);
        let caller = place.1;
        if theirs.all.tasks == 0 {
            return;
        }
        if !theirs.finished.is_empty() {
            let place = (theirs.all.bytes, Arc::clone(&caller));
            self.by_bytes.insert(place);
        }
        self.callers.insert(caller, theirs);
    }
}

impl Usage {
    fn add(&mut self, bytes: usize) {
        self.tasks += 1;
        self.bytes += bytes;
    }

    fn subtract(&mut self, bytes: usize) {
        self.tasks -= 1;
        self.bytes -= bytes;
    }
}

impl fmt::Debug for MemoryTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTasks")
            .field("tasks", &self.table.lock().total.tasks)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use serde_json::value::to_raw_value;
    use tokio::time::advance;

    use super::*;
    use crate::caller::Principal;

    const MINUTE: Duration = Duration::from_secs(60);

    fn task(text: &str, finished: bool) -> StoredTask {
        task_of("alice", text, finished)
    }

    fn task_of(caller: &str, text: &str, finished: bool) -> StoredTask {
        let text = to_raw_value(text).unwrap();
        StoredTask::new(text, Vec::new(), finished, MINUTE, caller.as_bytes().into())
    }

    fn key(principal: &str, id: &str) -> TaskKey {
        TaskKey::new(&"server".into(), principal, id)
    }

    async fn has(store: &MemoryTasks, key: &TaskKey) -> bool {
        store.get(key).await.unwrap().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn task_is_kept_for_its_time_after_the_last_write() {
        let store = MemoryTasks::default();
        let one = key("alice", "1");
        store.put(&one, task("working", false)).await.unwrap();
        advance(MINUTE / 2).await;
        store.put(&one, task("done", true)).await.unwrap();
        advance(MINUTE * 3 / 4).await;
        let kept = store.get(&one).await.unwrap().unwrap();
        assert_eq!(kept.document(), r#""done""#);
        assert!(!has(&store, &key("bob", "1")).await);
        advance(MINUTE / 4).await;
        assert!(!has(&store, &one).await);
        let table = store.table.lock();
        assert_eq!((table.total.tasks, table.total.bytes), (0, 0));
        assert!(table.by_expiry.is_empty() && table.callers.is_empty());
        assert!(table.by_bytes.is_empty() && table.finished.tasks == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn full_store_forgets_finished_tasks_of_the_caller_with_most() {
        let store = MemoryTasks::holding(4, 1 << 20);
        let bob = key("bob", "0");
        let of_bob = task_of("bob", "", true);
        store.put(&bob, of_bob).await.unwrap();
        let alice: Vec<_> = ["1", "2", "3", "4"].map(|id| key("alice", id)).into();
        store.put(&alice[0], task("", false)).await.unwrap();
        for key in &alice[1..] {
            store.put(key, task("", true)).await.unwrap();
        }
        assert!(!has(&store, &alice[1]).await, "the oldest finished one");
        for key in [&bob, &alice[0], &alice[2], &alice[3]] {
            assert!(has(&store, key).await, "{key:?} {}", key.id());
        }
    }

    /// They are one principal, and count by their hosts.
    #[tokio::test(start_paused = true)]
    async fn anonymous_caller_does_not_take_the_room_of_another() {
        let store = MemoryTasks::holding(3, 1 << 20);
        let of = |id| key("anonymous", id);
        let first = task_of("host 1", "", true);
        store.put(&of("1"), first).await.unwrap();
        for id in ["2", "3", "4", "5"] {
            let other = task_of("host 2", "", true);
            store.put(&of(id), other).await.unwrap();
        }
        assert!(has(&store, &of("1")).await);
        assert!(!has(&store, &of("2")).await);
    }

    #[tokio::test(start_paused = true)]
    async fn unfinished_tasks_are_never_forgotten_for_another() {
        let store = MemoryTasks::holding(100, 2 * (PER_TASK + 100));
        let keys = ["1", "2", "3"].map(|id| key("alice", id));
        for key in &keys[..2] {
            store.put(key, task("", false)).await.unwrap();
        }
        let full = store.put(&keys[2], task("", false)).await;
        assert_eq!(full, Err(TaskStoreError::Full));
        // Nor does a state that is too large replace the one before.
        let large = "x".repeat(500);
        let full = store.put(&keys[1], task(&large, true)).await;
        assert_eq!(full, Err(TaskStoreError::Full));
        assert_eq!(
            store.get(&keys[1]).await.unwrap().unwrap().document(),
            r#""""#
        );
        store.put(&keys[0], task("", true)).await.unwrap();
        store.put(&keys[1], task(&large, true)).await.unwrap();
        assert!(!has(&store, &keys[0]).await);
    }

    #[test]
    fn stored_task_is_read_as_it_was_written() {
        let task = StoredTask::new(
            to_raw_value(&[1, 2]).unwrap(),
            vec!["admin".to_owned()],
            true,
            MINUTE,
            b"alice"[..].into(),
        );
        let read = StoredTask::from_json(&task.to_json()).unwrap();
        assert_eq!(read.document(), "[1,2]");
        let of = |scope: &str| Principal::new("alice", [scope]);
        assert!(read.may_use(&of("admin")) && !read.may_use(&of("other")));
        assert!(read.is_finished());
        assert!(StoredTask::from_json("{}").is_none());
    }
}
