//! A call's deadline. It is one for the chain and for the transport that watches
//! the call, and it can pause: the time in which a call waits for an answer of
//! its client does not count.
//!
//! ```text
//!  read ───── counts ─────┬── paused ──┬───── counts ─────▶ passed
//!                         │  does not  │
//!                         │   count    │
//! ```
//!
//! The `Timeout` of the chain waits for [`Deadline::passed`]. The transport asks
//! [`Deadline::earliest`] when it has to look again, and needs no notice of a
//! pause: while the clock is stopped, that moment moves on with the time.
//!
//! A call that never pauses reads one pointer and computes one sum.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::support::lock::Lock;

/// The time of a call.
pub(crate) struct Deadline {
    began: Instant,
    limit: Duration,
    /// `None` until the first pause.
    pauses: OnceLock<Box<Pauses>>,
}

#[derive(Default)]
struct Pauses {
    now: Lock<Paused>,
    resumed: Notify,
}

/// The pauses so far. Several can be open at once: the time of any of them does not
/// count, and counts no second time as a pause.
#[derive(Clone, Copy, Default)]
struct Paused {
    open: usize,
    /// When the first of the open ones began.
    since: Option<Instant>,
    /// The time of those that have ended.
    ended: Duration,
}

impl Deadline {
    /// Creates the deadline of a call that was read at `began`.
    pub(super) fn new(began: Instant, limit: Duration) -> Self {
        Self {
            began,
            limit,
            pauses: OnceLock::new(),
        }
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Returns when the call's time is up at the earliest, as of `now`: it is if
    /// the result is not after `now`.
    pub(crate) fn earliest(&self, now: Instant) -> Instant {
        let Paused { since, ended, .. } = self.paused();
        let at = self.began + self.limit + ended;
        match since {
            Some(since) if since < at => at + now.saturating_duration_since(since),
            _ => at,
        }
    }

    /// Waits until the call has taken `limit`, pauses aside.
    pub(crate) async fn passed(&self, limit: Duration) {
        let mut known = self.at(limit);
        loop {
            match known {
                Some(at) => sleep_until(at).await,
                None => self.resumed().await,
            }
            let at = self.at(limit);
            if at.is_some() && at == known {
                return;
            }
            known = at;
        }
    }

    /// Stops the clock, until `resume` was called as many times as this.
    pub(super) fn pause(&self) {
        let pauses = self.pauses.get_or_init(Box::default);
        let mut paused = pauses.now.lock();
        paused.open += 1;
        paused.since.get_or_insert_with(Instant::now);
    }

    /// Ends a pause.
    pub(super) fn resume(&self) {
        let Some(pauses) = self.pauses.get() else {
            return;
        };
        {
            let mut paused = pauses.now.lock();
            paused.open = paused.open.saturating_sub(1);
            if paused.open > 0 {
                return;
            }
            if let Some(since) = paused.since.take() {
                paused.ended += since.elapsed();
            }
        }
        pauses.resumed.notify_waiters();
    }

    /// Returns when the call has taken `limit`; `None` while the clock is stopped before
    /// that.
    fn at(&self, limit: Duration) -> Option<Instant> {
        let Paused { since, ended, .. } = self.paused();
        let at = self.began + limit + ended;
        since.is_none_or(|since| at <= since).then_some(at)
    }

    fn paused(&self) -> Paused {
        (self.pauses.get()).map_or_else(Paused::default, |pauses| *pauses.now.lock())
    }

    /// Waits until no pause is open.
    async fn resumed(&self) {
        let Some(pauses) = self.pauses.get() else {
            return;
        };
        let resumed = pauses.resumed.notified();
        tokio::pin!(resumed);
        // Registered before the look, so that an end in between is not missed.
        resumed.as_mut().enable();
        if pauses.now.lock().open > 0 {
            resumed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::advance;

    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn deadline(limit: u64) -> Deadline {
        Deadline::new(Instant::now(), millis(limit))
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_pauses_does_not_count() {
        let (began, deadline) = (Instant::now(), deadline(500));
        assert_eq!(deadline.at(millis(500)), Some(began + millis(500)));
        advance(millis(100)).await;
        deadline.pause();
        advance(millis(50)).await;
        deadline.pause(); // a second one within the first
        advance(millis(50)).await;
        deadline.resume();
        advance(millis(1_900)).await;
        assert_eq!(deadline.at(millis(500)), None);
        // It has 400 ms left, from whenever the pause ends.
        let now = Instant::now();
        assert_eq!(deadline.earliest(now), now + millis(400));
        deadline.resume();
        assert_eq!(deadline.at(millis(500)), Some(began + millis(2_500)));
        assert_eq!(deadline.earliest(now), began + millis(2_500));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_the_deadline_survives_pauses() {
        let began = Instant::now();
        let deadline = &deadline(500);
        let script = async {
            for _ in 0..3 {
                tokio::time::sleep(millis(100)).await;
                deadline.pause();
                tokio::time::sleep(millis(1_000)).await;
                deadline.resume();
            }
        };
        let (passed, another) = (deadline.passed(millis(500)), deadline.passed(millis(150)));
        let timed = async {
            another.await;
            assert_eq!(began.elapsed(), millis(1_150), "a shorter limit of a layer");
            passed.await;
            began.elapsed()
        };
        let ((), elapsed) = tokio::join!(script, timed);
        assert_eq!(elapsed, millis(3_500));
    }

    /// A handler that blocks its thread until its time is up has no time left, also
    /// if it asks a question afterwards.
    #[tokio::test(start_paused = true)]
    async fn pause_after_the_deadline_does_not_move_it() {
        let (began, deadline) = (Instant::now(), deadline(500));
        advance(millis(501)).await;
        deadline.pause();
        advance(millis(60_000)).await;
        assert_eq!(deadline.at(millis(500)), Some(began + millis(500)));
        assert_eq!(deadline.earliest(Instant::now()), began + millis(500));
        let passed = pin!(deadline.passed(millis(500)));
        assert!(tokio::time::timeout(millis(1), passed).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn resume_without_a_pause_changes_nothing() {
        let deadline = deadline(500);
        let before = deadline.at(millis(500));
        deadline.resume();
        advance(millis(100)).await;
        assert_eq!(deadline.at(millis(500)), before);
        deadline.pause();
        deadline.resume();
        deadline.resume();
        deadline.pause();
        assert_eq!(
            deadline.at(millis(500)),
            None,
            "a surplus `resume` cancels no later pause"
        );
    }
}
