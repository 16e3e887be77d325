//! Runs a request's call, in a task of its own.
//!
//! Never in the connection's: a handler that blocks its thread would hold up
//! the answer that its time is up.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep_until};

use super::clock::SHORT_PATIENCE;
use super::exchange::{Begun, Exchange};
use super::legacy::Place;
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
    /// Where in a session it belongs.
    place: Option<Place>,
    task: OnceLock<AbortHandle>,
}

impl Call {
    /// Starts it. What it says goes to `exchange`.
    pub(super) fn start(shared: &Shared, call: PendingCall, exchange: Arc<Exchange>) -> Arc<Self> {
        let (call, holds) = Self::prepare(shared, call, exchange, None);
        let task = tokio::spawn(run(Arc::clone(&call), holds, None));
        let _ = call.task.set(task.abort_handle());
        call
    }

    /// Makes a call that is to wait for its turn. It counts as one that runs.
    pub(super) fn prepare(
        shared: &Shared,
        call: PendingCall,
        exchange: Arc<Exchange>,
        place: Option<Place>,
    ) -> (Arc<Self>, Holds) {
        let call = Arc::new(Self {
            exchange,
            server: Arc::clone(&shared.server),
            call,
            place,
            task: OnceLock::new(),
        });
        let holds = Holds {
            open: shared.open.call(&call),
            beating: shared.pulse.beat(),
            unread: Arc::clone(&shared.unread),
        };
        (call, holds)
    }

    /// Starts a call whose turn has come, with its share of the session.
    pub(super) fn launch(self: &Arc<Self>, holds: Holds, share: Share, runtime: &Handle) {
        let task = runtime.spawn(run(Arc::clone(self), holds, Some(share)));
        let _ = self.task.set(task.abort_handle());
    }

    pub(super) fn pending(&self) -> &PendingCall {
        &self.call
    }

    /// Waits until it is known how the response begins. A call that takes
    /// `patience` is made a stream by then.
    pub(super) async fn begun(&self, patience: Option<Duration>) -> Begun {
        let begun = || std::future::poll_fn(|cx| self.exchange.poll_begun(cx));
        let deadline = self.deadline();
        let first = match patience {
            Some(patience) => deadline.min(self.call.context.received_at + patience),
            None => deadline,
        };
        if let Ok(begun) = tokio::time::timeout_at(first, begun()).await {
            return begun;
        }
        if first < deadline {
            self.exchange.open_stream();
        } else {
            self.time_out();
        }
        begun().await
    }

    /// Answers it once its time has run out while its handler blocks its
    /// thread. For who has no time to wait.
    pub(super) async fn watch(&self) {
        sleep_until(self.deadline()).await;
        self.time_out();
    }

    /// Ends it without an answer: nobody waits for it any more.
    pub(super) fn cancel(&self) {
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
        match &self.place {
            None => {
                context.set_answered();
                self.exchange.answer(json);
            }
            Some(place) => {
                if let Some(refusal) = place.too_large(json.len()) {
                    json.clear();
                    self.server
                        .write_result(&mut json, id, *era, context, &refusal);
                }
                context.set_answered();
                place.settle(self, Some(json));
            }
        }
    }

    /// Ends it without an answer.
    fn end(&self) {
        match &self.place {
            None => self.exchange.end(),
            Some(place) => place.settle(self, None),
        }
    }

    pub(super) fn time_out(&self) {
        self.give_up(&Timeout::refusal(self.call.context.entry.timeout));
    }

    fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.call.context.received_at + self.call.context.entry.timeout + GRACE
    }
}

/// What a call holds while it runs.
pub(super) struct Holds {
    open: OpenCall,
    beating: Beating,
    unread: Arc<Pressure>,
}

/// A call whose client may leave.
pub(super) struct CallGuard {
    call: Arc<Call>,
    /// It goes on where the client has left (the legacy era).
    outlives_client: bool,
    /// Watches over a call that has become a stream.
    watch: Option<JoinHandle<()>>,
}

impl CallGuard {
    pub(super) fn new(call: Arc<Call>, outlives_client: bool) -> Self {
        Self {
            call,
            outlives_client,
            watch: None,
        }
    }

    /// The response is on its way: from here on its deadline is watched.
    pub(super) fn watch(&mut self) {
        let call = Arc::clone(&self.call);
        self.watch = Some(tokio::spawn(async move { call.watch().await }));
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
        if !self.outlives_client {
            self.call.cancel();
        } else if !self.call.exchange.has_ended()
            && let Ok(runtime) = Handle::try_current()
        {
            // Its deadline holds though nobody waits for it now.
            watch_over(&runtime, [&self.call]);
        }
    }
}

/// Times calls out whose handlers block their threads.
pub(super) fn watch_over<'a>(runtime: &Handle, calls: impl IntoIterator<Item = &'a Arc<Call>>) {
    let mut watched: Vec<_> = (calls.into_iter())
        .map(|call| (call.deadline(), Arc::downgrade(call)))
        .collect();
    watched.sort_by_key(|(deadline, _)| *deadline);
    runtime.spawn(async move {
        for (deadline, call) in watched {
            if call.strong_count() == 0 {
                continue;
            }
            sleep_until(deadline).await;
            if let Some(call) = call.upgrade() {
                call.time_out();
            }
        }
    });
}

/// Ends a call that ends without an answer.
struct EndOnDrop<'a>(&'a Call);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn run(call: Arc<Call>, holds: Holds, share: Option<Share>) {
    let _end = EndOnDrop(&call);
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
    if call.place.is_some() && call.exchange.has_ended() {
        return; // answered or cancelled just before its turn came
    }
    let context = &call.call.context;
    context.set_begun();
    let Holds { open, beating, .. } = holds;
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
