//! What is around the answer of a call: the middlewares of its message, which see the
//! answer before it leaves.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Answer, CallContext, Pending};

/// The future of the answer that leaves.
pub(crate) type AroundFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Passes on the answer of a call, or replaces it. Within a time of its own, since the
/// call has ended.
pub(crate) trait Around: Send + Sync {
    fn leave(&self, call: &Arc<CallContext>, answer: Answer) -> AroundFuture;

    /// Returns what the client has sent, if a middleware has changed the parameters of
    /// its request.
    fn sent(&self) -> Option<&SentCall> {
        None
    }
}

/// A call as its client has sent it, before a middleware has changed its parameters.
pub(crate) struct SentCall {
    /// The name or URI.
    pub(crate) key: Box<str>,
    /// The arguments, as JSON.
    pub(crate) arguments: Box<str>,
}

impl SentCall {
    /// Returns how many bytes it keeps.
    pub(crate) fn size(&self) -> usize {
        self.key.len() + self.arguments.len()
    }
}

impl CallContext {
    /// Returns what the client has sent, if a middleware has changed the parameters of
    /// the request. A call that becomes a task has the request of another call.
    pub(crate) fn sent(&self) -> Option<&SentCall> {
        match (&self.around, &self.task) {
            (Some(around), _) => around.sent(),
            (None, Some(task)) => task.request().around.as_ref()?.sent(),
            (None, None) => None,
        }
    }
}

impl Pending {
    /// Whether the handler, or a middleware of its author, may ask the client.
    pub(crate) fn asks(&self) -> bool {
        self.0.target.asks()
    }

    /// Sets what is around the answer.
    pub(crate) fn within(mut self, around: Box<dyn Around>) -> Self {
        if let Some(context) = Arc::get_mut(&mut self.0) {
            context.around = Some(around);
        }
        self
    }
}
