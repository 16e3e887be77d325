//! The state of a connection, and how long it has lasted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing has arrived since the last answer.
    Idle,
    /// A request's headers are on their way.
    Head,
    /// Requests are being answered.
    Serving,
    /// Its place was given to another connection.
    Evicted,
}

/// The phase of a connection, and when it began.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    /// Milliseconds since `began` in the upper bits. Below them: whether the
    /// connection was evicted, the number of requests that are being answered,
    /// and whether headers are on their way.
    state: AtomicU64,
    /// The answers that wait for their client to read; see [`Rounds`].
    rounds: AtomicU64,
    /// Whether bytes have left since the last look.
    has_written: AtomicBool,
    /// When a request was last admitted and answered, in milliseconds since
    /// `began`; 0 until then.
    useful: AtomicU64,
    /// How many of the requests that are being answered were refused.
    refused: AtomicU64,
    /// When the client stopped reading the bytes that wait for it, in
    /// milliseconds after `began` plus one; 0 while none wait.
    stalled: AtomicU64,
    is_http2: AtomicBool,
}

/// Whether every answer on its way makes progress, in one number: no answer
/// needs a place of its own, nor a look at the time.
///
/// A round ends once each of its answers has made progress, and the next one
/// begins at the next look. So one stalled answer holds its round up, whatever
/// others on its connection do.
#[derive(Clone, Copy)]
struct Rounds {
    round: u32,
    /// Answers that are on their way out.
    answering: u16,
    /// Those of them that have made no progress in this round.
    behind: u16,
}

impl Rounds {
    fn of(bits: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = bits.to_be_bytes();
        Self {
            round: u32::from_be_bytes([a, b, c, d]),
            answering: u16::from_be_bytes([e, f]),
            behind: u16::from_be_bytes([g, h]),
        }
    }

    fn bits(self) -> u64 {
        u64::from(self.round) << 32 | u64::from(self.answering) << 16 | u64::from(self.behind)
    }
}

const HEAD: u64 = 1;
const ONE_REQUEST: u64 = 2;
const EVICTED: u64 = 1 << 15;
const BELOW_TIME: u64 = (1 << 16) - 1;

/// The first bytes that a client sends over HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            state: AtomicU64::new(HEAD), // who connects is about to ask
            rounds: AtomicU64::new(0),
            has_written: AtomicBool::new(false),
            useful: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
        })
    }

    /// Counts a request whose headers are complete. It is served even if its
    /// connection was just asked to make room.
    pub(crate) fn serve(self: &Arc<Self>) -> Serving {
        let _ = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
                Some((state & !(HEAD | EVICTED)) + ONE_REQUEST)
            });
        Serving {
            progress: Progress {
                activity: Arc::clone(self),
                round: None,
            },
            is_refused: false,
            was_let_in: false,
        }
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Checks the answers: whether there are any, and whether one has stalled
    /// since the round began. A new round begins once each has made progress.
    pub(crate) fn look(&self) -> Round {
        let has_written = self.has_written.swap(false, Ordering::Relaxed);
        // In HTTP/1 the bytes belong to the one answer. In HTTP/2 they may
        // belong to any.
        let has_got_on = has_written && !self.is_http2();
        let mut found = Round::Idle;
        let _ = self
            .rounds
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                let rounds = Rounds::of(bits);
                if rounds.answering == 0 {
                    found = Round::Idle;
                    return None;
                }
                if rounds.behind > 0 && !has_got_on {
                    found = Round::Same;
                    return None;
                }
                found = Round::New;
                let next = Rounds {
                    round: rounds.round.wrapping_add(1),
                    behind: rounds.answering,
                    ..rounds
                };
                Some(next.bits())
            });
        found
    }

    /// Compares what the client sends first with the preface of HTTP/2, of
    /// which `seen` bytes have matched. Returns how many match now, while it is
    /// undecided.
    pub(crate) fn opens_http2(&self, seen: usize, read: &[u8]) -> Option<usize> {
        let rest = &PREFACE[seen..];
        if read.starts_with(rest) {
            self.is_http2.store(true, Ordering::Relaxed);
            return None;
        }
        rest.starts_with(read).then_some(seen + read.len())
    }

    /// Whether a request is being answered, as opposed to none, or one whose
    /// headers are on their way.
    pub(crate) fn is_serving(&self) -> bool {
        self.state.load(Ordering::Relaxed) & BELOW_TIME & !EVICTED >= ONE_REQUEST
    }

    /// Returns what a search for a connection to evict needs; `None` while a
    /// request is served, and if the connection is already evicted.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let state = self.state.load(Ordering::Acquire);
        let requests = (state & BELOW_TIME & !EVICTED) / ONE_REQUEST;
        if state & EVICTED != 0 || requests > self.refused.load(Ordering::Relaxed) {
            return None;
        }
        // The rest of an answer that hyper already has may be on its way.
        let stalled = self.stalled.load(Ordering::Relaxed).checked_sub(1);
        let since = stalled.unwrap_or_else(|| self.useful.load(Ordering::Relaxed));
        Some(Waiting {
            since: self.began + Duration::from_millis(since),
            is_stalled: stalled.is_some(),
            state,
        })
    }

    /// Ends the connection as soon as it is polled, unless it has changed since
    /// it was `seen`. Returns whether it ends.
    pub(crate) fn evict(&self, seen: &Waiting) -> bool {
        let evicted = seen.state | EVICTED;
        (self.state)
            .compare_exchange(seen.state, evicted, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    pub(crate) fn is_about_to_ask(&self) -> bool {
        self.state.load(Ordering::Relaxed) & BELOW_TIME & !EVICTED == HEAD
    }

    pub(crate) fn is_evicted(&self) -> bool {
        self.state.load(Ordering::Acquire) & EVICTED != 0
    }

    /// Records that the client does not read what is written.
    pub(crate) fn stalls(&self) {
        self.stalled.store(self.millis() + 1, Ordering::Relaxed);
    }

    /// Records that the client has read something. Returns whether it had
    /// stalled.
    pub(crate) fn has_written(&self, has_stalled: bool) {
        if has_stalled {
            self.stalled.store(0, Ordering::Relaxed);
        }
        self.has_written.store(true, Ordering::Relaxed);
    }

    /// Records that something was read. Returns whether it still counts.
    pub(crate) fn has_read(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        if state & BELOW_TIME != 0 {
            return state & EVICTED == 0;
        }
        // Only an eviction can change it while no request is served.
        let head = self.now() | HEAD;
        (self.state)
            .compare_exchange(state, head, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Returns milliseconds since `began`.
    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(0)
    }

    fn now(&self) -> u64 {
        self.millis() << 16
    }

    pub(crate) fn phase(&self) -> (Phase, Instant) {
        let state = self.state.load(Ordering::Relaxed);
        let phase = match state & BELOW_TIME {
            0 => Phase::Idle,
            HEAD => Phase::Head,
            below if below & EVICTED != 0 => Phase::Evicted,
            _ => Phase::Serving,
        };
        (phase, self.began + Duration::from_millis(state >> 16))
    }
}

/// A connection on which no admitted request is being served.
pub(crate) struct Waiting {
    /// When the last one was, or when the client stopped reading what is
    /// written.
    pub(crate) since: Instant,
    pub(crate) is_stalled: bool,
    state: u64,
}

/// The result of a look at the answers.
pub(crate) enum Round {
    /// None is on its way.
    Idle,
    /// Each has made progress since the last round began.
    New,
    /// One has not.
    Same,
}

/// The progress of one answer.
#[derive(Debug)]
pub(crate) struct Progress {
    activity: Arc<Activity>,
    /// The last round in which it made progress, while there is something to
    /// read.
    round: Option<u32>,
}

impl Progress {
    /// Records that the client has read something, or now has something to
    /// read.
    pub(crate) fn advance(&mut self) {
        let known = self.round;
        let mut now = Rounds::of(self.activity.rounds.load(Ordering::Relaxed)).round;
        if known == Some(now) {
            return;
        }
        self.change(|rounds| {
            now = rounds.round;
            match known {
                None => rounds.answering = rounds.answering.saturating_add(1),
                Some(round) if round != now => rounds.behind = rounds.behind.saturating_sub(1),
                Some(_) => {}
            }
        });
        self.round = Some(now);
    }

    /// Records that there is something for the client to read.
    pub(crate) fn begin(&mut self) {
        if self.round.is_none() {
            self.advance();
        }
    }

    /// Records that there is nothing for the client to read.
    pub(crate) fn rest(&mut self) {
        if let Some(round) = self.round.take() {
            self.change(|rounds| {
                rounds.answering = rounds.answering.saturating_sub(1);
                if round != rounds.round {
                    rounds.behind = rounds.behind.saturating_sub(1);
                }
            });
        }
    }

    fn change(&self, mut change: impl FnMut(&mut Rounds)) {
        let _ = self
            .activity
            .rounds
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                let mut rounds = Rounds::of(bits);
                change(&mut rounds);
                Some(rounds.bits())
            });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.rest();
    }
}

/// A request is being answered until this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    progress: Progress,
    is_refused: bool,
    was_let_in: bool,
}

impl Serving {
    /// Records that the request is refused: its connection can then be evicted,
    /// whatever the client still sends.
    pub(crate) fn refuse(&mut self) {
        if !std::mem::replace(&mut self.is_refused, true) {
            self.progress
                .activity
                .refused
                .fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records that the request was admitted: it counts as use of its
    /// connection.
    pub(crate) fn let_in(&mut self) {
        self.was_let_in = true;
    }

    /// The progress of its answer, if that consists of one part.
    pub(crate) fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    /// The progress of another part of its answer.
    pub(crate) fn another_progress(&self) -> Progress {
        Progress {
            activity: Arc::clone(&self.progress.activity),
            round: None,
        }
    }

    /// Whether answers share the connection.
    pub(crate) fn is_http2(&self) -> bool {
        self.progress.activity.is_http2()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let activity = &self.progress.activity;
        let now = activity.millis();
        if self.was_let_in {
            activity.useful.store(now, Ordering::Relaxed);
        }
        let _ = activity
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
                Some(now << 16 | (state & BELOW_TIME).saturating_sub(ONE_REQUEST))
            });
        if self.is_refused {
            activity.refused.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preface_is_known_however_it_is_cut() {
        for cut in 0..=PREFACE.len() {
            let activity = Activity::new();
            let (first, second) = PREFACE.split_at(cut);
            let seen = activity.opens_http2(0, first);
            let known = seen.is_none_or(|seen| activity.opens_http2(seen, second).is_none());
            assert!(known && activity.is_http2(), "{cut}");
        }
        let activity = Activity::new();
        assert_eq!(activity.opens_http2(0, b"PRI"), Some(3));
        assert_eq!(activity.opens_http2(3, b"VATE / HTTP/1.1"), None);
        assert!(!activity.is_http2());
    }

    #[test]
    fn an_answer_that_does_not_move_holds_up_its_round() {
        let activity = Activity::new();
        activity.is_http2.store(true, Ordering::Relaxed);
        assert!(matches!(activity.look(), Round::Idle));
        let (mut still, mut moving) = (activity.serve(), activity.serve());
        still.progress().advance();
        moving.progress().advance();
        assert!(matches!(activity.look(), Round::New));
        for _ in 0..3 {
            moving.progress().advance();
            activity.has_written.store(true, Ordering::Relaxed);
            assert!(matches!(activity.look(), Round::Same));
        }
        still.progress().advance();
        assert!(matches!(activity.look(), Round::New));
        moving.progress().advance();
        drop(still);
        assert!(matches!(activity.look(), Round::New));
        moving.progress().rest();
        assert!(matches!(activity.look(), Round::Idle));
    }
}
