//! Looks after calls at a steady pace, and keeps timers and sockets served
//! while a handler blocks a thread of the runtime.
//!
//! Where the thread that waits for IO and timers is the one that a handler
//! blocks, tokio wakes no other to take over. A thread of our own does: while
//! calls run it wakes a task at a steady pace, and with it a worker. Whatever
//! is due for a call is done by that task, so that a call needs no timer.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::open::Open;

/// How long a blocked thread can go unnoticed.
const PACE: Duration = Duration::from_millis(20);

/// One for a server.
pub(super) struct Pulse {
    open: Arc<Open>,
    running: AtomicUsize,
    is_asleep: AtomicBool,
    thread: OnceLock<Option<Thread>>,
    /// There is a task to wake. It ends with the runtime that it was started
    /// on, which need not be the last one.
    has_task: AtomicBool,
    task: Mutex<Option<Waker>>,
}

/// A call runs until this is dropped.
pub(super) struct Beating(Arc<Pulse>);

impl Pulse {
    pub(super) fn new(open: &Arc<Open>) -> Arc<Self> {
        Arc::new(Self {
            open: Arc::clone(open),
            running: AtomicUsize::new(0),
            is_asleep: AtomicBool::new(false),
            thread: OnceLock::new(),
            has_task: AtomicBool::new(false),
            task: Mutex::default(),
        })
    }

    /// A call begins.
    pub(super) fn beat(self: &Arc<Self>) -> Beating {
        // In this order for all to see: the thread looks at both the other way
        // round before it sleeps.
        self.running.fetch_add(1, Ordering::SeqCst);
        let thread = self.thread.get_or_init(|| self.start());
        if let Some(thread) = thread
            && self.is_asleep.load(Ordering::SeqCst)
            && self.is_asleep.swap(false, Ordering::AcqRel)
        {
            thread.unpark();
        }
        if !self.has_task.load(Ordering::Relaxed) {
            self.start_task(thread.is_some());
        }
        Beating(Arc::clone(self))
    }

    fn start(self: &Arc<Self>) -> Option<Thread> {
        let pulse = Arc::downgrade(self);
        let started = thread::Builder::new()
            .name("mcp-pulse".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || run(&pulse));
        match started {
            Ok(handle) => Some(handle.thread().clone()),
            Err(error) => {
                tracing::warn!(
                    target: "mcp_kit::transport",
                    %error,
                    "no thread for the pulse: a handler that blocks may delay others"
                );
                None
            }
        }
    }

    /// Starts the task, unless another call was quicker. Without a thread a
    /// timer wakes it.
    fn start_task(self: &Arc<Self>, has_thread: bool) {
        if !self.has_task.swap(true, Ordering::AcqRel) {
            let task = Task(Arc::downgrade(self));
            tokio::spawn(task.be_woken((!has_thread).then_some(PACE)));
        }
    }

    fn wake(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The thread ends with its server.
impl Drop for Pulse {
    fn drop(&mut self) {
        if let Some(Some(thread)) = self.thread.get() {
            thread.unpark();
        }
        self.wake();
    }
}

/// The task; once it is dropped, the next call starts another.
struct Task(Weak<Pulse>);

impl Task {
    /// Looks after the calls whenever it is woken.
    async fn be_woken(self, pace: Option<Duration>) {
        let mut timer = pace.map(interval);
        poll_fn(|cx| {
            if let Some(timer) = &mut timer {
                while timer.poll_tick(cx).is_ready() {}
            }
            let Some(pulse) = self.0.upgrade() else {
                return Poll::Ready(());
            };
            let waker = Some(cx.waker().clone());
            *pulse.task.lock().unwrap_or_else(PoisonError::into_inner) = waker;
            pulse.open.look(Instant::now());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(pulse) = self.0.upgrade() {
            pulse.has_task.store(false, Ordering::Release);
        }
    }
}

fn run(pulse: &Weak<Pulse>) {
    loop {
        thread::park_timeout(PACE);
        let Some(living) = pulse.upgrade() else {
            return;
        };
        if living.running.load(Ordering::Relaxed) > 0 {
            living.wake();
            continue;
        }
        living.is_asleep.store(true, Ordering::SeqCst);
        // A call that came between the look and the store found nobody asleep.
        if living.running.load(Ordering::SeqCst) > 0 {
            living.is_asleep.store(false, Ordering::Relaxed);
            continue;
        }
        drop(living);
        // Unparked by a call, or by the end of the server.
        thread::park();
        if let Some(living) = pulse.upgrade() {
            living.is_asleep.store(false, Ordering::Relaxed);
        }
    }
}
