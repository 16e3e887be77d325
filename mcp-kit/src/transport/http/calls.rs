//! Runs a request's call, in a task of its own.
//!
//! Never in the connection's: a handler that blocks its thread would hold up
//! the answer that its time is up.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::clock::SHORT_PATIENCE;
use super::exchange::{Begun, Exchange};
use super::open::OpenCall;
use super::pressure::Pressure;
use super::pulse::Beating;
use super::service::Shared;
use crate::middleware::{Timeout, log_refusal};
use crate::server::{PendingCall, RunPermit, Running, ServerInner, Share, error_result};
use crate::tool::{ErrorKind, ToolError, ToolResult};

/// How long after its deadline a call is answered from outside. Its own
/// `Timeout` comes first unless the handler blocks its thread.
const GRACE: Duration = Duration::from_millis(100);

/// A call that runs.
pub(super) struct Call {
    pub(super) exchange: Arc<Exchange>,
    server: Arc<ServerInner>,
    call: PendingCall,
    /// How long the client waits for the response to begin, where it takes
    /// events.
    patience: Option<Duration>,
    task: OnceLock<AbortHandle>,
}

impl Call {
    /// Starts it. What it says goes to `exchange`.
    pub(super) fn start(
        shared: &Shared,
        call: PendingCall,
        exchange: Arc<Exchange>,
        patience: Option<Duration>,
        share: Option<Share>,
    ) -> Arc<Self> {
        let call = Arc::new(Self {
            exchange,
            server: Arc::clone(&shared.server),
            call,
            patience,
            task: OnceLock::new(),
        });
        let holds = Holds {
            open: shared.open.call(&call),
            beating: shared.pulse.beat(),
            share,
            unread: Arc::clone(&shared.unread),
        };
        let task = tokio::spawn(run(Arc::clone(&call), holds));
        let _ = call.task.set(task.abort_handle());
        call
    }

    /// Waits until it is known how the response begins.
    pub(super) async fn begun(&self) -> Begun {
        poll_fn(|cx| self.exchange.poll_begun(cx)).await
    }

    /// When there will be something to look after, as of `now`.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let deadline = self.deadline();
        match self.patience {
            Some(patience) if now < self.received_at() + patience => {
                deadline.min(self.received_at() + patience)
            }
            _ => deadline,
        }
    }

    /// Looks after it: makes the response a stream once it takes long, so that
    /// its connection is kept open, and answers a call whose time has run out
    /// while it waited, or while its handler blocks its thread.
    pub(super) fn look(&self, now: Instant) {
        if self.deadline() <= now {
            self.time_out();
        } else if self.patience.is_some() {
            self.exchange.open_stream();
        }
    }

    pub(super) fn received_at(&self) -> Instant {
        self.call.context.received_at
    }

    /// Ends it without an answer: nobody waits for it any more.
    pub(super) fn cancel(&self) {
        if self.exchange.has_ended() {
            return;
        }
        let context = &self.call.context;
        context.set_answered();
        self.exchange.end();
        context.cancel();
        self.abort();
    }

    /// Answers it with a refusal, and ends it.
    pub(super) fn give_up(&self, refusal: &ToolError) {
        if self.exchange.has_ended() {
            return;
        }
        let context = &self.call.context;
        context.give_up(refusal.kind());
        self.abort();
        // Of one that never ran nobody else writes a line.
        if !context.has_begun() {
            log_refusal(refusal, context);
        }
        self.answer(&error_result(refusal, context));
    }

    fn answer(&self, result: &ToolResult) {
        let PendingCall { id, era, context } = &self.call;
        let mut json = Vec::with_capacity(256);
        self.server
            .write_result(&mut json, id, *era, context, result);
        context.set_answered();
        self.exchange.answer(json);
    }

    fn time_out(&self) {
        self.give_up(&Timeout::refusal(self.call.context.entry.timeout));
    }

    fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    fn deadline(&self) -> Instant {
        self.call.context.received_at + self.call.context.entry.timeout + GRACE
    }
}

/// What a call holds while it runs.
struct Holds {
    open: OpenCall,
    beating: Beating,
    /// Its share of the session.
    share: Option<Share>,
    unread: Arc<Pressure>,
}

/// A call whose client may leave.
pub(super) struct CallGuard {
    call: Arc<Call>,
    /// It goes on where the client has left (the legacy era).
    outlives_client: bool,
}

impl CallGuard {
    pub(super) fn new(call: Arc<Call>, outlives_client: bool) -> Self {
        Self {
            call,
            outlives_client,
        }
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if !self.outlives_client {
            self.call.cancel();
        }
    }
}

/// Ends the exchange of a call that ends without an answer.
struct EndOnDrop<'a>(&'a Exchange);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn run(call: Arc<Call>, holds: Holds) {
    let _end = EndOnDrop(&call.exchange);
    if holds.unread.is_high() {
        // Whoever does not read is being cut off meanwhile.
        while !holds.unread.eased(SHORT_PATIENCE).await {}
    }
    let permits = call.server.permits();
    let permit = match Arc::clone(permits).try_acquire_owned() {
        Ok(permit) => permit,
        Err(_) => match Arc::clone(permits).acquire_owned().await {
            Ok(permit) => permit,
            Err(_) => return, // the semaphore is never closed
        },
    };
    let context = &call.call.context;
    context.set_begun();
    let Holds {
        open,
        beating,
        share,
        ..
    } = holds;
    let permit = RunPermit::new(permit, share);
    let result = Running::new(&call.server, context, Some(permit)).await;
    call.answer(&result);
    drop(beating);
    drop(open);
}

/// What is said to calls for which there is no time left.
pub(super) fn shutting_down() -> ToolError {
    ToolError::refusal(
        ErrorKind::Busy,
        "The server is shutting down. Try again once it is back.",
    )
}
