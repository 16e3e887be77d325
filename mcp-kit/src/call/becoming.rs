//! Calls that become tasks (extension `io.modelcontextprotocol/tasks`): the request is
//! answered with a task, and the call goes on without its connection.
//!
//! ```text
//!  request ─► outer call (a `Work`: holds the permit, has the request's deadline)
//!               └─ inner call: authorize → rate → validate → BeginTask → timeout → … → handler
//!                                                     │
//!             answer: the new task  ◄─────────────────┤ begin
//!                                                     └─► runs on in a task of its own
//! ```
//!
//! A call that fails before it begins its task is answered with that failure, as if
//! there were no tasks.

use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::value::RawValue;

use super::refusal;
use super::settled::Replied;
use super::{
    Answer, Ask, Call, CallContext, CallParts, Ended, Ending, Error, ErrorKind, Failure,
    Middleware, Next, Outbound, Outcome, Pending, Refusal, Reply, Running, Settled, Target,
};
use crate::primitive::TaskCode;
use crate::protocol::{ErrorCode, RpcError, encode};

/// The future of the beginning of a task.
pub(crate) type BeginFuture = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The task that a call may become.
pub(crate) trait BecomesTask: Ask + Outbound {
    /// Whether the call has become a task.
    fn has_begun(&self) -> bool {
        self.begun().load(Ordering::Acquire)
    }

    /// Set once the call has become a task, for code that outlives the call.
    fn begun(&self) -> &Arc<AtomicBool>;

    /// Returns the call that its client waits for.
    fn request(&self) -> &CallContext;

    /// Makes a task of the call. Ready once the call runs without its request; at
    /// once if it does already.
    fn begin(&self, call: &Arc<CallContext>) -> BeginFuture;
}

/// A tool whose calls may become tasks.
#[derive(Clone)]
pub(crate) struct TaskTarget {
    /// Whether a client must have declared the extension.
    pub(crate) is_required: bool,
    pub(crate) code: &'static dyn TaskCode,
    /// The target of calls that become tasks, with their time limit.
    pub(crate) target: Arc<Target>,
}

/// The end of a task, as its client reads it.
pub(crate) enum Concluded {
    /// The result of the call, as JSON.
    Completed(Box<RawValue>),
    /// The JSON-RPC error that the call failed with, as JSON.
    Failed(Box<RawValue>),
}

/// Begins the task of a call, which the middlewares outside of this one have
/// admitted, and whose arguments are checked.
#[derive(Debug)]
pub(crate) struct BeginTask;

#[async_trait]
impl Middleware for BeginTask {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        let context = Arc::clone(call.context());
        if let Some(task) = &context.task {
            task.begin(&context).await?;
        }
        next.run(call).await
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("BeginTask")
    }
}

impl CallContext {
    /// Returns the call that becomes a task, for the request of this one.
    pub(crate) fn becoming(&self, target: &Arc<Target>, task: Arc<dyn BecomesTask>) -> Pending {
        let token = self.progress_token.as_ref();
        let mut context = Self::new(CallParts {
            target: Arc::clone(target),
            home: Arc::clone(&self.home),
            request: self.request.clone(),
            received_at: self.received_at(),
            text: self.text.clone(),
            client: self.client.as_ref(),
            principal: self.principal.clone(),
            // A task's progress is part of its status, also if the client requested
            // no reports.
            progress_token: Some(token.unwrap_or(&self.request.id).clone()),
            log_level: self.log_level,
            scope: None,
            subject: None,
        });
        context.scope.clone_from(&self.scope);
        context.ask = Some(Arc::clone(&task) as Arc<dyn Ask>);
        context.outbound = Some(Arc::clone(&task) as Arc<dyn Outbound>);
        context.task = Some(task);
        Pending::new(context)
    }

    /// Answers the request of this call with the answer of another one, which ran
    /// for it.
    pub(crate) fn adopt(&self, other: &Pending, answer: Answer) -> Answer {
        let code = *other.context().protocol_error.lock();
        *self.protocol_error.lock() = code;
        answer
    }
}

impl Running {
    /// Runs to the end, as a task. Returns nothing if the call was ended from
    /// outside.
    pub(crate) async fn conclude(mut self) -> Option<Concluded> {
        let settled = poll_fn(|cx| self.poll_settled(cx)).await;
        settled.map(Settled::conclude)
    }
}

impl Pending {
    /// Returns the end of a task whose handler was lost with its end.
    pub(crate) fn conclude_lost(&self) -> Concluded {
        let context = self.context();
        context.conclude_with(&Refusal::Lost.error(context, true))
    }
}

impl Ended {
    /// Ends a task with a refusal; cancels what still runs.
    pub(crate) fn conclude(self, why: Refusal) -> Concluded {
        self.context.cancelled.set();
        let error = why.error(&self.context, self.has_begun);
        let concluded = self.context.conclude_with(&error);
        self.report(&error, Some(concluded.size()));
        concluded
    }
}

impl Settled {
    /// Returns the end of a task, within the reply's limit; notifies the
    /// observers.
    fn conclude(self) -> Concluded {
        let Self { context, outcome } = self;
        let limit = context.target.result_bytes;
        let outcome = match outcome {
            Ok(Replied::With(reply)) => Ok(reply),
            Ok(Replied::Asking(_)) => Err(Error::internal("a task waits for its request")),
            Err(error) => Err(error),
        };
        let (outcome, concluded) = match outcome {
            Ok(reply) if reply.fits(limit) => {
                let outcome = if reply.is_error() {
                    Outcome::ErrorResult
                } else {
                    Outcome::Ok
                };
                (outcome, context.completed(&reply))
            }
            Ok(reply) => {
                let kind = context.target.info.kind();
                let text = refusal::too_large(kind, reply.size(), limit);
                let outcome = Outcome::ResultTooLarge;
                (outcome, context.failed(outcome, text))
            }
            Err(error) => {
                let concluded = context.conclude_with(&error);
                context.fail(error, Some(concluded.size()));
                return concluded;
            }
        };
        context.tell(&Ending {
            bytes: Some(concluded.size()),
            ..context.ending(outcome, true)
        });
        concluded
    }
}

impl CallContext {
    fn completed(&self, reply: &Reply) -> Concluded {
        let era = self.request.version.era();
        let mut json = vec![b'{'];
        (self.target.kind.write)(&mut json, era, reply);
        self.home.end_result(&mut json, era, reply.meta());
        Concluded::Completed(raw(json))
    }

    /// What failed inside the server is a protocol error, and what the handler or
    /// its middlewares report is a result, as its kind has it.
    fn conclude_with(&self, error: &Error) -> Concluded {
        let protocol_error = match error.is_hidden() {
            true => Some(self.unknown()),
            false => error.protocol_error(self.request.version.era()),
        };
        match (protocol_error, error.kind()) {
            (Some(error), _) => Concluded::of(&error),
            (None, ErrorKind::Internal | ErrorKind::Panic) => {
                let text = self.text_of(error);
                Concluded::of(&RpcError::new(ErrorCode::InternalError, text))
            }
            (None, kind) => self.failed(Outcome::Failed(kind), self.text_of(error)),
        }
    }

    fn failed(&self, outcome: Outcome, text: String) -> Concluded {
        let era = self.request.version.era();
        let failure = Failure {
            outcome,
            text,
            era,
            key: self.key(),
        };
        match (self.target.kind.failure)(failure) {
            Ok(reply) => self.completed(&reply),
            Err(error) => Concluded::of(&error),
        }
    }
}

impl Concluded {
    fn of(error: &RpcError) -> Self {
        let mut json = Vec::new();
        encode::error_object(&mut json, error);
        Self::Failed(raw(json))
    }

    fn size(&self) -> usize {
        match self {
            Self::Completed(json) | Self::Failed(json) => json.get().len(),
        }
    }
}

fn raw(json: Vec<u8>) -> Box<RawValue> {
    let text = String::from_utf8(json).ok();
    let raw = text.and_then(|text| RawValue::from_string(text).ok());
    raw.unwrap_or_else(|| RawValue::NULL.to_owned())
}
