//! Keeps a connection served while a handler blocks a thread of the runtime.
//!
//! Where the thread that waits for IO and timers is the one that a handler
//! blocks, tokio wakes no other to take over. A thread of our own does: while
//! calls are open it wakes the connection at a steady pace, and with it a
//! worker. It sleeps while nothing is open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::calls::Calls;

/// How long a blocked thread can go unnoticed.
const PACE: Duration = Duration::from_millis(20);

pub(super) struct Heartbeat {
    calls: Weak<Calls>,
    thread: Option<Thread>,
    is_asleep: Arc<AtomicBool>,
}

impl Heartbeat {
    pub(super) fn new(calls: &Arc<Calls>) -> Self {
        Self {
            calls: Arc::downgrade(calls),
            thread: None,
            is_asleep: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A call is open: beat, until none is.
    pub(super) fn start(&mut self) {
        match &self.thread {
            Some(thread) => {
                if self.is_asleep.load(Ordering::Relaxed)
                    && self.is_asleep.swap(false, Ordering::AcqRel)
                {
                    thread.unpark();
                }
            }
            None => {
                let calls = Weak::clone(&self.calls);
                let is_asleep = Arc::clone(&self.is_asleep);
                let started = thread::Builder::new()
                    .name("mcp-heartbeat".to_owned())
                    .stack_size(64 * 1024)
                    .spawn(move || run(&calls, &is_asleep));
                match started {
                    Ok(handle) => {
                        let thread = handle.thread().clone();
                        if let Some(calls) = self.calls.upgrade() {
                            calls.set_heartbeat(thread.clone());
                        }
                        self.thread = Some(thread);
                    }
                    Err(error) => tracing::warn!(
                        target: "mcp_kit::transport",
                        %error,
                        "no thread for the heartbeat: a handler that blocks may delay others"
                    ),
                }
            }
        }
    }
}

/// The thread ends with its connection.
impl Drop for Heartbeat {
    fn drop(&mut self) {
        if let Some(thread) = &self.thread {
            self.is_asleep.store(false, Ordering::Release);
            thread.unpark();
        }
    }
}

fn run(calls: &Weak<Calls>, is_asleep: &AtomicBool) {
    let mut last_look = Instant::now();
    loop {
        thread::park_timeout(PACE);
        let Some(calls) = calls.upgrade() else {
            return;
        };
        // Unparked early it is asked to wake the connection, and no more.
        if last_look.elapsed() < PACE {
            calls.wake();
            continue;
        }
        last_look = Instant::now();
        if calls.relieve() {
            calls.wake();
            continue;
        }
        is_asleep.store(true, Ordering::Release);
        // A call that came between the look and the store found nobody asleep.
        if calls.has_open() {
            is_asleep.store(false, Ordering::Release);
            continue;
        }
        drop(calls);
        while is_asleep.load(Ordering::Acquire) {
            thread::park();
        }
    }
}
