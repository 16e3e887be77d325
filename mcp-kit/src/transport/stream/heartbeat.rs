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
    shared: Arc<Shared>,
    /// That there is no thread was logged.
    is_told: bool,
}

#[derive(Default)]
struct Shared {
    is_asleep: AtomicBool,
    /// The connection is gone. Its calls may live on, in a handler that blocks.
    has_ended: AtomicBool,
}

impl Heartbeat {
    pub(super) fn new(calls: &Arc<Calls>) -> Self {
        Self {
            calls: Arc::downgrade(calls),
            thread: None,
            shared: Arc::default(),
            is_told: false,
        }
    }

    /// A call is open: beat, until none is.
    pub(super) fn start(&mut self) {
        match &self.thread {
            Some(thread) => {
                let is_asleep = &self.shared.is_asleep;
                if is_asleep.load(Ordering::Relaxed) && is_asleep.swap(false, Ordering::AcqRel) {
                    thread.unpark();
                }
            }
            None => {
                let calls = Weak::clone(&self.calls);
                let shared = Arc::clone(&self.shared);
                let started = thread::Builder::new()
                    .name("mcp-heartbeat".to_owned())
                    .stack_size(64 * 1024)
                    .spawn(move || run(&calls, &shared));
                match started {
                    Ok(handle) => {
                        let thread = handle.thread().clone();
                        if let Some(calls) = self.calls.upgrade() {
                            calls.set_heartbeat(thread.clone());
                        }
                        self.thread = Some(thread);
                    }
                    Err(error) if !self.is_told => {
                        self.is_told = true;
                        tracing::warn!(
                            target: "mcp_kit::transport",
                            %error,
                            "no thread for the heartbeat: a handler that blocks may delay others"
                        );
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

/// The thread ends with its connection.
impl Drop for Heartbeat {
    fn drop(&mut self) {
        if let Some(thread) = &self.thread {
            self.shared.has_ended.store(true, Ordering::Release);
            thread.unpark();
        }
    }
}

fn run(calls: &Weak<Calls>, shared: &Shared) {
    let Shared {
        is_asleep,
        has_ended,
    } = shared;
    let mut last_look = Instant::now();
    loop {
        thread::park_timeout(PACE);
        if has_ended.load(Ordering::Acquire) {
            return;
        }
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
        while is_asleep.load(Ordering::Acquire) && !has_ended.load(Ordering::Acquire) {
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Server;

    #[tokio::test]
    async fn the_thread_ends_with_its_connection_though_a_call_lives_on() {
        let server = Server::builder("short", "1.0.0").build().unwrap();
        let calls = Calls::new(Arc::clone(server.inner()));
        let mut heartbeat = Heartbeat::new(&calls);
        heartbeat.start();
        let shared = Arc::clone(&heartbeat.shared);
        while !shared.is_asleep.load(Ordering::Acquire) {
            thread::yield_now();
        }
        drop(heartbeat);
        while Arc::strong_count(&shared) > 1 {
            thread::yield_now();
        }
        assert_eq!(Arc::strong_count(&calls), 1, "the calls were still there");
    }
}
