//! The events that a session keeps for clients that request the rest of a
//! stream.

use std::sync::atomic::Ordering;

use super::{COME_BACK, Finished, LegacySession};
use crate::transport::http::calls::sink::ReplayBudget;

impl LegacySession {
    /// Forgets streams that their client has not resumed in time.
    pub(in super::super) fn forget_old(&self, now: u64) {
        let most = u64::try_from(COME_BACK.as_millis()).unwrap_or(u64::MAX);
        self.forget_while(|finished, _| now.saturating_sub(finished.at) > most);
    }

    /// Forgets the stream that ended first, while `is_due` returns true for it
    /// and the number of ended streams.
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
            // It releases what it kept, so it is not dropped under the lock.
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
