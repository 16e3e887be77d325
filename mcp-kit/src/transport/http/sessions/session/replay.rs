//! The events that a session keeps, for clients that come back for the rest of a stream.

use std::sync::atomic::Ordering;

use super::{COME_BACK, Finished, LegacySession};
use crate::transport::http::calls::sink::ReplayBudget;

impl LegacySession {
    /// Forgets streams that nobody came back for.
    pub(in super::super) fn forget_old(&self, now: u64) {
        let most = u64::try_from(COME_BACK.as_millis()).unwrap_or(u64::MAX);
        self.forget_while(|finished, _| now.saturating_sub(finished.at) > most);
    }

    /// Forgets the stream that ended first, while it is due: it and how many
    /// there are decide.
    pub(super) fn forget_while(&self, is_due: impl Fn(&Finished, usize) -> bool) {
        loop {
            let finished = {
                let mut state = self.lock();
                match state.finished.front() {
                    Some(first) if is_due(first, state.finished.len()) => {
                        state.finished.pop_front()
                    }
                    _ => return,
                }
            };
            // It gives back what it kept, and so not under the lock.
            drop(finished);
        }
    }
}

impl ReplayBudget for LegacySession {
    fn has_room(&self, bytes: usize) -> bool {
        let fits = || self.kept.load(Ordering::Relaxed) + bytes <= self.common.replay;
        fits() || {
            self.forget_while(|_, _| !fits());
            fits()
        }
    }

    fn keep(&self, bytes: usize) {
        self.kept.fetch_add(bytes, Ordering::Relaxed);
        self.common.kept.fetch_add(bytes, Ordering::Relaxed);
    }

    fn release(&self, bytes: usize) {
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
        self.common.kept.fetch_sub(bytes, Ordering::Relaxed);
    }
}
