//! The place of a call in its session or batch.

use std::sync::Arc;

use crate::call::CallKey;
use crate::limits::Claim;
use crate::transport::http::calls::call::Call;

/// An answer as JSON, and the bytes that it counts for until it has left.
pub(crate) type Answer = (Vec<u8>, Option<Claim>);

/// A session, as its calls see it.
pub(crate) trait Owner: Send + Sync {
    /// Ends a call that has this key in the session's table, with its answer or
    /// without one.
    fn settle(
        &self,
        call: &Call,
        key: CallKey,
        answer: Option<Answer>,
        batch: Option<&dyn Answers>,
    );
}

/// The answers to a batch, as its calls see them.
pub(crate) trait Answers: Send + Sync {
    /// Whether an answer of so many bytes can be kept. A small answer counts
    /// from here on; a large one comes with its claim.
    fn takes(&self, bytes: usize) -> bool;

    /// Adds an answer, or `None` for a message that gets no answer. The last
    /// one makes the response.
    fn add(&self, answer: Option<Answer>);
}

/// The place of a call in a session.
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

    /// Ends the call in its session, with its answer or without one.
    pub(crate) fn settle(&self, call: &Call, answer: Option<Answer>) {
        self.owner
            .settle(call, self.key, answer, self.batch.as_deref());
    }
}
