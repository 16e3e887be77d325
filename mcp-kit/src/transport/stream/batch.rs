//! JSON-RPC batches, which protocol version 2025-03-26 alone has.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The answers to one batch.
#[derive(Debug, Default)]
pub(super) struct Batch(Mutex<BatchState>);

#[derive(Debug, Default)]
struct BatchState {
    answers: Vec<u8>,
    /// Members that have not been answered, and one for the reader itself.
    missing: usize,
}

impl Batch {
    pub(super) fn expect_one(&self) {
        self.lock().missing += 1;
    }

    /// Adds an answer, or nothing for a member that gets none; gives the whole
    /// batch once nothing is missing.
    pub(super) fn add(&self, answer: &[u8]) -> Option<Vec<u8>> {
        let mut state = self.lock();
        if !answer.is_empty() {
            let separator = if state.answers.is_empty() { b'[' } else { b',' };
            state.answers.push(separator);
            state.answers.extend_from_slice(answer);
        }
        state.missing = state.missing.saturating_sub(1);
        if state.missing > 0 || state.answers.is_empty() {
            return None;
        }
        let mut answers = std::mem::take(&mut state.answers);
        answers.push(b']');
        Some(answers)
    }

    fn lock(&self) -> MutexGuard<'_, BatchState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
