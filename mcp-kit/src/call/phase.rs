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

use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const ENDED: u8 = 2;

/// A call's phase; it never goes back.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

impl Phase {
    /// Waiting → running; false if the call ended while it waited.
    pub(super) fn begin(&self) -> bool {
        let begun = self
            .0
            .compare_exchange(WAITING, RUNNING, Ordering::AcqRel, Ordering::Acquire);
        begun.is_ok()
    }

    /// Moves to the end: whether the call was running, or `None` if it had ended
    /// before.
    pub(super) fn end(&self) -> Option<bool> {
        match self.0.swap(ENDED, Ordering::AcqRel) {
            ENDED => None,
            before => Some(before == RUNNING),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.load(Ordering::Acquire) == ENDED
    }
}
