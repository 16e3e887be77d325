//! Separates the answer of a call from its last progress report.
//!
//! A client that reads both at once treats the report as one of an unknown
//! call: some clients report an error, some close the connection. So the answer
//! of a call that has reported is held until the report has left, and a moment
//! longer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;
use crate::protocol::RequestId;

/// How long an answer waits after its call's last progress report.
const AFTER_REPORT: Duration = Duration::from_millis(5);

/// The last reports of a connection's open calls, and the answers that wait for
/// them.
#[derive(Default)]
pub(super) struct Reports {
    /// The last reports, by the calls' serial numbers.
    last: HashMap<u64, Report>,
    held: Vec<Held>,
    held_bytes: usize,
}

struct Report {
    /// Its end position among all bytes of the connection.
    end: u64,
    /// When it was seen to have left.
    left_at: Option<Instant>,
}

/// An answer that waits.
pub(super) struct Held {
    id: RequestId,
    serial: u64,
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) answer: Vec<u8>,
}

impl Reports {
    /// Records a report of a call, which ends at `end`.
    pub(super) fn add(&mut self, serial: u64, end: u64) {
        let left_at = None;
        self.last.insert(serial, Report { end, left_at });
    }

    /// Forgets a call that will not be answered.
    pub(super) fn forget(&mut self, serial: u64) {
        self.last.remove(&serial);
    }

    /// Whether the answer of the call with this id is held.
    pub(super) fn holds(&self, id: &RequestId) -> bool {
        self.held.iter().any(|held| held.id == *id)
    }

    pub(super) fn holds_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// Returns the number of bytes of the held answers.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Holds an answer back unless it may leave at once. Returns whether it is
    /// held.
    pub(super) fn hold(
        &mut self,
        id: &RequestId,
        serial: u64,
        batch: Option<&Arc<Batch>>,
        answer: &[u8],
    ) -> bool {
        let Some(report) = self.last.get(&serial) else {
            return false;
        };
        if report.is_read(Instant::now()) {
            self.last.remove(&serial);
            return false;
        }
        self.held_bytes += answer.len();
        self.held.push(Held {
            id: id.clone(),
            serial,
            batch: batch.cloned(),
            answer: answer.to_vec(),
        });
        true
    }

    /// Removes an answer that its client no longer expects.
    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<Held> {
        let at = self.held.iter().position(|held| held.id == *id)?;
        let held = self.held.swap_remove(at);
        self.held_bytes -= held.answer.len();
        self.last.remove(&held.serial);
        Some(held)
    }

    /// Returns the answers that may leave, now that `written` bytes have left,
    /// and when there will be more.
    pub(super) fn release(&mut self, written: u64) -> (Vec<Held>, Option<Instant>) {
        if self.last.is_empty() {
            return (Vec::new(), None);
        }
        let now = Instant::now();
        for report in self.last.values_mut() {
            if report.left_at.is_none() && report.end <= written {
                report.left_at = Some(now);
            }
        }
        let last = &self.last;
        let is_due = |held: &mut Held| last.get(&held.serial).is_none_or(|last| last.is_read(now));
        let due: Vec<Held> = self.held.extract_if(.., is_due).collect();
        for held in &due {
            self.last.remove(&held.serial);
            self.held_bytes -= held.answer.len();
        }
        // A report that has not left sets no time: its answer is checked when
        // it has.
        let waiting = self.held.iter();
        let left_at = waiting.filter_map(|held| self.last.get(&held.serial)?.left_at);
        (due, left_at.min().map(|left_at| left_at + AFTER_REPORT))
    }
}

impl Report {
    /// Whether the client has had the time to read it.
    fn is_read(&self, now: Instant) -> bool {
        (self.left_at).is_some_and(|left_at| left_at + AFTER_REPORT <= now)
    }
}
