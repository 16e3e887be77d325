//! The stages of a call: pending, then running, then an answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::contained::Contained;
use super::settled::{Replied, Settled};
use super::{
    AroundFuture, Ask, AskPeer, Call, CallContext, CallInfo, Due, Ending, Error, ErrorKind, Next,
    Outbound, Outcome, Refusal, Replaced, Reply, RunPermit, WorkFuture,
};
use crate::protocol::{Era, ErrorCode, RequestId};
#[cfg(feature = "http")]
use crate::support::panics::contain_in;
use crate::support::panics::{contain, discard};

/// How long after its deadline a call is answered from outside. Its own `Timeout`
/// comes first unless the handler blocks its thread.
const GRACE: Duration = Duration::from_millis(100);

/// A call that may start.
#[derive(Clone)]
pub(crate) struct Pending(pub(super) Arc<CallContext>);

/// A response as JSON, without a line break.
pub(crate) struct Answer {
    pub(crate) json: Vec<u8>,
    /// When the call ended, if its own end made the answer.
    pub(crate) ended_at: Option<Instant>,
}

impl Answer {
    pub(crate) fn new(json: Vec<u8>) -> Self {
        Self {
            json,
            ended_at: None,
        }
    }
}

impl Pending {
    pub(crate) fn new(context: CallContext) -> Self {
        Self(Arc::new(context))
    }

    pub(crate) fn id(&self) -> &RequestId {
        &self.0.request.id
    }

    pub(crate) fn era(&self) -> Era {
        self.0.request.version.era()
    }

    pub(crate) fn context(&self) -> &Arc<CallContext> {
        &self.0
    }

    /// Returns the number of bytes that the client made it hold. Its id is held
    /// twice: the connection keeps another copy to find the call by.
    pub(crate) fn size(&self) -> usize {
        2 * self.id().size() + self.0.size()
    }

    /// Returns when its transport answers it at the earliest, as of `now`: the
    /// call's deadline, and a while longer.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        self.0.deadline.earliest(now) + GRACE
    }

    /// Ends the call if it is [due](Self::due) by `now`.
    pub(crate) fn expire(&self, now: Instant) -> Due<Ended> {
        let due = self.due(now);
        if due > now {
            return Due::Later(due);
        }
        self.end().map_or(Due::HasEnded, Due::Ended)
    }

    /// Sets the destination of the call's notifications, if it may have any.
    pub(crate) fn report_to(&mut self, outbound: impl FnOnce() -> Arc<dyn Outbound>) {
        if (self.0.progress_token.is_some() || self.0.target.asks())
            && let Some(context) = Arc::get_mut(&mut self.0)
        {
            context.outbound = Some(outbound());
        }
    }

    /// Sets the client that the call's questions reach by requests, if it may have any:
    /// one of the legacy era.
    pub(crate) fn ask_through(&mut self, peer: impl FnOnce() -> AskPeer) {
        if let Some(code) = self.0.target.ask_code {
            self.ask_with((code.peer)(peer()));
        }
    }

    /// Sets the way by which the call's questions reach the client. In the modern era
    /// only a task has one.
    pub(crate) fn ask_with(&mut self, ask: Arc<dyn Ask>) {
        if let Some(context) = Arc::get_mut(&mut self.0) {
            context.ask = Some(ask);
        }
    }

    /// Returns the code of the protocol error that answered the call, if the
    /// status of an HTTP response depends on it.
    #[cfg(feature = "http")]
    pub(crate) fn protocol_error(&self) -> Option<ErrorCode> {
        *self.0.protocol_error.lock()
    }

    /// Runs the chain; the permit is kept until its handler has ended. Returns
    /// `None` if the call has ended while it waited.
    pub(crate) fn run(self, permit: Option<RunPermit>) -> Option<Running> {
        let context = self.0;
        if !context.phase.begin() {
            return None;
        }
        if let Some(work) = &context.work {
            context.phase.set_announced();
            let work = Contained::new(work.run(&context), context.span_of_scope());
            return Some(Running {
                shares_permits: false,
                chain: Contained::ended(),
                work: Some(Box::new((work, permit))),
                leaving: None,
                context,
                buffer: Vec::new(),
            });
        }
        let span = context.span();
        for observer in &context.target.observers {
            let _ = contain(|| observer.started(&CallInfo(&context)));
        }
        context.phase.set_announced();
        let call = Call::new(Arc::clone(&context), permit);
        let held = Arc::clone(&context);
        let chain: ChainFuture = Box::pin(async move { Next::of(&held).run(call).await });
        Some(Running {
            shares_permits: context.target.shares_permits,
            chain: Contained::new(chain, span),
            work: None,
            leaving: None,
            context,
            buffer: Vec::new(),
        })
    }

    /// Ends the call from outside of its chain, unless it has already ended.
    /// Only the code that receives the result may answer the client.
    pub(crate) fn end(&self) -> Option<Ended> {
        self.0.end()
    }

    /// Drops a call that was answered with a protocol error instead of being
    /// run.
    pub(crate) fn discard(&self, code: ErrorCode) {
        if self.0.phase.end().is_some()
            && let Some(scope) = &self.0.scope
        {
            let _ = contain(|| scope.ended_with(code));
        }
    }

    /// Returns the answer that replaces one that was made.
    pub(crate) fn instead(&self, why: Replaced) -> Answer {
        let context = &self.0;
        #[cfg(feature = "http")]
        if why == Replaced::Unread {
            let _ = contain_in(&context.span_of_scope(), || {
                tracing::warn!(
                    target: "mcp_kit::http",
                    kind = context.target.info.kind().as_str(),
                    name = context.target.info.name(),
                    "large result dropped: too many unread responses"
                );
            });
        }
        context.failure(
            Outcome::Failed(ErrorKind::Busy),
            why.text(context),
            Vec::new(),
        )
    }
}

/// A call that was ended from outside: it is refused, or gets no answer.
#[must_use = "refuse the call, or say that it was cancelled"]
pub(crate) struct Ended {
    pub(super) context: Arc<CallContext>,
    pub(super) has_begun: bool,
}

impl Ended {
    /// Returns the client's answer; cancels what still runs.
    pub(crate) fn refuse(self, why: Refusal) -> Answer {
        self.context.cancelled.set();
        self.context.withdraw_questions();
        let error = why.error(&self.context, self.has_begun);
        let answer = self.context.failure_of(&error, Vec::new());
        self.report(&error, Some(answer.json.len()));
        answer
    }

    /// Ends it with an answer that is not a result of the call.
    pub(crate) fn turn_away(self, why: Refusal) {
        let error = why.error(&self.context, self.has_begun);
        self.report(&error, None);
    }

    /// Ends the call without an answer; cancels what still runs.
    pub(crate) fn cancel(self) {
        self.context.cancelled.set();
        self.context.withdraw_questions();
        let ending = self.context.ending(Outcome::Cancelled, self.has_begun);
        self.context.tell(&ending);
    }

    pub(super) fn report(&self, error: &Error, bytes: Option<usize>) {
        let outcome = Outcome::Failed(error.kind());
        self.context.tell(&Ending {
            bytes,
            error: Some(error),
            ..self.context.ending(outcome, self.has_begun)
        });
    }
}

impl CallContext {
    /// See [`Pending::end`].
    pub(crate) fn end(self: &Arc<Self>) -> Option<Ended> {
        let has_begun = self.phase.end()?;
        Some(Ended {
            context: Arc::clone(self),
            has_begun,
        })
    }
}

type ChainFuture = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// A running call. It returns the answer, or nothing if the call was ended from
/// outside. Polling and dropping it never panics.
pub(crate) struct Running {
    chain: Contained<ChainFuture>,
    /// Whether the chain's permits last until it has ended.
    shares_permits: bool,
    /// What runs in place of the chain, with the permit.
    work: Option<Box<(Contained<WorkFuture>, Option<RunPermit>)>>,
    /// The answer, on its way through what is around it.
    leaving: Option<AroundFuture>,
    context: Arc<CallContext>,
    buffer: Vec<u8>,
}

impl Running {
    /// Writes the answer into `buffer`, which is empty.
    pub(crate) fn write_into(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }

    /// The chain has ended: gives its permits back, unless a handler that blocks a
    /// thread still has the call.
    fn release(&mut self) {
        if !std::mem::take(&mut self.shares_permits) {
            return;
        }
        let context = &self.context;
        if let Some(permits) = context.permits.get()
            && let Err(panic) = contain(|| permits.end())
        {
            context.report_panic(&panic, "panic while a guard of a call was dropped");
        }
    }

    /// Returns the chain's outcome, which has not been reported to the
    /// observers yet.
    pub(crate) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<Option<Settled>> {
        self.poll_outcome(cx).map(|outcome| {
            outcome.map(|outcome| Settled {
                context: Arc::clone(&self.context),
                outcome,
            })
        })
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Replied, Error>>> {
        let outcome = match Pin::new(&mut self.chain).poll(cx) {
            Poll::Ready(outcome) => outcome.map(Replied::With),
            Poll::Pending => {
                let Some(questions) = self.context.rounds.get() else {
                    return Poll::Pending;
                };
                ready!(questions.poll_asked(cx));
                self.chain.end();
                questions.end_round().map(Replied::Asking)
            }
        };
        self.release();
        if self.context.phase.end().is_none() {
            let _ = discard(outcome);
            return Poll::Ready(None);
        }
        self.context.withdraw_questions();
        let kind = self.context.target.info.kind();
        Poll::Ready(Some(match outcome {
            Ok(Replied::With(reply)) if reply.kind() != kind.capability() => Err(Error::internal(
                format!("a {kind} was answered with the reply of a {}", reply.kind()),
            )),
            outcome => outcome,
        }))
    }
}

impl Future for Running {
    type Output = Option<Answer>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(leaving) = &mut self.leaving {
            return leaving.as_mut().poll(cx).map(Some);
        }
        let answer = if let Some((work, _)) = self.work.as_deref_mut() {
            let outcome = ready!(Pin::new(work).poll(cx));
            let answer = self.context.worked(outcome);
            self.work = None; // with its permit
            answer
        } else {
            let outcome = ready!(self.poll_outcome(cx));
            let buffer = std::mem::take(&mut self.buffer);
            outcome.map(|outcome| self.context.settle(outcome, buffer))
        };
        match (answer, &self.context.around) {
            (Some(answer), Some(around)) => {
                let leaving = around.leave(&self.context, answer);
                self.leaving.insert(leaving).as_mut().poll(cx).map(Some)
            }
            (answer, _) => Poll::Ready(answer),
        }
    }
}

/// Handles a call that is dropped before its chain has ended: it was cancelled,
/// its client has left, or its task unwinds.
impl Drop for Running {
    fn drop(&mut self) {
        self.chain.end();
        if let Some(questions) = self.context.rounds.get() {
            questions.end_call();
        }
        self.work = None;
        self.release();
        if self.context.phase.end().is_some() {
            let outcome = if std::thread::panicking() {
                Outcome::Failed(ErrorKind::Panic)
            } else {
                Outcome::Cancelled
            };
            self.context.cancelled.set();
            self.context.withdraw_questions();
            let ending = self.context.ending(outcome, true);
            self.context.tell(&ending);
        }
    }
}
