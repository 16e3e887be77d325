//! What is going on: requests that are open, and calls that run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::calls::Call;

/// Counts requests, and knows the calls.
pub(super) struct Open {
    requests: AtomicUsize,
    /// With so many of them open, a caller that has calls waiting gets no more.
    half: AtomicUsize,
    /// Those of them whose answers are on their way.
    answers: AtomicUsize,
    calls: Mutex<Places>,
    no_calls: Notify,
}

/// Calls by their place; free places are used again.
#[derive(Default)]
struct Places {
    calls: Vec<Option<Known>>,
    free: Vec<usize>,
}

struct Known {
    call: Weak<Call>,
    /// When it is to be looked at.
    due: Instant,
}

/// A request that is open until this is dropped.
pub(super) struct OpenRequest {
    open: Arc<Open>,
    /// It has a place among those that may be open.
    has_place: bool,
    is_answered: bool,
}

/// A call that runs until this is dropped.
pub(super) struct OpenCall {
    open: Arc<Open>,
    place: usize,
}

impl Open {
    /// Counts a request, unless there are `most` already.
    pub(super) fn request(self: &Arc<Self>, most: usize) -> Option<OpenRequest> {
        let request = OpenRequest {
            open: Arc::clone(self),
            has_place: true,
            is_answered: false,
        };
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(request)
    }

    /// None yet, of so many that there may be.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            half: AtomicUsize::new(most / 2),
            answers: AtomicUsize::new(0),
            calls: Mutex::default(),
            no_calls: Notify::new(),
        })
    }

    /// There are so many connections at most.
    pub(super) fn limit(&self, connections: usize) {
        self.half.fetch_min(connections / 2, Ordering::Relaxed);
    }

    /// Whether requests take up half of the connections. A call that would wait
    /// is refused then: the waiting calls of one caller would take up all of
    /// them.
    pub(super) fn is_half_full(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > self.half.load(Ordering::Relaxed)
    }

    /// Whether answers are on their way.
    pub(super) fn has_answers(&self) -> bool {
        self.answers.load(Ordering::Acquire) > 0
    }

    /// Knows a call from now on.
    pub(super) fn call(self: &Arc<Self>, call: &Arc<Call>) -> OpenCall {
        let call = Some(Known {
            due: call.due(call.received_at()),
            call: Arc::downgrade(call),
        });
        let mut places = self.places();
        let place = match places.free.pop() {
            Some(place) => {
                places.calls[place] = call;
                place
            }
            None => {
                places.calls.push(call);
                places.calls.len() - 1
            }
        };
        drop(places);
        OpenCall {
            open: Arc::clone(self),
            place,
        }
    }

    /// The calls that run.
    pub(super) fn calls(&self) -> Vec<Arc<Call>> {
        let places = self.places();
        let calls = places.calls.iter().flatten();
        calls.filter_map(|known| known.call.upgrade()).collect()
    }

    /// Looks after the calls that run: see [`Call::look`].
    pub(super) fn look(&self, now: Instant) {
        let mut due = Vec::new();
        for known in self.places().calls.iter_mut().flatten() {
            if known.due <= now
                && let Some(call) = known.call.upgrade()
            {
                known.due = call.due(now);
                due.push(call);
            }
        }
        // Not under the lock: it runs others' code.
        for call in due {
            let looked = catch_unwind(AssertUnwindSafe(|| call.look(now)));
            if looked.is_err() {
                // It is answered all the same, and the others are looked after.
                call.lose();
            }
        }
    }

    /// Waits until no call runs.
    pub(super) async fn no_calls(&self) {
        loop {
            let ended = self.no_calls.notified();
            tokio::pin!(ended);
            // Registered before the look, so that no end is missed.
            ended.as_mut().enable();
            if self.places().is_empty() {
                return;
            }
            ended.await;
        }
    }

    /// A poisoned lock holds nothing half-done here: every change is one step.
    fn places(&self) -> MutexGuard<'_, Places> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn is_empty(&self) -> bool {
        self.free.len() == self.calls.len()
    }
}

impl OpenRequest {
    /// Its answer has no end of its own, and another bound.
    #[cfg(feature = "sse")]
    pub(super) fn endless(mut self) -> Self {
        if std::mem::take(&mut self.has_place) {
            self.open.requests.fetch_sub(1, Ordering::Relaxed);
        }
        self
    }

    /// Its answer is on its way.
    pub(super) fn answered(mut self) -> Self {
        self.is_answered = true;
        self.open.answers.fetch_add(1, Ordering::AcqRel);
        self
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if self.has_place {
            self.open.requests.fetch_sub(1, Ordering::Relaxed);
        }
        if self.is_answered {
            self.open.answers.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut places = self.open.places();
        let left = places.calls[self.place].take();
        places.free.push(self.place);
        let is_empty = places.is_empty();
        drop(places);
        drop(left);
        if is_empty {
            self.open.no_calls.notify_waiters();
        }
    }
}
