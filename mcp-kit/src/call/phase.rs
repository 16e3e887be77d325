//! How far a call has come.
//!
//! ```text
//!   Waiting ──begin──► Running ──end──► Ended
//!      └──────────────end──────────────►
//! ```
//!
//! A call waits for its turn, then its chain runs. It ends once: the code that
//! moves it to `Ended` answers the client, if there is an answer, and reports the
//! end to the observers. A handler can go on after that, if it blocks its thread;
//! what it returns is dropped.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const ENDED: u8 = 2;

/// A call's phase; it never goes back.
#[derive(Debug, Default)]
pub(super) struct Phase {
    now: AtomicU8,
    /// The observers have heard of the start.
    is_announced: AtomicBool,
}

impl Phase {
    /// Moves from waiting to running; returns false if the call ended while it
    /// waited.
    pub(super) fn begin(&self) -> bool {
        let begun =
            self.now
                .compare_exchange(WAITING, RUNNING, Ordering::AcqRel, Ordering::Acquire);
        begun.is_ok()
    }

    /// Moves to the end. Returns whether the call was running, or `None` if it
    /// had already ended.
    pub(super) fn end(&self) -> Option<bool> {
        // Every call that has ended asks again when it is dropped.
        if self.has_ended() {
            return None;
        }
        match self.now.swap(ENDED, Ordering::AcqRel) {
            ENDED => None,
            before => Some(before == RUNNING),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.now.load(Ordering::Acquire) == ENDED
    }

    /// The observers have heard that the call runs.
    pub(super) fn set_announced(&self) {
        self.is_announced.store(true, Ordering::Release);
    }

    /// Waits until they have: a call that is ended from outside while its start is
    /// being reported has its end reported after it. Observers do not block.
    pub(super) fn wait_announced(&self) {
        while !self.is_announced.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}
