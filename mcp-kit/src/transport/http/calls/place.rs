//! Where a call belongs if it is one of a session's.

use std::sync::Arc;

use crate::call::CallKey;
use crate::limits::Claim;
use crate::transport::http::calls::call::Call;

/// An answer as JSON, and what it counts for until it has left.
pub(crate) type Answer = (Vec<u8>, Option<Claim>);

/// A session, as its calls know it.
pub(crate) trait Owner: Send + Sync {
    /// Ends a call, which has this key in the session's table: with its answer, or
    /// without one.
    fn settle(
        &self,
        call: &Call,
        key: CallKey,
        answer: Option<Answer>,
        batch: Option<&dyn Answers>,
    );
}

/// The answers to a batch, as its calls know them.
pub(crate) trait Answers: Send + Sync {
    /// Whether an answer of so many bytes can be kept. One that is not large
    /// counts from here on; one that is comes with its claim.
    fn takes(&self, bytes: usize) -> bool;

    /// Adds an answer, or nothing for a message that gets none. The last one
    /// makes the response.
    fn add(&self, answer: Option<Answer>);
}

/// Where in a session a call belongs.
pub(crate) struct Place {
    owner: Arc<dyn Owner>,
    key: CallKey,
    batch: Option<Arc<dyn Answers>>,
}

impl Place {
    pub(crate) fn new(
        owner: Arc<dyn Owner>,
        key: CallKey,
        batch: Option<Arc<dyn Answers>>,
    ) -> Self {
        Self { owner, key, batch }
    }

    /// Whether there is room for an answer of so many bytes among those of its
    /// batch.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        (self.batch.as_ref()).is_none_or(|batch| batch.takes(bytes))
    }

    /// Ends the call there: with its answer, or without one.
    pub(crate) fn settle(&self, call: &Call, answer: Option<Answer>) {
        self.owner
            .settle(call, self.key, answer, self.batch.as_deref());
    }
}
