//! Ticks while calls are open, from outside of the runtime.
//!
//! If a handler blocks the very thread of a runtime that waits for IO and
//! timers, tokio wakes no other thread to take over. So a thread of this crate
//! does: while calls are open it ticks every 20 ms, and each tick wakes the
//! task that checks the calls, and with it a worker. That task expires calls,
//! opens streams and notices clients that have left, so that a call needs no
//! timer. While no call is open the thread sleeps.
//!
//! ```text
//!   connection ── register ──▶ ┐                       ┌── tick ──▶ connection's task
//!   HTTP calls ── register ──▶ ┤ Ticker of the server  ┤
//!                 start, wake  ┘ (one thread)          └── tick ──▶ task for HTTP calls
//! ```
//!
//! A server has one ticker, shared by its connections and its HTTP services:
//! one thread, however many connections there are, which ends with the server.
//! It is not one of the process, so that a test can give its server a ticker
//! that it drives. If the thread cannot be started, a task with a timer takes
//! its place: which also ticks, unless a handler blocks the thread with the
//! timers.
//!
//! # Memory ordering
//!
//! [`Ticking::start`] must cost nothing if ticks come already, so it only reads
//! a flag, and the ticker clears that flag when it finds no open call. A call
//! that is entered between the look and the clearing must not be missed. Two
//! rules ensure that, and no atomic operation here is stronger than `Relaxed`:
//!
//! 1. The owner enters a call under a mutex, and calls `start` after that mutex is
//!    released.
//! 2. The ticker clears the flag first, and then asks [`Ticked::has_open`], which
//!    takes the same mutex.
//!
//! The two critical sections have an order. If the owner's comes first,
//! `has_open` sees the call, and ticking continues. If the ticker's comes
//! first, its release of the mutex happens before the owner takes it, so
//! `start` reads the cleared flag and starts again. Whether the thread itself
//! sleeps is decided under the ticker's own mutex.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::support::lock::Lock;
use crate::support::task::spawn_on;
use crate::support::threads;

use tokio::runtime::Handle;

/// How long a blocked thread can go unnoticed.
const PACE: Duration = Duration::from_millis(20);

/// The owner of calls, which is woken to check them.
pub(crate) trait Ticked: Send + Sync {
    /// A tick: wakes the task that checks the calls. Returns whether a call is
    /// open. It must not block.
    fn tick(&self) -> bool;

    /// Whether a call is open, read under the mutex under which calls are entered.
    fn has_open(&self) -> bool;

    /// Wakes the task that checks the calls.
    fn wake(&self);
}

/// Ticks for the calls of a server.
#[derive(Clone, Default)]
pub(crate) struct Ticker(Arc<Shared>);

/// What was registered with a ticker, until this is dropped.
pub(crate) struct Ticking {
    shared: Arc<Shared>,
    member: Arc<Member>,
}

#[derive(Default)]
struct Shared {
    /// Set once it was needed; `None` if it could not be started, or is
    /// disabled.
    thread: OnceLock<Option<Thread>>,
    list: Lock<List>,
    /// Whether a test ticks.
    #[cfg(test)]
    is_by_hand: bool,
}

#[derive(Default)]
struct List {
    ticking: Vec<Arc<Member>>,
    /// The members to be woken now.
    urgent: Vec<Arc<Member>>,
    /// The thread is awake, or the task is there.
    is_driven: bool,
}

struct Member {
    ticked: Weak<dyn Ticked>,
    /// It is in `List::ticking`, or a tick is just being decided upon.
    is_ticking: AtomicBool,
    /// It is in `List::urgent`.
    is_urgent: AtomicBool,
}

impl Ticker {
    /// Starts no thread, unless there is one: a task ticks on tokio's clock, also
    /// where that is paused.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn use_timer(&self) {
        let _ = self.0.thread.set(None);
    }

    /// Creates a ticker that a test drives.
    #[cfg(test)]
    pub(crate) fn by_hand() -> Self {
        let mut shared = Shared::default();
        shared.is_by_hand = true;
        let ticker = Self(Arc::new(shared));
        ticker.use_timer();
        ticker
    }

    /// Makes one tick. Returns whether anything will tick again.
    #[cfg(test)]
    pub(crate) fn tick(&self) -> bool {
        self.0.wake_urgent();
        self.0.tick();
        !self.0.may_rest()
    }

    /// Registers an owner of calls. It does not tick yet.
    pub(crate) fn register(&self, ticked: Weak<dyn Ticked>) -> Ticking {
        Ticking {
            shared: Arc::clone(&self.0),
            member: Arc::new(Member {
                ticked,
                is_ticking: AtomicBool::new(false),
                is_urgent: AtomicBool::new(false),
            }),
        }
    }
}

impl Ticking {
    /// A call was entered: ticks until none is open.
    pub(crate) fn start(&self) {
        let is_ticking = &self.member.is_ticking;
        if is_ticking.load(Ordering::Relaxed) || is_ticking.swap(true, Ordering::Relaxed) {
            return;
        }
        let was_driven = {
            let mut list = self.shared.lock();
            list.ticking.push(Arc::clone(&self.member));
            std::mem::replace(&mut list.is_driven, true)
        };
        if !was_driven {
            self.shared.drive();
        }
    }

    /// Wakes the task from outside of the runtime. A task that is woken from a
    /// worker is the next one on that worker, and no other takes it: if the handler
    /// that wakes it blocks, the task is stuck behind it.
    ///
    /// The caller must not hold a mutex that [`Ticked::wake`] takes: without a
    /// thread, the task is woken from here.
    pub(crate) fn wake(&self) {
        let Some(thread) = self.shared.thread() else {
            return self.member.wake();
        };
        if !self.member.is_urgent.swap(true, Ordering::AcqRel) {
            self.shared.lock().urgent.push(Arc::clone(&self.member));
            thread.unpark();
        }
    }
}

impl Shared {
    /// Makes sure that something ticks.
    fn drive(self: &Arc<Self>) {
        match self.thread() {
            Some(thread) => thread.unpark(),
            None => self.start_task(),
        }
    }

    /// Returns the thread, unless it could not be started or is disabled.
    fn thread(self: &Arc<Self>) -> Option<&Thread> {
        let thread = self.thread.get_or_init(|| {
            let shared = Arc::downgrade(self);
            let run = Box::new(move || run(&shared));
            let started = threads::start("mcp-ticker", Some(64 * 1024), run);
            match started {
                Ok(handle) => Some(handle.thread().clone()),
                Err(error) => {
                    tracing::warn!(
                        target: "mcp_kit::transport",
                        %error,
                        "no thread for the ticker: a handler that blocks may delay others"
                    );
                    None
                }
            }
        });
        thread.as_ref()
    }

    /// Starts the task that ticks in place of the thread.
    fn start_task(self: &Arc<Self>) {
        #[cfg(test)]
        if self.is_by_hand {
            return;
        }
        let task = Task(Some(Arc::downgrade(self)));
        // Without a runtime there is nothing to wake either.
        if let Ok(runtime) = Handle::try_current() {
            spawn_on(&runtime, task.run());
        }
    }

    fn tick(&self) {
        let mut members = std::mem::take(&mut self.lock().ticking);
        members.retain(|member| member.tick());
        self.lock().ticking.append(&mut members);
    }

    fn wake_urgent(&self) {
        let urgent = std::mem::take(&mut self.lock().urgent);
        for member in urgent {
            // The task sees what was written before `Ticking::wake`.
            member.is_urgent.swap(false, Ordering::AcqRel);
            member.wake();
        }
    }

    /// Whether no member needs ticks, so that [`drive`](Self::drive) is called
    /// before one does.
    fn may_rest(&self) -> bool {
        let mut list = self.lock();
        list.is_driven = !list.ticking.is_empty();
        !list.is_driven
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock()
    }
}

/// The thread ends with its server.
impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(Some(thread)) = self.thread.get() {
            thread.unpark();
        }
    }
}

impl Member {
    /// Ticks, and returns whether to do so again.
    fn tick(&self) -> bool {
        let tick = || {
            (self.ticked.upgrade()).map_or((false, None), |ticked| (ticked.tick(), Some(ticked)))
        };
        // Wakers are the executor's code; a panic in one must not end the
        // others' ticks.
        let (is_open, ticked) = catch_unwind(AssertUnwindSafe(tick)).unwrap_or((false, None));
        if is_open {
            return true;
        }
        // In this order: see the first lines of the module.
        self.is_ticking.store(false, Ordering::Relaxed);
        let has_open = || ticked.is_some_and(|ticked| ticked.has_open());
        let has_open = catch_unwind(AssertUnwindSafe(has_open)).unwrap_or(false);
        has_open && !self.is_ticking.swap(true, Ordering::Relaxed)
    }

    fn wake(&self) {
        let wake = || self.ticked.upgrade().map(|ticked| ticked.wake());
        let _ = catch_unwind(AssertUnwindSafe(wake));
    }
}

/// The thread.
fn run(shared: &Weak<Shared>) {
    let mut next = Instant::now() + PACE;
    loop {
        let Some(living) = shared.upgrade() else {
            return;
        };
        living.wake_urgent();
        let now = Instant::now();
        if now >= next {
            living.tick();
            next = now + PACE;
        }
        let may_rest = living.may_rest();
        drop(living);
        if may_rest {
            thread::park();
            next = Instant::now() + PACE;
        } else {
            thread::park_timeout(next.saturating_duration_since(now));
        }
    }
}

/// The task, while it has not ended by itself.
struct Task(Option<Weak<Shared>>);

impl Task {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(PACE).await;
            let Some(shared) = self.0.as_ref().and_then(Weak::upgrade) else {
                return;
            };
            shared.tick();
            if shared.may_rest() {
                self.0 = None;
                return;
            }
        }
    }
}

/// Its runtime has ended, which need not be the last one: the next call starts
/// another task.
impl Drop for Task {
    fn drop(&mut self) {
        let Some(shared) = self.0.take().and_then(|shared| shared.upgrade()) else {
            return;
        };
        let mut list = shared.lock();
        list.is_driven = false;
        for member in list.ticking.drain(..) {
            member.is_ticking.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
