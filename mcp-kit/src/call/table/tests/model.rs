//! What should be in a table after each step, and the checks that it is.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::super::*;
use super::{LIMITS, id};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    GivenUp,
    Cancelled,
    /// The client was gone.
    Closed,
    /// It was never admitted, and answered so.
    Refused,
}

/// What is known of a request that was admitted.
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) key: CallKey,
    bytes: usize,
    due: Instant,
    is_waiting: bool,
    pub(super) ends: Vec<End>,
    /// Whatever the table keeps for it.
    pub(super) kept: Kept,
}

pub(super) type Kept = Rc<Fate>;

#[derive(Default)]
pub(super) struct Fate {
    /// The call has ended by itself, so that its answer is on the way.
    pub(super) has_ended: Cell<bool>,
    /// By how much pauses have moved its deadline.
    pub(super) paused: Cell<Duration>,
}

impl Request {
    fn due(&self) -> Instant {
        self.due + self.kept.paused.get()
    }
}

/// The right to end a call from outside.
fn end(kept: &Kept) -> Option<()> {
    (!kept.has_ended.get()).then_some(())
}

/// A handler that waits for the permit that it gave back.
pub(super) struct Returning {
    handler: usize,
    place: Option<ReturnPlace>,
    woken: Arc<Woken>,
}

#[derive(Default)]
pub(super) struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A table and what should be in it.
pub(super) struct Model {
    pub(super) table: CallTable<Kept, Kept>,
    pub(super) requests: Vec<Request>,
    /// Requests that wait, in their order.
    queue: VecDeque<usize>,
    /// Requests whose handlers have a permit; their calls may have ended.
    pub(super) handlers: Vec<usize>,
    /// Requests whose handlers gave their permit back to ask the client.
    pub(super) asking: Vec<usize>,
    /// Those that have their answer and wait for a permit, in their order.
    pub(super) returning: Vec<Returning>,
    held_elsewhere: Vec<RequestId>,
    now: Instant,
    pub(super) refused: usize,
    pub(super) is_closed: bool,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            table: CallTable::new(LIMITS),
            requests: Vec::new(),
            queue: VecDeque::new(),
            handlers: Vec::new(),
            asking: Vec::new(),
            returning: Vec::new(),
            held_elsewhere: vec![id(1)],
            now: Instant::now(),
            refused: 0,
            is_closed: false,
        }
    }

    fn waiting_bytes(&self) -> usize {
        let waiting = self.queue.iter().map(|&at| self.requests[at].bytes);
        waiting.sum()
    }

    fn open(&self) -> impl Iterator<Item = &Request> {
        let requests = self.requests.iter();
        requests.filter(|request| request.ends.is_empty())
    }

    pub(super) fn take(&mut self, id: RequestId, bytes: usize, time: Duration) {
        let is_open = self.open().any(|request| request.id == id);
        let is_held = self.held_elsewhere.contains(&id);
        let is_full = self.queue.len() >= LIMITS.waiting
            || (self.waiting_bytes() + bytes > LIMITS.waiting_bytes && !self.queue.is_empty());
        let expected = match () {
            () if self.is_closed => Err(NotAdmitted::Closed),
            () if is_open || is_held => Err(NotAdmitted::DuplicateId),
            () if is_full => Err(NotAdmitted::Full),
            () => Ok(()),
        };
        let must_wait = !self.queue.is_empty() || self.free() <= self.returning.len();
        let held = &self.held_elsewhere;
        let place = self.table.admit(&id, bytes, |id| held.contains(id));
        match place {
            Err(why) => {
                assert_eq!(expected, Err(why));
                self.refused += 1;
            }
            Ok(place) => {
                assert_eq!(expected, Ok(()));
                assert_eq!(place.must_wait(), must_wait);
                let (due, kept) = (self.now + time, Kept::default());
                let promised = place.key();
                let key = place.fill(Rc::clone(&kept), Rc::clone(&kept), due);
                assert_eq!(key, promised);
                let is_new = self.requests.iter().all(|request| request.key != key);
                assert!(is_new, "{key:?} is given out twice");
                self.queue.push_back(self.requests.len());
                self.requests.push(Request {
                    id,
                    key,
                    bytes,
                    due,
                    is_waiting: true,
                    ends: Vec::new(),
                    kept,
                });
            }
        }
    }

    pub(super) fn start(&mut self) {
        let may_start = self.free() > self.returning.len() && !self.is_closed;
        assert_eq!(
            self.table.can_start(),
            may_start && !self.queue.is_empty(),
            "whether a call can start"
        );
        match self.table.start() {
            None => assert!(!may_start || self.queue.is_empty()),
            Some((key, _work)) => {
                let at = self.queue.pop_front().expect("a call waits");
                let request = &mut self.requests[at];
                assert_eq!(request.key, key, "the longest waiting call is next");
                request.is_waiting = false;
                self.handlers.push(at);
            }
        }
    }

    /// The handler of a request ends: it answers, unless the call has ended, and
    /// its permit comes back. `unwinds` if it panicked, which is answered the same.
    pub(super) fn end_handler(&mut self, handler: usize) {
        let at = self.handlers.swap_remove(handler);
        let key = self.requests[at].key;
        let removed = self.table.finish(key);
        assert_eq!(removed.is_some(), self.requests[at].ends.is_empty());
        self.ended(removed, End::Answered);
        self.release();
    }

    /// A handler's task is dropped before it has answered: with its runtime, or
    /// because it was aborted.
    pub(super) fn drop_handler(&mut self, handler: usize) {
        let at = self.handlers.swap_remove(handler);
        let removed = self.table.finish(self.requests[at].key);
        self.ended(removed, End::GivenUp);
        self.release();
    }

    /// Permits that no handler has.
    pub(super) fn free(&self) -> usize {
        LIMITS.running.saturating_sub(self.handlers.len())
    }

    fn release(&mut self) {
        self.table.release().into_iter().for_each(Waker::wake);
    }

    /// A handler asks its client, and gives its permit back.
    pub(super) fn ask(&mut self, handler: usize) {
        let at = self.handlers.swap_remove(handler);
        self.asking.push(at);
        self.release();
    }

    /// The client answers.
    pub(super) fn answer(&mut self, asking: usize) {
        let handler = self.asking.swap_remove(asking);
        self.returning.push(Returning {
            handler,
            place: None,
            woken: Arc::default(),
        });
        self.retake(self.returning.len() - 1);
    }

    /// A handler that returns tries to take its permit again.
    pub(super) fn retake(&mut self, at: usize) {
        let may_run = at < self.free() || self.is_closed;
        let one = &mut self.returning[at];
        one.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&one.woken));
        assert_eq!(self.table.retake(&mut one.place, &waker), may_run);
        assert_eq!(one.place.is_none(), may_run);
        if may_run {
            let returned = self.returning.remove(at);
            self.handlers.push(returned.handler);
        }
    }

    /// A handler is dropped while it asks, or before it has its permit again.
    pub(super) fn drop_asking(&mut self, at: usize) {
        let handler = match at.checked_sub(self.asking.len()) {
            None => self.asking.swap_remove(at),
            Some(at) => {
                let returning = self.returning.remove(at);
                let place = returning.place.expect("it waits");
                self.table.leave(place).into_iter().for_each(Waker::wake);
                assert!(self.table.leave(place).is_none());
                returning.handler
            }
        };
        let removed = self.table.finish(self.requests[handler].key);
        self.ended(removed, End::GivenUp);
    }

    pub(super) fn cancel(&mut self, id: &RequestId) {
        let is_open = self.open().any(|request| request.id == *id);
        assert_eq!(self.table.contains(id), is_open);
        let removed = self.table.cancel(id);
        assert_eq!(removed.is_some(), is_open);
        self.ended(removed, End::Cancelled);
    }

    pub(super) fn expire(&mut self, by: Duration) {
        self.now += by;
        let now = self.now;
        let is_late = |request: &&Request| request.due() <= now && !request.kept.has_ended.get();
        let late = self.open().filter(is_late).count();
        let requests = &self.requests;
        let removed = self.table.expire(now, |kept| {
            let request = requests.iter().find(|one| Rc::ptr_eq(&one.kept, kept));
            let due = request.expect("a call that was admitted").due();
            match end(kept) {
                _ if due > now => Due::Later(due),
                Some(()) => Due::Ended(()),
                None => Due::HasEnded,
            }
        });
        assert_eq!(removed.len(), late);
        self.given_up(removed);
        assert_eq!(self.open().filter(is_late).count(), 0);
    }

    pub(super) fn give_up_all(&mut self) {
        let removed = self.table.give_up_all(end);
        self.given_up(removed);
        assert!(self.open().all(|request| request.kept.has_ended.get()));
    }

    fn given_up(&mut self, removed: Vec<(Removed<Kept, Kept>, ())>) {
        let removed = removed.into_iter().map(|(removed, ())| removed);
        self.ended(removed, End::GivenUp);
    }

    pub(super) fn ended(
        &mut self,
        removed: impl IntoIterator<Item = Removed<Kept, Kept>>,
        end: End,
    ) {
        for removed in removed {
            let mut requests = self.requests.iter_mut();
            let at = requests
                .position(|request| request.key == removed.key)
                .expect("a call that was admitted");
            let request = &mut self.requests[at];
            assert!(Rc::ptr_eq(&removed.call, &request.kept));
            assert_eq!(removed.work.is_some(), request.is_waiting);
            request.is_waiting = false;
            request.ends.push(end);
            self.queue.retain(|&waiting| waiting != at);
        }
    }

    pub(super) fn check(&self) {
        let table = &self.table;
        assert_eq!(table.len(), self.open().count());
        assert_eq!(table.calls().count(), table.len());
        assert_eq!(table.running(), self.handlers.len(), "permits");
        assert_eq!(table.entries.returning(), self.returning.len());
        for returning in self.returning.iter().take(self.free()) {
            let is_woken = returning.woken.0.load(Ordering::Relaxed);
            assert!(is_woken, "a handler that may return is not woken");
        }
        assert_eq!(table.entries.waiting, self.queue.len());
        assert_eq!(table.entries.waiting_bytes, self.waiting_bytes());
        assert_eq!(table.ids.len(), table.len());
        let late = self.open().filter(|request| !request.kept.has_ended.get());
        if let Some(earliest) = late.map(Request::due).min() {
            let next = table.next_due();
            assert!(
                next.is_some_and(|next| next <= earliest),
                "a call would be late"
            );
        }
        assert!(!table.is_empty() || table.next_due().is_none());
        for request in &self.requests {
            assert!(request.ends.len() <= 1, "{:?}", request.ends);
            let is_open = request.ends.is_empty();
            assert_eq!(
                table
                    .entries
                    .get(request.key.slot)
                    .is_some_and(|entry| entry.serial == request.key.serial),
                is_open
            );
            // What the table keeps of a call is one or both, and nothing afterwards.
            let kept = usize::from(is_open) + usize::from(request.is_waiting);
            assert_eq!(Rc::strong_count(&request.kept) - 1, kept);
        }
    }
}
