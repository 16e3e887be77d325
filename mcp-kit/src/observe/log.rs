//! One span and one event per call.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tracing::Level;

use crate::call::{Call, CallContext, ErrorKind, ToolError};
use crate::call::{CallOutcome, Middleware, Next, NextFuture};
use crate::content::ToolResult;
use crate::support::error_text;
use crate::support::panics::{Contained, contain};

/// The target of the events, for filters.
const TARGET: &str = "mcp_kit::call";

/// Writes one event per call: the tool, the principal, `duration_ms`, the
/// outcome, the names of known arguments and how many unknown ones there were,
/// how many places of the arguments were normalised, if any were;
/// for failures that the client may not see, the reference and the whole chain
/// of sources. No argument's value is ever written.
///
/// Calls that succeed or are refused with a message are at level `INFO`;
/// timeouts, overload and messages that replace another error at `WARN`; internal
/// errors and panics at `ERROR`. The handler
/// runs inside the span `call`, at level `INFO`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

// Written out where `#[async_trait]` could stand: where the level is off the
// rest of the chain is handed on as it is.
impl Middleware for Log {
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        call: Call,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        'next: 'async_trait,
        Self: 'async_trait,
    {
        if !tracing::enabled!(target: TARGET, Level::ERROR) {
            return next.run(call);
        }
        let span = if call.context().trace.has_span() {
            tracing::Span::none()
        } else {
            tracing::info_span!(
                target: TARGET,
                "call",
                tool = call.tool(),
                principal = call.principal().name()
            )
        };
        let mut record = Record {
            context: Arc::clone(call.context()),
            outcome: None,
        };
        let mut rest = Contained::new(Rest::Ahead(Some((next, call))), span);
        Box::pin(async move {
            let outcome = (&mut rest).await;
            record.outcome = Some(Outcome::of(&outcome, &record.context));
            drop(record);
            outcome
        })
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Log")
    }
}

/// The rest of the chain, begun when it is first polled: inside the span.
enum Rest<'a> {
    Ahead(Option<(Next<'a>, Call)>),
    Running(NextFuture<'a>),
}

impl Future for Rest<'_> {
    type Output = Result<ToolResult, ToolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Self::Ahead(start) = &mut *self
            && let Some((next, call)) = start.take()
        {
            *self = Self::Running(next.run(call));
        }
        match &mut *self {
            Self::Running(rest) => rest.as_mut().poll(cx),
            Self::Ahead(_) => Poll::Ready(Err(ToolError::internal("the call panicked before"))),
        }
    }
}

/// Logs a failure whose source no [`Log`] has written, so that a reference in
/// an answer always has its line. It never panics.
pub(crate) fn log_unseen(error: &ToolError, context: &CallContext) {
    if !context.mark_logged() {
        let write = || Outcome::of_error(error, context).write(context);
        let _ = context.trace.within(write);
    }
}

/// Logs a panic that changed nothing about the call's answer.
pub(crate) fn log_late_panic(panic: &ToolError, context: &CallContext) {
    let _ = context.trace.within(|| {
        tracing::error!(
            target: "mcp_kit::panic",
            tool = context.tool(),
            reference = context.reference().to_string(),
            error = panic.source().map(|panic| error_text::of(panic)),
            "panic while a call's error was dropped"
        );
    });
}

/// Logs and counts a call that was refused before its chain began. It never
/// panics.
pub(crate) fn log_refusal(error: &ToolError, context: &CallContext) {
    let how = CallOutcome::Failed(error.kind());
    let write = || Outcome::plain(how, Level::WARN).write(context);
    let _ = context.trace.within(write);
    context.entry.meter.refused(how);
    context.trace.end(|| how, context);
}

/// What the event will say; it is written when this is dropped, so that a
/// cancelled call and one that panics have their event too.
struct Record {
    context: Arc<CallContext>,
    outcome: Option<Outcome>,
}

struct Outcome {
    name: &'static str,
    level: Level,
    reference: Option<String>,
    error: Option<String>,
}

impl Outcome {
    fn of(outcome: &Result<ToolResult, ToolError>, context: &CallContext) -> Self {
        let how = CallOutcome::of(outcome, context);
        match outcome {
            Err(error) if context.given_up().is_none() => Self::of_error(error, context),
            _ => Self::plain(how, how.level()),
        }
    }

    fn of_error(error: &ToolError, context: &CallContext) -> Self {
        let level = match error.kind() {
            ErrorKind::Internal | ErrorKind::Panic => Level::ERROR,
            ErrorKind::Timeout | ErrorKind::Busy => Level::WARN,
            // Something failed, though the model was told what to make of it.
            _ if error.source().is_some() => Level::WARN,
            _ => Level::INFO,
        };
        Self {
            reference: (level == Level::ERROR).then(|| context.reference().to_string()),
            error: error.source().map(|source| error_text::of(source)),
            ..Self::plain(CallOutcome::Failed(error.kind()), level)
        }
    }

    fn plain(how: CallOutcome, level: Level) -> Self {
        Self {
            name: how.as_str(),
            level,
            reference: None,
            error: None,
        }
    }
}

impl CallOutcome {
    /// The level of a call that ended so without an error of its own.
    fn level(self) -> Level {
        match self {
            Self::ResultTooLarge | Self::Failed(_) => Level::WARN,
            Self::Ok | Self::ErrorResult | Self::Cancelled => Level::INFO,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let context = &*self.context;
        let outcome = match self.outcome.take() {
            Some(outcome) => outcome,
            // Dispatch logs what it catches.
            None if std::thread::panicking() => return,
            None => {
                let how = CallOutcome::of_dropped(context);
                Outcome::plain(how, how.level())
            }
        };
        if outcome.error.is_some() {
            context.mark_logged();
        }
        // A subscriber may panic, and this may run while a thread unwinds.
        let _ = contain(|| outcome.write(context));
    }
}

impl Outcome {
    fn write(self, context: &CallContext) {
        // Looked up for an event that is written, and for no other.
        macro_rules! event {
            ($level:ident) => {
                if tracing::enabled!(target: TARGET, Level::$level) {
                    let names = context.argument_names();
                    tracing::event!(
                        target: TARGET,
                        Level::$level,
                        tool = context.tool(),
                        principal = context.principal.name(),
                        duration_ms = millis(context.received_at.elapsed()),
                        outcome = self.name,
                        arguments = names.known.join(","),
                        unknown_arguments = (names.unknown > 0).then_some(names.unknown),
                        normalised = Some(context.normalised()).filter(|places| *places > 0),
                        reference = self.reference,
                        error = self.error,
                        "call"
                    )
                }
            };
        }
        match self.level {
            Level::ERROR => event!(ERROR),
            Level::WARN => event!(WARN),
            _ => event!(INFO),
        }
    }
}

/// Milliseconds with three digits behind the point.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
