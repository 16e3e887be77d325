//! What is going on: requests that are open, calls that run, and the task that
//! looks after those.
//!
//! The server's ticker wakes that task while calls run. Whatever is due for a call
//! is done there, so that a call needs no timer.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::call::{Ticked, Ticker, Ticking};
use crate::transport::http::calls::call::Call;

/// Counts requests, and knows the calls.
pub(crate) struct Open {
    requests: AtomicUsize,
    /// With so many of them open, a caller that has calls waiting gets no more.
    half: AtomicUsize,
    /// Those of them whose answers are on their way.
    answers: AtomicUsize,
    calls: Mutex<Places>,
    no_calls: Notify,
    ticking: Ticking,
    /// There is a task to wake. It ends with the runtime that it was started
    /// on, which need not be the last one.
    has_task: AtomicBool,
    task: Mutex<Option<Waker>>,
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
pub(crate) struct OpenRequest {
    open: Arc<Open>,
    /// It has a place among those that may be open.
    has_place: bool,
    is_answered: bool,
}

/// A call that runs until this is dropped.
pub(crate) struct OpenCall {
    open: Arc<Open>,
    place: usize,
}

impl Open {
    /// Counts a request, unless there are `most` already.
    pub(crate) fn request(self: &Arc<Self>, most: usize) -> Option<OpenRequest> {
        let request = OpenRequest {
            open: Arc::clone(self),
            has_place: true,
            is_answered: false,
        };
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        (before < most).then_some(request)
    }

    /// None yet, of so many that there may be.
    pub(crate) fn new(most: usize, ticker: &Ticker) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            requests: AtomicUsize::new(0),
            half: AtomicUsize::new(most / 2),
            answers: AtomicUsize::new(0),
            calls: Mutex::default(),
            no_calls: Notify::new(),
            ticking: ticker.register(Weak::<Self>::clone(this)),
            has_task: AtomicBool::new(false),
            task: Mutex::default(),
        })
    }

    /// There are so many connections at most.
    pub(crate) fn limit(&self, connections: usize) {
        self.half.fetch_min(connections / 2, Ordering::Relaxed);
    }

    /// Whether requests take up half of the connections. A call that would wait
    /// is refused then: the waiting calls of one caller would take up all of
    /// them.
    pub(crate) fn is_half_full(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > self.half.load(Ordering::Relaxed)
    }

    /// Whether answers are on their way.
    pub(crate) fn has_answers(&self) -> bool {
        self.answers.load(Ordering::Acquire) > 0
    }

    /// Knows a call from now on.
    pub(crate) fn call(self: &Arc<Self>, call: &Arc<Call>) -> OpenCall {
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
        self.ticking.start();
        if !self.has_task.load(Ordering::Relaxed) && !self.has_task.swap(true, Ordering::AcqRel) {
            tokio::spawn(LookAfter(Arc::downgrade(self)).run());
        }
        OpenCall {
            open: Arc::clone(self),
            place,
        }
    }

    /// The calls that run.
    pub(crate) fn calls(&self) -> Vec<Arc<Call>> {
        let places = self.places();
        let calls = places.calls.iter().flatten();
        calls.filter_map(|known| known.call.upgrade()).collect()
    }

    /// Looks after the calls that run: see [`Call::look`].
    pub(crate) fn look(&self, now: Instant) {
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
    pub(crate) async fn no_calls(&self) {
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

impl Ticked for Open {
    fn tick(&self) -> bool {
        let has_open = self.has_open();
        if has_open {
            self.wake();
        }
        has_open
    }

    fn has_open(&self) -> bool {
        !self.places().is_empty()
    }

    fn wake(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }
}

/// The task ends with its service.
impl Drop for Open {
    fn drop(&mut self) {
        self.wake();
    }
}

/// The task that looks after the calls; once it is dropped, the next call starts
/// another.
struct LookAfter(Weak<Open>);

impl LookAfter {
    /// Looks after the calls whenever it is woken.
    async fn run(self) {
        poll_fn(|cx| {
            let Some(open) = self.0.upgrade() else {
                return Poll::Ready(());
            };
            let waker = Some(cx.waker().clone());
            *open.task.lock().unwrap_or_else(PoisonError::into_inner) = waker;
            open.look(Instant::now());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for LookAfter {
    fn drop(&mut self) {
        if let Some(open) = self.0.upgrade() {
            open.has_task.store(false, Ordering::Release);
        }
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
    pub(crate) fn endless(mut self) -> Self {
        if std::mem::take(&mut self.has_place) {
            self.open.requests.fetch_sub(1, Ordering::Relaxed);
        }
        self
    }

    /// Its answer is on its way.
    pub(crate) fn answered(mut self) -> Self {
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
