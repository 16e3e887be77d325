//! The storage of a [`CallTable`](super::CallTable): an arena of slots that are
//! reused, and the queue, which is a list linked through the slots. So an entry
//! leaves the queue in constant time, wherever it is in it.

use std::collections::VecDeque;
use std::task::Waker;

use tokio::time::Instant;

use super::{CallKey, ReturnPlace, TableLimits};
use crate::protocol::RequestId;

/// Everything but the index of ids: an arena of entries, and the queue through it.
pub(super) struct Entries<T, W> {
    pub(super) limits: TableLimits,
    slots: Vec<Slot<T, W>>,
    /// The first unused slot.
    free: u32,
    pub(super) len: usize,
    /// The calls that wait, the longest waiting first.
    first: u32,
    last: u32,
    pub(super) waiting: usize,
    pub(super) waiting_bytes: usize,
    /// Permits that were taken and not released.
    pub(super) running: usize,
    last_serial: u64,
    /// Calls that gave their permit back and wait for one. Boxed, since most tables
    /// never have such calls.
    returning: Option<Box<Returning>>,
    /// No entry is due earlier.
    pub(super) earliest: Option<Instant>,
    pub(super) is_closed: bool,
}

enum Slot<T, W> {
    Unused { next: u32 },
    Used(Entry<T, W>),
}

pub(super) struct Entry<T, W> {
    pub(super) serial: u64,
    pub(super) id: Option<RequestId>,
    pub(super) due: Instant,
    bytes: usize,
    stage: Stage<W>,
    pub(super) call: T,
}

enum Stage<W> {
    Waiting { previous: u32, next: u32, work: W },
    Running,
}

/// The calls that return, in their order.
#[derive(Default)]
struct Returning {
    queue: VecDeque<(ReturnPlace, Waker)>,
    last: u64,
}

impl Returning {
    fn position(&self, place: ReturnPlace) -> Option<usize> {
        self.queue.iter().position(|(other, _)| *other == place)
    }
}

/// In place of the number of a slot.
const NONE: u32 = u32::MAX;

impl<T, W> Entries<T, W> {
    pub(super) fn new(limits: TableLimits) -> Self {
        Self {
            limits,
            slots: Vec::new(),
            free: NONE,
            len: 0,
            first: NONE,
            last: NONE,
            waiting: 0,
            waiting_bytes: 0,
            running: 0,
            last_serial: 0,
            returning: None,
            earliest: None,
            is_closed: false,
        }
    }

    /// Whether there is a permit for a call that runs for the first time.
    pub(super) fn has_permit(&self) -> bool {
        self.free_permits() > self.returning() && !self.is_closed
    }

    pub(super) fn free_permits(&self) -> usize {
        self.limits.running.saturating_sub(self.running)
    }

    /// How many calls wait for a permit that they gave back.
    pub(super) fn returning(&self) -> usize {
        (self.returning.as_ref()).map_or(0, |returning| returning.queue.len())
    }

    /// Takes a permit for a call that returns, or gives it a place in the queue.
    pub(super) fn retake(&mut self, place: &mut Option<ReturnPlace>, waker: &Waker) -> bool {
        let free = self.free_permits();
        let returning = self.returning.get_or_insert_default();
        let at = place.and_then(|place| returning.position(place));
        // After the end nothing else runs.
        if at.unwrap_or(returning.queue.len()) < free || self.is_closed {
            if let Some(at) = at {
                returning.queue.remove(at);
            }
            self.running += 1;
            *place = None;
            return true;
        }
        match at.and_then(|at| returning.queue.get_mut(at)) {
            Some((_, known)) => known.clone_from(waker),
            None => {
                returning.last += 1;
                let next = ReturnPlace(returning.last);
                returning.queue.push_back((next, waker.clone()));
                *place = Some(next);
            }
        }
        false
    }

    /// Gives up a place. Returns the waker of a call that may now take a permit.
    pub(super) fn leave(&mut self, place: ReturnPlace) -> Option<Waker> {
        let returning = self.returning.as_mut()?;
        let at = returning.position(place)?;
        returning.queue.remove(at);
        (at < self.free_permits())
            .then(|| self.next_to_return())
            .flatten()
    }

    /// Returns the waker of the last returning call for which there is a permit.
    pub(super) fn next_to_return(&self) -> Option<Waker> {
        let last = self.free_permits().checked_sub(1)?;
        let (_, waker) = self.returning.as_ref()?.queue.get(last)?;
        Some(waker.clone())
    }

    pub(super) fn next_key(&self) -> CallKey {
        let slot = match self.free {
            NONE => u32::try_from(self.slots.len()).unwrap_or(NONE),
            free => free,
        };
        CallKey {
            slot,
            serial: self.last_serial + 1,
        }
    }

    /// Enters a call as the last one that waits.
    pub(super) fn queue(
        &mut self,
        id: RequestId,
        bytes: usize,
        call: T,
        work: W,
        due: Instant,
    ) -> CallKey {
        let stage = Stage::Waiting {
            previous: self.last,
            next: NONE,
            work,
        };
        let key = self.insert(Some(id), due, bytes, call, stage);
        match self.links(self.last) {
            Some((_, next)) => *next = key.slot,
            None => self.first = key.slot,
        }
        self.last = key.slot;
        self.waiting += 1;
        self.waiting_bytes += bytes;
        key
    }

    /// Enters a call that does not wait.
    #[cfg(any(test, feature = "http"))]
    pub(super) fn watch(&mut self, call: T, due: Instant) -> CallKey {
        self.insert(None, due, 0, call, Stage::Running)
    }

    fn insert(
        &mut self,
        id: Option<RequestId>,
        due: Instant,
        bytes: usize,
        call: T,
        stage: Stage<W>,
    ) -> CallKey {
        let key = self.next_key();
        self.last_serial = key.serial;
        self.len += 1;
        self.earliest = Some(self.earliest.map_or(due, |earliest| earliest.min(due)));
        let entry = Slot::Used(Entry {
            serial: key.serial,
            id,
            due,
            bytes,
            stage,
            call,
        });
        match self.slots.get_mut(key.slot as usize) {
            Some(slot) => {
                if let Slot::Unused { next } = std::mem::replace(slot, entry) {
                    self.free = next;
                }
            }
            None => {
                // By hand: the first allocation of a `Vec` has room for four, and
                // most sessions never have two calls at once.
                if self.slots.len() == self.slots.capacity() {
                    self.slots.reserve_exact(self.slots.len().max(1));
                }
                self.slots.push(entry);
            }
        }
        key
    }

    pub(super) fn take(&mut self, slot: u32) -> Option<Entry<T, W>> {
        let place = self.slots.get_mut(slot as usize)?;
        if matches!(place, Slot::Unused { .. }) {
            return None;
        }
        let unused = Slot::Unused { next: self.free };
        let Slot::Used(entry) = std::mem::replace(place, unused) else {
            return None;
        };
        self.free = slot;
        self.len -= 1;
        Some(entry)
    }

    /// Takes the entry that has waited longest out of the queue.
    pub(super) fn unqueue_first(&mut self) -> Option<(CallKey, W)> {
        let slot = self.first;
        let work = self.unqueue(slot)?;
        let serial = self.get(slot)?.serial;
        Some((CallKey { slot, serial }, work))
    }

    /// Takes the entry out of the queue, if it waits there.
    pub(super) fn unqueue(&mut self, slot: u32) -> Option<W> {
        let Slot::Used(entry) = self.slots.get_mut(slot as usize)? else {
            return None;
        };
        let Stage::Waiting {
            previous,
            next,
            work,
        } = std::mem::replace(&mut entry.stage, Stage::Running)
        else {
            return None;
        };
        self.waiting -= 1;
        self.waiting_bytes -= entry.bytes;
        match self.links(previous) {
            Some((_, its_next)) => *its_next = next,
            None => self.first = next,
        }
        match self.links(next) {
            Some((its_previous, _)) => *its_previous = previous,
            None => self.last = previous,
        }
        Some(work)
    }

    /// The neighbours of a waiting entry.
    fn links(&mut self, slot: u32) -> Option<(&mut u32, &mut u32)> {
        match self.slots.get_mut(slot as usize)? {
            Slot::Used(Entry {
                stage: Stage::Waiting { previous, next, .. },
                ..
            }) => Some((previous, next)),
            _ => None,
        }
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry<T, W>> {
        match self.slots.get(slot as usize)? {
            Slot::Used(entry) => Some(entry),
            Slot::Unused { .. } => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: CallKey) -> Option<&mut Entry<T, W>> {
        match self.slots.get_mut(key.slot as usize)? {
            Slot::Used(entry) if entry.serial == key.serial => Some(entry),
            _ => None,
        }
    }

    pub(super) fn used(&self) -> impl Iterator<Item = &Entry<T, W>> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Used(entry) => Some(entry),
            Slot::Unused { .. } => None,
        })
    }

    #[cfg(any(test, feature = "http"))]
    pub(super) fn used_mut(&mut self) -> impl Iterator<Item = &mut Entry<T, W>> {
        self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Used(entry) => Some(entry),
            Slot::Unused { .. } => None,
        })
    }

    pub(super) fn set_due(&mut self, slot: u32, due: Instant) {
        if let Some(Slot::Used(entry)) = self.slots.get_mut(slot as usize) {
            entry.due = due;
        }
    }

    /// Finds when the next entry is due. One that was due by `now` and is still here
    /// has ended by itself, and is about to be taken out.
    pub(super) fn find_earliest(&mut self, now: Instant) {
        let due = self.used().map(|entry| entry.due);
        self.earliest = due.filter(|due| *due > now).min();
    }

    /// The slots of the entries that match.
    pub(super) fn slots_where(&self, matches: impl Fn(&Entry<T, W>) -> bool) -> Vec<u32> {
        let slots = (0..).zip(&self.slots);
        slots
            .filter(|(_, slot)| matches!(slot, Slot::Used(entry) if matches(entry)))
            .map(|(slot, _)| slot)
            .collect()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Gives back slots above so many. No entry is left.
    pub(super) fn shrink_to(&mut self, kept: usize) {
        if self.slots.capacity() > kept {
            self.slots = Vec::new();
            self.free = NONE;
            self.returning
                .take_if(|returning| returning.queue.is_empty());
        }
    }
}
