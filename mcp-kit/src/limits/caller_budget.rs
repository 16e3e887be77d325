//! Limits the bytes that clients make the server hold, for each caller and in total.
//! [`ByteBudget`](super::ByteBudget) limits the total alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support::lock::Lock;

/// Counts the bytes that each caller holds.
///
/// A caller may hold a quarter of the budget. One that holds nothing may hold one
/// thing of any size, for which there is room once the others hold little enough: what
/// is larger than a quarter is not refused for ever.
pub(crate) struct CallerBudget {
    most: usize,
    held: Lock<Held>,
}

#[derive(Default)]
struct Held {
    bytes: usize,
    /// By the keys under which limits count them.
    callers: HashMap<Arc<[u8]>, usize>,
}

/// Bytes that a caller holds until this is dropped.
pub(crate) struct CallerClaim {
    budget: Arc<CallerBudget>,
    caller: Arc<[u8]>,
    bytes: usize,
}

impl CallerBudget {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: Lock::default(),
        })
    }

    /// Holds `bytes` for a caller, if there is room for them.
    pub(crate) fn claim(self: &Arc<Self>, caller: &[u8], bytes: usize) -> Option<CallerClaim> {
        let bytes = bytes.min(self.most);
        let mut held = self.held.lock();
        if !held.has_room(self.most, caller, bytes) {
            return None;
        }
        let known = held.callers.get_key_value(caller);
        let key = known.map_or_else(|| caller.into(), |(key, _)| Arc::clone(key));
        if bytes > 0 {
            held.bytes += bytes;
            *held.callers.entry(Arc::clone(&key)).or_default() += bytes;
        }
        drop(held);
        Some(CallerClaim {
            budget: Arc::clone(self),
            caller: key,
            bytes,
        })
    }

    /// Whether there is room for `bytes` of a caller.
    pub(crate) fn has_room(&self, caller: &[u8], bytes: usize) -> bool {
        let bytes = bytes.min(self.most);
        self.held.lock().has_room(self.most, caller, bytes)
    }

    /// Returns the bytes that all callers hold.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        let held = self.held.lock();
        assert_eq!(held.callers.values().sum::<usize>(), held.bytes);
        held.bytes
    }
}

impl Held {
    fn has_room(&self, most: usize, caller: &[u8], bytes: usize) -> bool {
        let theirs = self.callers.get(caller).copied().unwrap_or_default();
        let is_within_share = theirs == 0 || theirs + bytes <= most / 4;
        is_within_share && self.bytes + bytes <= most
    }
}

impl Drop for CallerClaim {
    fn drop(&mut self) {
        let mut held = self.budget.held.lock();
        held.bytes -= self.bytes;
        if let Some(theirs) = held.callers.get_mut(&self.caller) {
            *theirs -= self.bytes;
            if *theirs == 0 {
                held.callers.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_holds_at_most_a_quarter() {
        let budget = CallerBudget::new(100);
        let first = budget.claim(b"alice", 20).unwrap();
        assert!(budget.claim(b"alice", 6).is_none());
        let second = budget.claim(b"alice", 5).unwrap();
        let bob = budget.claim(b"bob", 25).unwrap();
        assert_eq!(budget.held(), 50);
        drop((first, second, bob));
        assert_eq!(budget.held(), 0);
        assert!(budget.held.lock().callers.is_empty());
    }

    #[test]
    fn what_is_larger_than_a_share_has_room_alone() {
        let budget = CallerBudget::new(100);
        let large = budget.claim(b"alice", 80).unwrap();
        assert!(budget.claim(b"alice", 1).is_none());
        assert!(budget.claim(b"bob", 21).is_none());
        assert!(budget.claim(b"bob", 20).is_some());
        drop(large);
        assert!(budget.claim(b"alice", 1_000).is_some());
    }
}
