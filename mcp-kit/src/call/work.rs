//! Requests that code of the server answers, in place of a primitive's chain: the
//! methods of an extension, and calls that may become tasks.
//!
//! They are calls for their transport all the same: they wait for their turn, can be
//! cancelled, time out, and hold a permit while they run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Answer, CallContext, Ending, Error, Outcome, Pending};
use crate::protocol::encode;
use crate::support::panics::discard;

/// The future of the answer. An error is answered as the call's kind answers it.
pub(crate) type WorkFuture = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// Answers a request.
pub(crate) trait Work: Send + Sync {
    /// Starts to answer. The future holds no permit once it has ended.
    fn run(&self, call: &Arc<CallContext>) -> WorkFuture;

    /// Returns the number of bytes that the client made it hold, in addition to the
    /// call's.
    fn size(&self) -> usize {
        0
    }

    /// Whether another call, which the work makes, is the one that the observers
    /// see once the work has started.
    fn is_observed_elsewhere(&self) -> bool {
        false
    }

    /// Whether the request is also answered while the server drains.
    fn runs_while_draining(&self) -> bool {
        false
    }
}

impl Pending {
    /// Sets what answers the request in place of the target's chain.
    pub(crate) fn with_work(mut self, work: Box<dyn Work>) -> Self {
        if let Some(context) = Arc::get_mut(&mut self.0) {
            context.work = Some(work);
        }
        self
    }

    /// Whether it also runs while the server drains.
    pub(crate) fn runs_while_draining(&self) -> bool {
        let work = self.0.work.as_ref();
        work.is_some_and(|work| work.runs_while_draining())
    }
}

impl CallContext {
    /// Returns the answer with a result object that `write` writes, braces
    /// included.
    pub(crate) fn answer_with(&self, write: impl FnOnce(&mut Vec<u8>)) -> Answer {
        let mut json = Vec::new();
        encode::result(&mut json, &self.request.id, write);
        Answer::new(json)
    }

    /// Ends a call that its work has answered, unless it was ended from outside.
    pub(super) fn worked(self: &Arc<Self>, outcome: Result<Answer, Error>) -> Option<Answer> {
        if self.phase.end().is_none() {
            let _ = discard(outcome.map(drop));
            return None;
        }
        match outcome {
            Ok(answer) => {
                self.tell(&Ending {
                    bytes: Some(answer.json.len()),
                    ..self.ending(Outcome::Ok, true)
                });
                Some(answer)
            }
            Err(error) => {
                let answer = self.failure_of(&error, Vec::new());
                self.fail(error, Some(answer.json.len()));
                Some(answer)
            }
        }
    }
}
