//! JSON-RPC batches (2025-03-26): their answers are kept until the last one is
//! there, and leave as one message.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard};

use crate::support::lock::Lock;

/// The bytes that a connection's unfinished batches keep, all together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<AtomicUsize>);

impl Kept {
    /// Whether it is more than `most` bytes. This is possible, since errors
    /// that report the lack of room are also kept.
    pub(crate) fn is_more_than(&self, most: usize) -> bool {
        self.0.load(Ordering::Relaxed) > most
    }
}

/// The error for an answer that does not fit into its batch, and for every later request
/// of the batch.
pub(crate) const TOO_LARGE: &str =
    "Invalid request: the batch's answers are too large together; send this request by itself";

/// The answers to one batch.
#[derive(Debug)]
pub(crate) struct Batch {
    kept: Kept,
    /// Whether an answer did not fit: what follows is not even made, since one message
    /// could request thousands of long lists.
    is_full: AtomicBool,
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: Vec<u8>,
    /// Members that have not been answered, and one for the reader itself.
    missing: usize,
}

impl Batch {
    pub(crate) fn new(kept: &Kept) -> Self {
        Self {
            kept: kept.clone(),
            is_full: AtomicBool::new(false),
            state: Lock::default(),
        }
    }

    pub(crate) fn expect_one(&self) {
        self.lock().missing += 1;
    }

    /// Whether an answer of so many bytes can be kept, if the limit is `most`. If not,
    /// the batch is full.
    pub(crate) fn has_room_for(&self, bytes: usize, most: usize) -> bool {
        let has_room = self.kept.0.load(Ordering::Relaxed).saturating_add(bytes) <= most;
        if !has_room {
            self.set_full();
        }
        has_room
    }

    pub(crate) fn set_full(&self) {
        self.is_full.store(true, Ordering::Relaxed);
    }

    /// Whether no further request of the batch is dispatched.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Adds an answer, or nothing for a member that gets none. Returns the
    /// whole batch once nothing is missing, if it has any answer.
    pub(crate) fn add(&self, answer: &[u8]) -> Option<Vec<u8>> {
        self.complete(answer).filter(|answers| !answers.is_empty())
    }

    /// Does the same as [`add`](Self::add), and also returns a batch without
    /// answers.
    pub(crate) fn complete(&self, answer: &[u8]) -> Option<Vec<u8>> {
        let mut state = self.lock();
        if !answer.is_empty() {
            let separator = if state.answers.is_empty() { b'[' } else { b',' };
            state.answers.push(separator);
            state.answers.extend_from_slice(answer);
            self.kept.0.fetch_add(1 + answer.len(), Ordering::Relaxed);
        }
        state.missing = state.missing.saturating_sub(1);
        if state.missing > 0 {
            return None;
        }
        let mut answers = std::mem::take(&mut state.answers);
        self.kept.0.fetch_sub(answers.len(), Ordering::Relaxed);
        if !answers.is_empty() {
            answers.push(b']');
        }
        Some(answers)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let left = self.lock().answers.len();
        self.kept.0.fetch_sub(left, Ordering::Relaxed);
    }
}
