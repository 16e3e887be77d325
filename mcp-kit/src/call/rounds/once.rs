//! The steps of calls that run once, however often a client sends a round again.
//!
//! The table knows the steps of this process. A client that returns the same state
//! twice gets the stored result, and of two that run at the same time the second
//! waits for the first. The sealed state knows the results of earlier rounds, also
//! in other processes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::call::Error;
use crate::support::lock::Lock;

/// The result of a step, once it has run.
pub(crate) type Step = OnceCell<Box<RawValue>>;

/// The steps of one logical call.
#[derive(Default)]
pub(super) struct Steps(Lock<BTreeMap<String, Arc<Step>>>);

impl Steps {
    /// Adds the results of earlier rounds.
    pub(super) fn restore(&self, done: BTreeMap<String, Box<RawValue>>) {
        let mut steps = self.0.lock();
        for (key, result) in done {
            let step = || Arc::new(Step::new_with(Some(result)));
            steps.entry(key).or_insert_with(step);
        }
    }

    pub(super) fn step(&self, key: &str) -> Arc<Step> {
        let mut steps = self.0.lock();
        match steps.get(key) {
            Some(step) => Arc::clone(step),
            None => Arc::clone(steps.entry(key.to_owned()).or_default()),
        }
    }

    /// Returns the results so far.
    pub(super) fn results(&self) -> Vec<(String, Box<RawValue>)> {
        let steps = self.0.lock();
        let results =
            (steps.iter()).filter_map(|(key, step)| Some((key.clone(), step.get()?.clone())));
        results.collect()
    }
}

/// The steps of all calls that a client may send again: those that came with a
/// state.
#[derive(Default)]
pub(crate) struct OnceTable(Lock<Table>);

#[derive(Default)]
struct Table {
    calls: HashMap<CallKey, Entry>,
    /// Each call once, about in the order in which they expire.
    order: VecDeque<(Instant, CallKey)>,
    total: Usage,
    callers: HashMap<Arc<[u8]>, Usage>,
}

/// A call is known by its id alone, which is random and sealed: an anonymous
/// caller may send a round again from another address. It counts for the caller
/// that sent its first round.
#[derive(Clone)]
struct CallKey {
    caller: Arc<[u8]>,
    id: Arc<str>,
}

impl PartialEq for CallKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for CallKey {}

impl Hash for CallKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

struct Entry {
    steps: Arc<Steps>,
    expires: Instant,
    bytes: usize,
}

/// What is kept, of a caller or of all.
#[derive(Clone, Copy, Default)]
struct Usage {
    calls: usize,
    bytes: usize,
}

/// What may be kept of all callers; one caller may have a quarter of it.
const MOST: Usage = Usage {
    calls: 65_536,
    bytes: 32 << 20,
};

/// The bytes that a call counts for in addition to its results.
const PER_CALL: usize = 256;

impl Usage {
    const fn is_below(self, most: Self, share: usize) -> bool {
        self.calls < most.calls / share && self.bytes < most.bytes / share
    }
}

impl OnceTable {
    /// Returns the steps of a call, which are kept for `time` from now. What the
    /// table holds is never forgotten earlier: a caller with too much of it is
    /// refused.
    pub(super) fn steps(
        &self,
        caller: &[u8],
        id: &str,
        time: Duration,
    ) -> Result<Arc<Steps>, Error> {
        let now = Instant::now();
        // The call that asks may itself take a while.
        let expires = now + time + Duration::from_secs(60);
        let mut table = self.0.lock();
        table.expire(now);
        let key = CallKey {
            caller: caller.into(),
            id: id.into(),
        };
        if let Some(entry) = table.calls.get_mut(&key) {
            entry.expires = expires;
            return Ok(Arc::clone(&entry.steps));
        }
        let theirs = table.callers.get(&key.caller).copied().unwrap_or_default();
        if !table.total.is_below(MOST, 1) || !theirs.is_below(MOST, 4) {
            return Err(Error::busy(
                "The server has no room for this step at the moment. Try again in a few minutes.",
            ));
        }
        table.add(&key, 1, PER_CALL);
        let steps = Arc::<Steps>::default();
        table.order.push_back((expires, key.clone()));
        let entry = Entry {
            steps: Arc::clone(&steps),
            expires,
            bytes: PER_CALL,
        };
        table.calls.insert(key, entry);
        Ok(steps)
    }

    /// Counts the bytes of a result.
    pub(super) fn count(&self, caller: &[u8], id: &str, bytes: usize) {
        let key = CallKey {
            caller: caller.into(),
            id: id.into(),
        };
        let mut table = self.0.lock();
        let Some((first, _)) = table.calls.get_key_value(&key) else {
            return;
        };
        let first = first.clone();
        if let Some(entry) = table.calls.get_mut(&key) {
            entry.bytes += bytes;
        }
        table.add(&first, 0, bytes);
    }
}

impl Table {
    fn expire(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front()
            && *at <= now
            && let Some((_, key)) = self.order.pop_front()
        {
            match self.calls.get(&key).map(|entry| entry.expires) {
                Some(later) if later > now => self.order.push_back((later, key)),
                Some(_) => self.remove(&key),
                None => {}
            }
        }
    }

    fn add(&mut self, key: &CallKey, calls: usize, bytes: usize) {
        let theirs = self.callers.entry(Arc::clone(&key.caller)).or_default();
        for usage in [&mut self.total, theirs] {
            usage.calls += calls;
            usage.bytes += bytes;
        }
    }

    fn remove(&mut self, key: &CallKey) {
        let Some(entry) = self.calls.remove(key) else {
            return;
        };
        self.total.calls -= 1;
        self.total.bytes -= entry.bytes;
        if let Some(theirs) = self.callers.get_mut(&key.caller) {
            theirs.calls -= 1;
            theirs.bytes -= entry.bytes;
            if theirs.calls == 0 {
                self.callers.remove(&key.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(600);

    fn usage(table: &OnceTable) -> (usize, usize, usize) {
        let table = table.0.lock();
        (table.calls.len(), table.total.bytes, table.callers.len())
    }

    #[tokio::test(start_paused = true)]
    async fn steps_are_kept_until_their_state_has_expired() {
        let table = OnceTable::default();
        let steps = table.steps(b"alice", "1", TIME).unwrap();
        steps
            .step("charge")
            .set(RawValue::from_string("7".into()).unwrap())
            .unwrap();
        table.count(b"alice", "1", 7);
        assert_eq!(usage(&table), (1, PER_CALL + 7, 1));
        tokio::time::advance(TIME).await;
        // Looked at again, so kept again.
        let same = table.steps(b"alice", "1", TIME).unwrap();
        assert_eq!(same.step("charge").get().unwrap().get(), "7");
        tokio::time::advance(TIME).await;
        // The same call from another address, and another call.
        let same = table.steps(b"alice's phone", "1", TIME).unwrap();
        assert_eq!(same.results().len(), 1);
        assert!(table.steps(b"bob", "2", TIME).unwrap().results().is_empty());
        assert_eq!(usage(&table).0, 2);
        tokio::time::advance(TIME * 2).await;
        let other = table.steps(b"alice", "1", TIME).unwrap();
        assert!(other.results().is_empty());
        assert_eq!(usage(&table), (1, PER_CALL, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_with_too_many_steps_is_refused_and_pushes_out_none() {
        let table = OnceTable::default();
        let first = table.steps(b"alice", "0", TIME).unwrap();
        first.step("charge").set(RawValue::NULL.to_owned()).unwrap();
        let mut calls = 1;
        while table.steps(b"alice", &calls.to_string(), TIME).is_ok() {
            calls += 1;
        }
        assert_eq!(calls, MOST.calls / 4);
        let kept = table.steps(b"alice", "0", TIME).unwrap();
        assert!(kept.step("charge").initialized());
        assert!(table.steps(b"bob", "of bob", TIME).is_ok());
        tokio::time::advance(TIME * 2).await;
        assert!(table.steps(b"alice", "another", TIME).is_ok());
        assert_eq!(usage(&table).0, 1);
    }
}
