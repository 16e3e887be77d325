//! The end of a call: the answer that its client receives, and what its observers
//! are notified of.

use std::sync::Arc;

use tracing::Span;

use super::refusal;
use super::{
    Answer, CallContext, CallInfo, Ending, Error, ErrorKind, Failure, InputRequired, Outcome, Reply,
};
use crate::protocol::{Era, RpcError, encode};
use crate::support::panics::{Panicked, contain, contain_in, discard};

/// A call whose chain has ended.
pub(crate) struct Settled {
    pub(super) context: Arc<CallContext>,
    pub(super) outcome: Result<Replied, Error>,
}

/// The reply of a chain, or the questions that it waits for.
pub(super) enum Replied {
    With(Reply),
    Asking(InputRequired),
}

/// Why a call from code has no reply.
pub(crate) enum NoReply {
    Failed { kind: ErrorKind, message: String },
    TooLarge { bytes: usize, limit: usize },
}

impl Settled {
    /// Returns the reply, for a caller within the process; notifies the
    /// observers.
    pub(crate) fn into_reply(self) -> Result<Reply, NoReply> {
        let Self { context, outcome } = self;
        let limit = context.target.result_bytes;
        match outcome {
            // A call from code has no rounds.
            Ok(Replied::Asking(_)) => {
                context.tell(&context.ending(Outcome::InputRequired, true));
                let message = refusal::internal(&context);
                let kind = ErrorKind::Internal;
                Err(NoReply::Failed { kind, message })
            }
            Ok(Replied::With(reply)) if reply.fits(limit) => {
                let outcome = if reply.is_error() {
                    Outcome::ErrorResult
                } else {
                    Outcome::Ok
                };
                context.tell(&context.ending(outcome, true));
                Ok(reply)
            }
            Ok(Replied::With(reply)) => {
                context.tell(&context.ending(Outcome::ResultTooLarge, true));
                let bytes = reply.size();
                Err(NoReply::TooLarge { bytes, limit })
            }
            Err(error) => {
                let kind = error.kind();
                let message = context.text_of(&error);
                context.fail(error, None);
                Err(NoReply::Failed { kind, message })
            }
        }
    }
}

impl CallContext {
    /// Returns the answer to an outcome, within the reply's limit; notifies the observers.
    pub(super) fn settle(
        self: &Arc<Self>,
        outcome: Result<Replied, Error>,
        buffer: Vec<u8>,
    ) -> Answer {
        match outcome {
            Ok(Replied::Asking(questions)) => {
                let answer = self.result(buffer, |out, _| {
                    questions.write(out);
                    self.home.end_result_as(out, "input_required");
                });
                self.tell(&Ending {
                    bytes: Some(answer.json.len()),
                    ..self.ending(Outcome::InputRequired, true)
                });
                answer
            }
            Ok(Replied::With(reply)) => {
                let (outcome, mut answer) = if reply.fits(self.target.result_bytes) {
                    let outcome = if reply.is_error() {
                        Outcome::ErrorResult
                    } else {
                        Outcome::Ok
                    };
                    (outcome, self.answer(&reply, buffer))
                } else {
                    let text = refusal::too_large(
                        self.target.info.kind(),
                        reply.size(),
                        self.target.result_bytes,
                    );
                    let outcome = Outcome::ResultTooLarge;
                    (outcome, self.failure(outcome, text, buffer))
                };
                let ending = Ending {
                    bytes: Some(answer.json.len()),
                    ..self.ending(outcome, true)
                };
                answer.ended_at = Some(self.received_at() + ending.duration);
                self.tell(&ending);
                answer
            }
            Err(error) => {
                let answer = self.failure_of(&error, buffer);
                self.fail(error, Some(answer.json.len()));
                answer
            }
        }
    }

    /// Withdraws questions that are open in spite of the call's end: those of tasks
    /// that its handler has started, or of a handler that is still to be dropped.
    pub(super) fn withdraw_questions(&self) {
        if let Some(ask) = &self.ask {
            ask.withdraw(self);
        }
    }

    /// Returns the span that the chain runs in: the trace's, or the log's.
    pub(super) fn span(&self) -> Span {
        if self.scope.is_some() {
            return self.span_of_scope();
        }
        if !self.target.has_span
            || !tracing::enabled!(target: "mcp_kit::call", tracing::Level::ERROR)
        {
            return Span::none();
        }
        let span = || {
            tracing::info_span!(
                target: "mcp_kit::call",
                "call",
                kind = self.target.info.kind().as_str(),
                name = self.target.info.name(),
                principal = self.principal.name()
            )
        };
        contain(span).unwrap_or_else(|_| Span::none())
    }

    pub(super) fn span_of_scope(&self) -> Span {
        match &self.scope {
            Some(scope) => contain(|| scope.span().clone()).unwrap_or_else(|_| Span::none()),
            None => Span::none(),
        }
    }

    pub(super) fn ending(&self, outcome: Outcome, has_begun: bool) -> Ending<'static> {
        Ending {
            outcome,
            duration: self.received_at().elapsed(),
            bytes: None,
            error: None,
            reference: outcome.has_reference().then(|| self.reference()),
            has_begun,
        }
    }

    /// Notifies the observers of the call's end. Their panics are contained;
    /// they may run while a thread unwinds.
    pub(super) fn tell(self: &Arc<Self>, ending: &Ending<'_>) {
        let work = self.work.as_ref().filter(|_| ending.has_begun);
        if work.is_some_and(|work| work.is_observed_elsewhere()) {
            return;
        }
        if ending.has_begun {
            self.phase.wait_announced();
        }
        let call = CallInfo(self);
        let tell_all = || {
            for observer in &self.target.observers {
                let _ = contain(|| observer.ended(&call, ending));
            }
        };
        match &self.scope {
            None => tell_all(),
            Some(scope) => {
                let _ = contain_in(&self.span_of_scope(), tell_all);
                let _ = contain(|| {
                    if let Some(id) = self.logical_call() {
                        scope.in_logical_call(id);
                    }
                    scope.ended(ending.outcome, ending.reference);
                });
            }
        }
    }

    /// Notifies the observers of a failure, and drops the error.
    pub(super) fn fail(self: &Arc<Self>, error: Error, bytes: Option<usize>) {
        let outcome = Outcome::Failed(error.kind());
        self.tell(&Ending {
            bytes,
            error: Some(&error),
            ..self.ending(outcome, true)
        });
        // This runs the `Drop` of the error's author.
        if let Err(panic) = discard(error) {
            self.report_panic(&panic, "panic while a call's error was dropped");
        }
    }

    /// Logs a panic that does not change how the call ends.
    pub(super) fn report_panic(&self, panic: &Panicked, what: &'static str) {
        let _ = contain_in(&self.span_of_scope(), || {
            tracing::error!(
                target: "mcp_kit::panic",
                kind = self.target.info.kind().as_str(),
                name = self.target.info.name(),
                reference = self.reference().to_string(),
                error = panic.as_str(),
                "{what}"
            );
        });
    }

    /// Returns what the client reads of an error.
    pub(super) fn text_of(&self, error: &Error) -> String {
        match error.message() {
            Some(message) => message.to_owned(),
            None => refusal::internal(self),
        }
    }

    pub(super) fn failure_of(&self, error: &Error, buffer: Vec<u8>) -> Answer {
        if error.is_hidden() {
            return self.protocol_failure(&self.unknown(), buffer);
        }
        match error.protocol_error(self.request.version.era()) {
            Some(error) => self.protocol_failure(&error, buffer),
            None => self.failure(Outcome::Failed(error.kind()), self.text_of(error), buffer),
        }
    }

    pub(super) fn failure(&self, outcome: Outcome, text: String, buffer: Vec<u8>) -> Answer {
        let failure = Failure {
            outcome,
            text,
            era: self.request.version.era(),
            key: self.key(),
        };
        match (self.target.kind.failure)(failure) {
            Ok(reply) => self.answer(&reply, buffer),
            Err(error) => self.protocol_failure(&error, buffer),
        }
    }

    pub(super) fn protocol_failure(&self, error: &RpcError, buffer: Vec<u8>) -> Answer {
        *self.protocol_error.lock() = Some(error.code);
        let mut json = buffer;
        encode::error(&mut json, Ok(&self.request.id), error);
        Answer::new(json)
    }

    pub(super) fn answer(&self, reply: &Reply, buffer: Vec<u8>) -> Answer {
        self.result(buffer, |out, era| {
            let start = out.len();
            (self.target.kind.write)(out, era, reply);
            let end = out.len();
            self.home.end_result(out, era, reply.meta());
            // Only results of methods can have no members of their own.
            if start == end && out.get(end) == Some(&b',') {
                out.remove(end);
            }
        })
    }

    /// Returns an answer whose result object is written by `write`, without its
    /// opening brace.
    pub(super) fn result(&self, buffer: Vec<u8>, write: impl FnOnce(&mut Vec<u8>, Era)) -> Answer {
        let mut json = buffer;
        json.reserve(256);
        let era = self.request.version.era();
        encode::result(&mut json, &self.request.id, |out| {
            out.push(b'{');
            write(out, era);
        });
        Answer::new(json)
    }
}
