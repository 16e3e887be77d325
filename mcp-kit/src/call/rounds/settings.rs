//! The settings of a server for calls that ask their client.

use std::time::Duration;

use super::once::OnceTable;
use crate::limits::Limits;

/// The limits of the rounds of all calls, and the steps that have run.
pub(crate) struct RoundSettings {
    pub(super) time: Duration,
    pub(super) state_bytes: usize,
    pub(super) questions: usize,
    pub(super) once: OnceTable,
}

impl RoundSettings {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            time: limits.question_time.min(Limits::LONGEST_TIME),
            state_bytes: limits.state_bytes,
            questions: limits.questions_per_call,
            once: OnceTable::default(),
        }
    }
}
