//! How many tasks each caller may have, and how many bytes they may hold of its
//! messages: arguments, and answers that wait for their handler.

use std::collections::HashMap;
use std::sync::Arc;

use crate::call::{Error, ErrorKind};
use crate::caller::Principal;
use crate::limits::{CallerBudget, CallerClaim};
use crate::support::lock::Lock;

/// The most bytes of messages that the tasks of all callers hold. Those of one
/// caller hold at most a quarter of it.
const MOST_BYTES: usize = 64 << 20;

/// The places of unfinished tasks.
pub(super) struct Places {
    /// The most tasks of one caller.
    most: usize,
    tasks: Arc<Lock<TaskCounts>>,
    bytes: Arc<CallerBudget>,
}

/// How many tasks each caller has.
type TaskCounts = HashMap<Arc<[u8]>, usize>;

/// The place of a task, and the bytes that it holds, until this is dropped.
pub(super) struct Place {
    tasks: Arc<Lock<TaskCounts>>,
    caller: Arc<[u8]>,
    _bytes: CallerClaim,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tasks: Arc::default(),
            bytes: CallerBudget::new(MOST_BYTES),
        }
    }

    /// Takes a place for a task that holds `bytes`.
    pub(super) fn take(&self, caller: &Principal, bytes: usize) -> Result<Place, Error> {
        let most = self.most;
        let mut tasks = self.tasks.lock();
        let theirs = tasks.get(caller.limit_key()).copied().unwrap_or_default();
        if theirs >= most {
            return Err(Error::refusal(
                ErrorKind::Busy,
                format!(
                    "Too many tasks: {most} are unfinished. Wait for one to end, or cancel it."
                ),
            ));
        }
        let held = self.hold(caller, bytes)?;
        let caller: Arc<[u8]> = caller.limit_key().into();
        *tasks.entry(Arc::clone(&caller)).or_default() += 1;
        Ok(Place {
            tasks: Arc::clone(&self.tasks),
            caller,
            _bytes: held,
        })
    }

    /// Holds further bytes for a task that has a place.
    pub(super) fn hold(&self, caller: &Principal, bytes: usize) -> Result<CallerClaim, Error> {
        let held = self.bytes.claim(caller.limit_key(), bytes);
        held.ok_or_else(|| {
            Error::busy(
                "The arguments and answers of the unfinished tasks take too much memory. Wait for one to end, or send less.",
            )
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tasks = self.tasks.lock();
        if let Some(theirs) = tasks.get_mut(&self.caller) {
            *theirs -= 1;
            if *theirs == 0 {
                tasks.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn named(name: &str) -> Principal {
        Principal::new(name, [""; 0])
    }

    #[test]
    fn each_caller_has_places_of_its_own() {
        let places = Places::new(2);
        let first = places.take(&named("alice"), 10).unwrap();
        let _second = places.take(&named("alice"), 10).unwrap();
        let refused = places.take(&named("alice"), 10).err().unwrap();
        assert!(refused.message().unwrap().contains("2 are unfinished"));
        assert!(places.take(&named("bob"), 10).is_ok());
        drop(first);
        assert!(places.take(&named("alice"), 10).is_ok());
        assert_eq!(places.tasks.lock().len(), 1, "only alice has one");
    }

    #[test]
    fn large_arguments_of_one_caller_leave_room_for_others() {
        let places = Places::new(100);
        let large = || places.take(&named("alice"), 4 << 20);
        let held: Vec<_> = (0..4).map(|_| large().unwrap()).collect();
        assert!(large().is_err());
        assert!(places.take(&named("bob"), 4 << 20).is_ok());
        // Nor may they hold answers, while those of others may.
        assert!(places.hold(&named("alice"), 1).is_err());
        drop(places.hold(&named("bob"), 1).unwrap());
        drop(held);
        assert!(large().is_ok());
        assert!(places.bytes.held() == 0 && places.tasks.lock().is_empty());
    }
}
