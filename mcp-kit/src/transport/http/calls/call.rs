//! Runs a request's call, in a task of its own.
//!
//! Never in the connection's: a handler that blocks its thread would hold up
//! the answer that its time is up.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::call::{ErrorKind, ToolError};
use crate::call::{RunPermit, Share};
use crate::content::ToolResult;
use crate::limits::ByteBudget;
use crate::middleware::Timeout;
use crate::observe::log_refusal;
use crate::protocol::{ErrorCode, RpcError, encode};
use crate::server::{PendingCall, Running, ServerInner, error_result};
use crate::support::panics::contain;
use crate::transport::http::calls::in_flight::OpenCall;
use crate::transport::http::calls::response::{Begun, Exchange};
use crate::transport::http::connection::socket::{self, Socket};
use crate::transport::http::message::body::LARGE;
use crate::transport::http::service::Shared;
use crate::transport::http::sessions::Place;

/// How long after its deadline a call is answered from outside. Its own
/// `Timeout` comes first unless the handler blocks its thread.
const GRACE: Duration = Duration::from_millis(100);

/// How often it is looked whether a client still waits.
const LOOK: Duration = Duration::from_millis(100);

/// What a call's client waits for.
#[derive(Default)]
pub(crate) struct Waiting {
    /// How long for the response to begin, where it takes events.
    pub(crate) patience: Option<Duration>,
    /// Where it waits, if the call ends when it leaves.
    pub(crate) socket: Option<Socket>,
}

/// A call that runs.
pub(crate) struct Call {
    pub(crate) exchange: Arc<Exchange>,
    server: Arc<ServerInner>,
    call: PendingCall,
    waiting: Waiting,
    /// Where in a session it belongs.
    place: Option<Place>,
    /// Where large answers count that are not read yet.
    unread: Arc<ByteBudget>,
    task: OnceLock<AbortHandle>,
}

impl Call {
    /// Starts it. What it says goes to `exchange`.
    pub(crate) fn start(
        shared: &Shared,
        call: PendingCall,
        exchange: Arc<Exchange>,
        waiting: Waiting,
    ) -> Arc<Self> {
        let (call, holds) = Self::prepare(shared, call, exchange, waiting, None);
        let task = tokio::spawn(run(Arc::clone(&call), holds, None));
        let _ = call.task.set(task.abort_handle());
        call.abort_if_over();
        call
    }

    /// Makes a call that is to wait for its turn. It is looked after as one
    /// that runs.
    pub(crate) fn prepare(
        shared: &Shared,
        call: PendingCall,
        exchange: Arc<Exchange>,
        waiting: Waiting,
        place: Option<Place>,
    ) -> (Arc<Self>, Holds) {
        let call = Arc::new(Self {
            exchange,
            server: Arc::clone(&shared.server),
            call,
            waiting,
            place,
            unread: Arc::clone(&shared.unread),
            task: OnceLock::new(),
        });
        let holds = Holds(shared.in_flight.call(&call));
        (call, holds)
    }

    /// Starts a call whose turn has come, with its share of the session.
    pub(crate) fn launch(self: &Arc<Self>, holds: Holds, share: Share, runtime: &Handle) {
        let task = runtime.spawn(run(Arc::clone(self), holds, Some(share)));
        let _ = self.task.set(task.abort_handle());
        self.abort_if_over();
    }

    pub(crate) fn pending(&self) -> &PendingCall {
        &self.call
    }

    /// Waits until it is known how the response begins.
    pub(crate) async fn begun(&self) -> Begun {
        poll_fn(|cx| self.exchange.poll_begun(cx)).await
    }

    /// When there will be something to look after, as of `now`.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        let Waiting { patience, socket } = &self.waiting;
        let stream = patience.map(|patience| self.received_at() + patience);
        let look = socket.as_ref().map(|_| now + LOOK);
        let sooner = [stream, look].into_iter().flatten();
        (sooner.filter(|at| *at > now)).fold(self.deadline(), Instant::min)
    }

    /// Looks after it: ends a call whose client has left, makes the response a
    /// stream once it takes long, so that its connection is kept open, and
    /// answers a call whose time has run out while it waited, or while its
    /// handler blocks its thread.
    pub(crate) fn look(&self, now: Instant) {
        let Waiting { patience, socket } = &self.waiting;
        if (socket.as_deref()).is_some_and(|socket| socket::has_left(socket.as_ref())) {
            self.cancel();
        } else if self.deadline() <= now {
            self.time_out();
        } else if patience.is_some_and(|patience| self.received_at() + patience <= now) {
            self.exchange.open_stream();
        }
    }

    pub(crate) fn received_at(&self) -> Instant {
        self.call.context.received_at
    }

    /// Ends it without an answer: nobody waits for it any more.
    pub(crate) fn cancel(&self) {
        if self.exchange.has_ended() {
            return;
        }
        let context = &self.call.context;
        context.set_answered();
        self.end();
        context.cancel();
        self.abort();
    }

    /// Answers it with a refusal, and ends it.
    pub(crate) fn give_up(&self, refusal: &ToolError) {
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
        // Too large for its batch, or for what may be unread.
        let refusal = self
            .place
            .as_ref()
            .and_then(|place| place.too_large(json.len()));
        let mut claim = None;
        if let Some(refusal) = refusal {
            json.clear();
            self.server
                .write_result(&mut json, id, *era, context, &refusal);
        } else if json.len() > LARGE {
            claim = self.unread.claim(json.len());
            if claim.is_none() {
                json = self.without_room();
            }
        }
        context.set_answered();
        match &self.place {
            None => {
                self.exchange.answer(json, claim);
            }
            Some(place) => place.settle(self, Some((json, claim))),
        }
    }

    /// What is answered in place of a result for which there is no room.
    pub(crate) fn without_room(&self) -> Vec<u8> {
        let PendingCall { id, era, context } = &self.call;
        let _ = context.trace.within(|| {
            tracing::warn!(target: "mcp_kit::http", tool = context.tool(), "a large result is dropped: too many are not read");
        });
        let result = error_result(&too_much_unread(), context);
        let mut json = Vec::new();
        self.server
            .write_result(&mut json, id, *era, context, &result);
        json
    }

    /// Answers a call that got no other answer: something of ours has failed.
    pub(crate) fn lose(&self) {
        if self.exchange.has_ended() {
            return;
        }
        let PendingCall { id, context, .. } = &self.call;
        let reference = context.reference();
        let _ = contain(|| {
            tracing::error!(
                target: "mcp_kit::http",
                tool = context.tool(),
                reference = reference.to_string(),
                "a call was lost"
            );
        });
        context.set_answered();
        let error = RpcError::new(
            ErrorCode::InternalError,
            format!(
                "An internal error occurred (reference {reference}). The issue has been logged."
            ),
        );
        let mut json = Vec::new();
        encode::error(&mut json, Ok(id), &error);
        match &self.place {
            None => {
                self.exchange.answer(json, None);
            }
            Some(place) => place.settle(self, Some((json, None))),
        }
        context.cancel();
        self.abort();
    }

    /// Ends it without an answer.
    fn end(&self) {
        match &self.place {
            None => self.exchange.end(),
            Some(place) => place.settle(self, None),
        }
    }

    fn time_out(&self) {
        self.give_up(&Timeout::refusal(self.call.context.entry.timeout));
    }

    /// Whoever ended it before its task was known could not abort that.
    fn abort_if_over(&self) {
        if self.call.context.is_cancelled() {
            self.abort();
        }
    }

    fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// When it is answered at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.call.context.received_at + self.call.context.entry.timeout + GRACE
    }
}

/// What a call holds while it runs.
pub(crate) struct Holds(OpenCall);

/// A call whose client may leave.
pub(crate) struct CallGuard {
    call: Arc<Call>,
    /// It goes on where the client has left (the legacy era).
    outlives_client: bool,
}

impl CallGuard {
    pub(crate) fn new(call: Arc<Call>, outlives_client: bool) -> Self {
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

/// Ends a call whose task ends without an answer. If the task unwinds, the
/// client is answered with a reference.
struct EndOnDrop<'a>(&'a Call);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        let call = self.0;
        if call.call.context.is_cancelled() {
            return; // answered or ended by the code that aborted the task
        }
        if std::thread::panicking() {
            let lost = ToolError::internal("the call was lost: its task panicked");
            let _ = contain(|| call.answer(&error_result(&lost, &call.call.context)));
            call.lose();
        } else {
            call.end();
        }
    }
}

async fn run(call: Arc<Call>, holds: Holds, share: Option<Share>) {
    let _end = EndOnDrop(&call);
    let principal = &call.call.context.principal;
    // Its caller's first: one that waits for that takes none of the server's.
    let Some(theirs) = acquire(call.server.principal_permits.of(principal)).await else {
        return;
    };
    let Some(permit) = acquire(Arc::clone(call.server.permits())).await else {
        return;
    };
    if call.place.is_some() && call.exchange.has_ended() {
        return; // answered or cancelled just before its turn came
    }
    let context = &call.call.context;
    context.set_begun();
    let Holds(open) = holds;
    let permit = RunPermit::new(permit, share).of_principal(theirs);
    let result = Running::new(&call.server, context, Some(permit)).await;
    call.answer(&result);
    drop(open);
}

/// A permit, once there is one; `None` never, since no semaphore is closed.
async fn acquire(permits: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    match Arc::clone(&permits).try_acquire_owned() {
        Ok(permit) => Some(permit),
        // Boxed: most calls need no room for it, and each one's task is allocated.
        Err(_) => Box::pin(permits.acquire_owned()).await.ok(),
    }
}

/// What is said in place of a large result for which there is no room.
fn too_much_unread() -> ToolError {
    ToolError::refusal(
        ErrorKind::Busy,
        "The result is large, and the server has too many answers that their clients do not read. Try again in a few seconds, or ask for less.",
    )
}

/// What is said to calls for which there is no time left.
pub(crate) fn shutting_down() -> ToolError {
    ToolError::refusal(
        ErrorKind::Busy,
        "The server is shutting down. Try again once it is back.",
    )
}
