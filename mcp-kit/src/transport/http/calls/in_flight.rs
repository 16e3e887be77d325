//! Keeps the calls in flight, and the task that checks them.
//!
//! The server's ticker wakes that task while calls run. The task does whatever
//! is due for a call, so a call needs no timer.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, Weak};
use std::task::{Poll, Waker};

use crate::support::lock::Lock;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::call::{CallKey, CallTable, Ticked, Ticker, Ticking};
use crate::transport::http::calls::call::Call;

/// The running calls of a service.
pub(crate) struct InFlight {
    calls: Lock<CallTable<Weak<Call>>>,
    no_calls: Notify,
    ticking: Ticking,
    /// Whether there is a task to wake. It ends with the runtime that it was
    /// started on, which need not be the last one.
    has_task: AtomicBool,
    task: Lock<Option<Waker>>,
}

/// A call that runs until this is dropped.
pub(crate) struct OpenCall {
    all: Arc<InFlight>,
    key: CallKey,
}

impl InFlight {
    /// Creates an empty table; `ticker` wakes the task while calls run.
    pub(crate) fn new(ticker: &Ticker) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            calls: Lock::default(),
            no_calls: Notify::new(),
            ticking: ticker.register(Weak::<Self>::clone(this)),
            has_task: AtomicBool::new(false),
            task: Lock::default(),
        })
    }

    /// Adds a call.
    pub(crate) fn call(self: &Arc<Self>, call: &Arc<Call>) -> OpenCall {
        let due = call.due(call.received_at());
        let key = self.table().watch(Arc::downgrade(call), due);
        self.ticking.start();
        if !self.has_task.load(Ordering::Relaxed) && !self.has_task.swap(true, Ordering::AcqRel) {
            tokio::spawn(LookAfter(Arc::downgrade(self)).run());
        }
        OpenCall {
            all: Arc::clone(self),
            key,
        }
    }

    /// Returns the running calls.
    pub(crate) fn calls(&self) -> Vec<Arc<Call>> {
        self.table().calls().filter_map(Weak::upgrade).collect()
    }

    /// Checks the running calls: see [`Call::look`].
    pub(crate) fn look(&self, now: Instant) {
        let mut due = Vec::new();
        self.table().visit_due(now, |known| match known.upgrade() {
            Some(call) => {
                let next = call.due(now);
                due.push(call);
                next
            }
            None => now, // it is on its way out
        });
        // Not under the lock: it runs code of others.
        for call in due {
            let looked = catch_unwind(AssertUnwindSafe(|| call.look(now)));
            if looked.is_err() {
                // The call is still answered, and the others are still checked.
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
            if self.table().is_empty() {
                return;
            }
            ended.await;
        }
    }

    fn table(&self) -> MutexGuard<'_, CallTable<Weak<Call>>> {
        self.calls.lock()
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
        !self.table().is_empty()
    }

    fn wake(&self) {
        let task = self.task.lock();
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

/// The task that checks the calls. Once it is dropped, the next call starts
/// another.
struct LookAfter(Weak<InFlight>);

impl LookAfter {
    /// Checks the calls whenever it is woken.
    async fn run(self) {
        poll_fn(|cx| {
            let Some(calls) = self.0.upgrade() else {
                return Poll::Ready(());
            };
            let waker = Some(cx.waker().clone());
            *calls.task.lock() = waker;
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

impl Drop for OpenCall {
    fn drop(&mut self) {
        let (left, is_empty) = {
            let mut table = self.all.table();
            (table.finish(self.key), table.is_empty())
        };
        drop(left);
        if is_empty {
            self.all.no_calls.notify_waiters();
        }
    }
}
