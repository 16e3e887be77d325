//! The calls of a connection, a session or a server that have not ended: which
//! ids are in use, which calls wait, how many run, and when each one's time is up.
//!
//! The table does no IO, takes no lock and reads no clock. The transport keeps it
//! behind its own mutex, passes the time in, and acts on what the table returns
//! after the mutex is released.
//!
//! # The life of an entry
//!
//! ```text
//!              fill              start              finish
//!   admitted ───────▶ waiting ───────────▶ running ───────────▶ answered
//!                        │                    │
//!                        ├────── cancel ──────┤ ──────────────▶ cancelled, without an answer
//!                        └ expire, give_up_all┘ ──────────────▶ given up: answered with a refusal
//! ```
//!
//! An entry leaves the table exactly once. The method that takes it out returns it
//! as [`Removed`], and the caller of that method alone answers the request, or
//! leaves it without an answer. Every other attempt to end the same call finds
//! nothing: a [`CallKey`] names one entry, and is never valid for a later one.
//!
//! A chain can come to its end while the transport decides that the call's time is
//! up. The call's phase decides then (`call/phase`): `expire` and `give_up_all` ask
//! their closure for the right to end each call, and leave a call in the table that
//! has ended by itself, until its answer takes it out. `expire` also leaves a call
//! whose deadline has moved, because its clock was paused.
//!
//! | method | takes out | the request gets |
//! |---|---|---|
//! | [`finish`](CallTable::finish) | the entry of a key | the handler's answer |
//! | [`cancel`](CallTable::cancel) | the entry of an id | no answer: the client cancelled it |
//! | [`expire`](CallTable::expire) | entries whose time is up | a refusal |
//! | [`give_up_all`](CallTable::give_up_all) | all entries | a refusal: the server ends |
//! | [`close`](CallTable::close) | all entries, and admits no more | no answer: the client is gone |
//!
//! # Permits
//!
//! [`start`](CallTable::start) takes one of the table's permits for the call that
//! it returns, and [`release`](CallTable::release) gives one back. A permit belongs
//! to the handler and not to the entry: a blocking handler runs on after its call
//! was answered or cancelled, and counts until it returns. So the methods that take
//! an entry out release nothing.
//!
//! A handler that asks its client gives its permit back, and takes one again with
//! [`retake`](CallTable::retake) when it has its answer. Handlers that return come
//! before the calls that wait to be started, and among each other in their order.
//!
//! # Costs
//!
//! A call costs one insertion into a hash table and one removal. Each method
//! takes constant time, also [`cancel`](CallTable::cancel) of a call in the
//! middle of the queue, except for those that go through all entries:
//! `give_up_all`, `close`, and `expire` and `visit_due` if some time has come.
//! A table that was never used owns no memory, and
//! [`shrink`](CallTable::shrink) frees the memory of a busy time.

mod entries;

use std::collections::hash_map::{self, HashMap, VacantEntry};
use std::task::Waker;

use tokio::time::Instant;

use self::entries::{Entries, Entry};
use super::ReturnPlace;
use crate::limits::Limits;
use crate::protocol::RequestId;

/// The limits of a table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TableLimits {
    /// Calls that run at once.
    pub(crate) running: usize,
    /// Calls that wait.
    pub(crate) waiting: usize,
    /// The bytes that waiting calls hold. A call above it may wait alone.
    pub(crate) waiting_bytes: usize,
}

impl From<&Limits> for TableLimits {
    /// The limits of a connection, and of a session.
    fn from(limits: &Limits) -> Self {
        Self {
            running: limits.calls_per_connection,
            waiting: limits.pending_calls,
            waiting_bytes: limits.pending_bytes,
        }
    }
}

/// The open calls of one connection, session or server.
///
/// `T` is what the owner keeps for a call until it ends, `W` what it needs to start
/// one that waits.
pub(crate) struct CallTable<T, W = ()> {
    /// The slots of the entries with an id. Hashed quickly: a client that makes
    /// its ids collide delays its own calls.
    ids: HashMap<RequestId, u32, foldhash::fast::RandomState>,
    entries: Entries<T, W>,
}

/// A call in a table. No two calls of a table ever have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallKey {
    slot: u32,
    serial: u64,
}

/// A call that was taken out of its table.
#[derive(Debug)]
pub(crate) struct Removed<T, W> {
    pub(crate) key: CallKey,
    pub(crate) call: T,
    /// The work that would have started it, if it was still waiting. The
    /// transport drops it after releasing its mutex.
    #[cfg_attr(not(test), expect(dead_code, reason = "kept until it may be dropped"))]
    pub(crate) work: Option<W>,
}

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    /// The table is closed.
    Closed,
    /// The id belongs to a call that has not ended.
    DuplicateId,
    /// No more calls, or no more bytes, can wait.
    Full,
}

/// What becomes of a call whose time has come.
#[derive(Debug)]
pub(crate) enum Due<E> {
    /// It was ended, and leaves the table.
    Ended(E),
    /// Its clock was paused meanwhile. Its time comes then, which is later than now.
    Later(Instant),
    /// It has ended by itself: its answer, which is on the way, takes it out.
    HasEnded,
}

/// A place for one call, whose id is free and for which the queue has room.
pub(crate) struct Place<'a, T, W> {
    id: VacantEntry<'a, RequestId, u32>,
    bytes: usize,
    entries: &'a mut Entries<T, W>,
}

/// The number of calls for which an empty table keeps room.
const KEPT_ROOM: usize = 16;

impl CallKey {
    /// A number that is larger for each later call of the table; never 0.
    pub(crate) fn serial(self) -> u64 {
        self.serial
    }
}

impl<T, W> CallTable<T, W> {
    pub(crate) fn new(limits: TableLimits) -> Self {
        Self {
            ids: HashMap::default(),
            entries: Entries::new(limits),
        }
    }

    /// Finds a place for a call that holds so many bytes while it waits.
    /// `is_held` returns whether an id that is free here is in use elsewhere.
    pub(crate) fn admit(
        &mut self,
        id: &RequestId,
        bytes: usize,
        is_held: impl FnOnce(&RequestId) -> bool,
    ) -> Result<Place<'_, T, W>, NotAdmitted> {
        let Self { ids, entries } = self;
        if entries.is_closed {
            return Err(NotAdmitted::Closed);
        }
        let hash_map::Entry::Vacant(place) = ids.entry(id.clone()) else {
            return Err(NotAdmitted::DuplicateId);
        };
        if is_held(id) {
            return Err(NotAdmitted::DuplicateId);
        }
        let all_bytes = entries.waiting_bytes.saturating_add(bytes);
        if entries.waiting >= entries.limits.waiting
            || (all_bytes > entries.limits.waiting_bytes && entries.waiting > 0)
        {
            return Err(NotAdmitted::Full);
        }
        Ok(Place {
            id: place,
            bytes,
            entries,
        })
    }

    /// Takes the longest waiting call out of the queue, if a permit is free, and
    /// takes the permit.
    pub(crate) fn start(&mut self) -> Option<(CallKey, W)> {
        if !self.can_start() {
            return None;
        }
        let started = self.entries.unqueue_first();
        self.entries.running += usize::from(started.is_some());
        started
    }

    /// Whether a call waits and a permit is free.
    pub(crate) fn can_start(&self) -> bool {
        self.entries.waiting > 0 && self.entries.has_permit()
    }

    /// Gives a permit back: a handler has ended, or asks its client. Returns the
    /// waker of a call that may take it again.
    #[must_use = "the waker is woken once the transport has released its mutex"]
    pub(crate) fn release(&mut self) -> Option<Waker> {
        debug_assert!(self.entries.running > 0, "a permit is released twice");
        self.entries.running = self.entries.running.saturating_sub(1);
        self.entries.next_to_return()
    }

    /// Takes a permit again for a handler that gave it back. Returns false if there
    /// is none: then `place` is its place among the calls that wait for theirs, and
    /// `waker` is woken when there is one.
    pub(crate) fn retake(&mut self, place: &mut Option<ReturnPlace>, waker: &Waker) -> bool {
        self.entries.retake(place, waker)
    }

    /// Gives up a place among the calls that wait for a permit that they gave back.
    /// Returns the waker of a call that may now take one.
    #[must_use = "the waker is woken once the transport has released its mutex"]
    pub(crate) fn leave(&mut self, place: ReturnPlace) -> Option<Waker> {
        self.entries.leave(place)
    }

    /// Takes out a call that its caller is about to answer; `None` if it has ended
    /// before.
    pub(crate) fn finish(&mut self, key: CallKey) -> Option<Removed<T, W>> {
        self.entries.get_mut(key)?;
        self.remove(key.slot)
    }

    /// Takes out a call that its client has cancelled; `None` if there is none.
    pub(crate) fn cancel(&mut self, id: &RequestId) -> Option<Removed<T, W>> {
        let slot = self.ids.remove(id)?;
        self.remove(slot)
    }

    /// Takes out every call whose time is up and that `look` ends. The others
    /// stay: see [`Due`].
    pub(crate) fn expire<E>(
        &mut self,
        now: Instant,
        mut look: impl FnMut(&T) -> Due<E>,
    ) -> Vec<(Removed<T, W>, E)> {
        if self.entries.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let mut later = Vec::new();
        let expired = self.remove_where(
            |entry| entry.due <= now,
            |slot, entry| match look(&entry.call) {
                Due::Ended(ended) => Some(ended),
                Due::Later(due) => {
                    later.push((slot, due));
                    None
                }
                Due::HasEnded => None,
            },
        );
        for (slot, due) in later {
            self.entries.set_due(slot, due);
        }
        self.entries.find_earliest(now);
        expired
    }

    /// Takes out every call that `end` ends. A call for which it returns `None` has
    /// ended by itself: it stays until its answer, which is on the way, takes it out.
    pub(crate) fn give_up_all<E>(
        &mut self,
        mut end: impl FnMut(&T) -> Option<E>,
    ) -> Vec<(Removed<T, W>, E)> {
        self.remove_where(|_| true, |_, entry| end(&entry.call))
    }

    /// Takes out every call, and admits no more.
    pub(crate) fn close(&mut self) -> Vec<Removed<T, W>> {
        self.entries.is_closed = true;
        let all = self.remove_where(|_| true, |_, _| Some(()));
        all.into_iter().map(|(removed, ())| removed).collect()
    }

    /// No call is due before this; `None` if there is no call.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.entries.earliest
    }

    /// The call of this key, until it has ended.
    pub(crate) fn get_mut(&mut self, key: CallKey) -> Option<&mut T> {
        self.entries.get_mut(key).map(|entry| &mut entry.call)
    }

    /// Whether the id belongs to a call that has not ended.
    pub(crate) fn contains(&self, id: &RequestId) -> bool {
        self.ids.contains_key(id)
    }

    /// How many calls have not ended.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.len == 0
    }

    /// Permits that were taken and not released. It can be more than the calls that
    /// have not ended.
    pub(crate) fn running(&self) -> usize {
        self.entries.running
    }

    /// How many calls wait.
    pub(crate) fn waiting(&self) -> usize {
        self.entries.waiting
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.entries.is_closed
    }

    /// Frees the memory of a busy time, if the table is empty.
    pub(crate) fn shrink(&mut self) {
        if !self.is_empty() {
            return;
        }
        if self.ids.capacity() > KEPT_ROOM {
            self.ids.shrink_to_fit();
        }
        self.entries.shrink_to(KEPT_ROOM);
    }

    fn remove_where<E>(
        &mut self,
        matches: impl Fn(&Entry<T, W>) -> bool,
        mut end: impl FnMut(u32, &Entry<T, W>) -> Option<E>,
    ) -> Vec<(Removed<T, W>, E)> {
        let mut removed = Vec::new();
        for slot in self.entries.slots_where(matches) {
            if let Some(ended) = self.entries.get(slot).and_then(|entry| end(slot, entry))
                && let Some(entry) = self.remove(slot)
            {
                removed.push((entry, ended));
            }
        }
        removed
    }

    /// Takes out the entry in a slot, with its id and its place in the queue.
    fn remove(&mut self, slot: u32) -> Option<Removed<T, W>> {
        let entries = &mut self.entries;
        let work = entries.unqueue(slot);
        let entry = entries.take(slot)?;
        if let Some(id) = &entry.id {
            self.ids.remove(id);
        }
        if entries.len == 0 {
            entries.earliest = None;
        }
        Some(Removed {
            key: CallKey {
                slot,
                serial: entry.serial,
            },
            call: entry.call,
            work,
        })
    }
}

/// What HTTP needs in addition.
#[cfg(any(test, feature = "http"))]
impl<T, W> CallTable<T, W> {
    /// Enters a call that has no id here, does not wait and takes no permit:
    /// the table only watches its time.
    pub(crate) fn watch(&mut self, call: T, due: Instant) -> CallKey {
        self.entries.watch(call, due)
    }

    /// Passes each call whose time has come to `visit`, which returns when the call
    /// is due again; if that is not after `now`, the call waits for its end alone. The
    /// calls stay in the table.
    pub(crate) fn visit_due(&mut self, now: Instant, mut visit: impl FnMut(&mut T) -> Instant) {
        if self.entries.earliest.is_none_or(|earliest| now < earliest) {
            return;
        }
        for entry in self.entries.used_mut().filter(|entry| entry.due <= now) {
            entry.due = visit(&mut entry.call);
        }
        self.entries.find_earliest(now);
    }

    /// The call with this id.
    pub(crate) fn find(&self, id: &RequestId) -> Option<&T> {
        let slot = *self.ids.get(id)?;
        self.entries.get(slot).map(|entry| &entry.call)
    }

    /// All calls, in no particular order.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &T> {
        self.entries.used().map(|entry| &entry.call)
    }
}

/// A table that admits no call, and watches any number.
impl<T, W> Default for CallTable<T, W> {
    fn default() -> Self {
        Self::new(TableLimits::default())
    }
}

impl<T, W> Place<'_, T, W> {
    /// The key that the call will have.
    pub(crate) fn key(&self) -> CallKey {
        self.entries.next_key()
    }

    /// Whether the call would have to wait for a permit.
    #[cfg(any(test, feature = "http"))]
    pub(crate) fn must_wait(&self) -> bool {
        self.entries.waiting > 0 || !self.entries.has_permit()
    }

    /// Enters the call, which waits from now on. It should end before `due`.
    pub(crate) fn fill(self, call: T, work: W, due: Instant) -> CallKey {
        let Self { id, bytes, entries } = self;
        let key = entries.queue(id.key().clone(), bytes, call, work, due);
        id.insert(key.slot);
        key
    }
}

#[cfg(test)]
mod tests;
