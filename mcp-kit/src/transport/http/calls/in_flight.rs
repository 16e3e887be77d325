//! Calls in flight, and the task that looks after them.
//!
//! The server's ticker wakes that task while calls run. Whatever is due for a call
//! is done there, so that a call needs no timer.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::call::{Ticked, Ticker, Ticking};
use crate::transport::http::calls::call::Call;

/// The calls of a service that run.
pub(crate) struct InFlight {
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

/// A call that runs until this is dropped.
pub(crate) struct OpenCall {
    all: Arc<InFlight>,
    place: usize,
}

impl InFlight {
    /// None yet; `ticker` wakes the task while some run.
    pub(crate) fn new(ticker: &Ticker) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            calls: Mutex::default(),
            no_calls: Notify::new(),
            ticking: ticker.register(Weak::<Self>::clone(this)),
            has_task: AtomicBool::new(false),
            task: Mutex::default(),
        })
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
            all: Arc::clone(self),
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

impl Ticked for InFlight {
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
impl Drop for InFlight {
    fn drop(&mut self) {
        self.wake();
    }
}

/// The task that looks after the calls; once it is dropped, the next call starts
/// another.
struct LookAfter(Weak<InFlight>);

impl LookAfter {
    /// Looks after the calls whenever it is woken.
    async fn run(self) {
        poll_fn(|cx| {
            let Some(calls) = self.0.upgrade() else {
                return Poll::Ready(());
            };
            let waker = Some(cx.waker().clone());
            *calls.task.lock().unwrap_or_else(PoisonError::into_inner) = waker;
            calls.look(Instant::now());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for LookAfter {
    fn drop(&mut self) {
        if let Some(calls) = self.0.upgrade() {
            calls.has_task.store(false, Ordering::Release);
        }
    }
}

impl Places {
    fn is_empty(&self) -> bool {
        self.free.len() == self.calls.len()
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut places = self.all.places();
        let left = places.calls[self.place].take();
        places.free.push(self.place);
        let is_empty = places.is_empty();
        drop(places);
        drop(left);
        if is_empty {
            self.all.no_calls.notify_waiters();
        }
    }
}
