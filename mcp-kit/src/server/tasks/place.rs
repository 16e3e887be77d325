//! How many tasks each caller may have, and how many bytes they may hold of its
//! messages: arguments, and answers that wait for their handler.

use std::collections::HashMap;
use std::sync::Arc;

use crate::call::Error;
use crate::caller::Principal;
use crate::support::lock::Lock;

/// The most bytes of messages that the tasks of all callers hold. Those of one
/// caller hold at most a quarter of it.
const MOST_BYTES: usize = 64 << 20;

/// The places of unfinished tasks.
pub(super) struct Places(Arc<Shared>);

struct Shared {
    /// The most tasks of one caller.
    most: usize,
    taken: Lock<Taken>,
}

#[derive(Default)]
struct Taken {
    bytes: usize,
    callers: HashMap<Box<[u8]>, Usage>,
}

#[derive(Default)]
struct Usage {
    tasks: usize,
    bytes: usize,
}

/// The place of a task, or bytes that it holds, until this is dropped.
pub(super) struct Place {
    shared: Arc<Shared>,
    caller: Box<[u8]>,
    tasks: usize,
    bytes: usize,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Shared {
            most,
            taken: Lock::default(),
        }))
    }

    /// Takes a place for a task that holds `bytes`.
    pub(super) fn take(&self, caller: &Principal, bytes: usize) -> Result<Place, Error> {
        self.add(caller, 1, bytes)
    }

    /// Holds further bytes for a task that has a place.
    pub(super) fn hold(&self, caller: &Principal, bytes: usize) -> Result<Place, Error> {
        self.add(caller, 0, bytes)
    }

    fn add(&self, caller: &Principal, more: usize, bytes: usize) -> Result<Place, Error> {
        let caller: Box<[u8]> = caller.limit_key().into();
        let most = self.0.most;
        let mut taken = self.0.taken.lock();
        let theirs = taken.callers.get(&caller);
        let (tasks, held) = theirs.map_or((0, 0), |theirs| (theirs.tasks, theirs.bytes));
        if tasks + more > most {
            return Err(Error::refusal(
                crate::call::ErrorKind::Busy,
                format!(
                    "Too many tasks: {most} are unfinished. Wait for one to end, or cancel it."
                ),
            ));
        }
        if held + bytes > MOST_BYTES / 4 || taken.bytes + bytes > MOST_BYTES {
            return Err(Error::busy(
                "The arguments and answers of the unfinished tasks take too much memory. Wait for one to end, or send less.",
            ));
        }
        taken.bytes += bytes;
        let theirs = taken.callers.entry(caller.clone()).or_default();
        theirs.tasks += more;
        theirs.bytes += bytes;
        drop(taken);
        Ok(Place {
            shared: Arc::clone(&self.0),
            caller,
            tasks: more,
            bytes,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.shared.taken.lock();
        taken.bytes -= self.bytes;
        if let Some(theirs) = taken.callers.get_mut(&self.caller) {
            theirs.tasks -= self.tasks;
            theirs.bytes -= self.bytes;
            if theirs.tasks == 0 && theirs.bytes == 0 {
                taken.callers.remove(&self.caller);
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
        assert_eq!(places.0.taken.lock().callers.len(), 1, "only alice has one");
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
        let taken = places.0.taken.lock();
        assert!(taken.bytes == 0 && taken.callers.is_empty());
    }
}
