//! Runs a request's call in a task of its own.
//!
//! It does not run in the connection's task: a handler that blocks its thread
//! would also delay the answer that its time is up.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::call::{Answer, Pending, Refusal, Replaced, RunPermit, Share};
use crate::limits::ByteBudget;
use crate::server::ServerInner;
use crate::support::panics::contain;
use crate::transport::http::calls::in_flight::OpenCall;
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::place::Place;
use crate::transport::http::calls::response::{Begun, Exchange};
use crate::transport::http::connection::socket::{self, Socket};
use crate::transport::http::message::body::LARGE;

/// How often the server checks whether a client still waits.
const LOOK: Duration = Duration::from_millis(100);

/// What the client of a call waits for.
#[derive(Default)]
pub(crate) struct Waiting {
    /// How long the response may take to begin, if the client accepts events.
    pub(crate) patience: Option<Duration>,
    /// The client's socket, if the call ends when the client leaves.
    pub(crate) socket: Option<Socket>,
}

/// A call that runs.
pub(crate) struct Call {
    pub(crate) exchange: Arc<Exchange>,
    server: Arc<ServerInner>,
    call: Pending,
    waiting: Waiting,
    /// The call's place in its session.
    place: Option<Place>,
    /// The budget of large answers that are not read yet.
    unread: Arc<ByteBudget>,
    task: OnceLock<AbortHandle>,
    /// The call was ended from outside its task, by code that answers it.
    is_over: AtomicBool,
}

impl Call {
    /// Starts a call. Its output goes to `exchange`.
    pub(crate) fn start(
        mcp: &Mcp,
        call: Pending,
        exchange: Arc<Exchange>,
        waiting: Waiting,
    ) -> Arc<Self> {
        let (call, holds) = Self::prepare(mcp, call, exchange, waiting, None);
        let task = tokio::spawn(run(EndOnDrop(Arc::clone(&call)), holds, None));
        call.runs_in(task.abort_handle());
        call
    }

    /// Creates a call that waits for its turn. Like a running call, it ends
    /// when its time is up.
    pub(crate) fn prepare(
        mcp: &Mcp,
        call: Pending,
        exchange: Arc<Exchange>,
        waiting: Waiting,
        place: Option<Place>,
    ) -> (Arc<Self>, Holds) {
        let call = Arc::new(Self {
            exchange,
            server: Arc::clone(&mcp.server),
            call,
            waiting,
            place,
            unread: Arc::clone(&mcp.unread),
            task: OnceLock::new(),
            is_over: AtomicBool::new(false),
        });
        let holds = Holds(mcp.in_flight.call(&call));
        (call, holds)
    }

    /// Starts a call whose turn has come, with its share of the session.
    pub(crate) fn launch(self: &Arc<Self>, holds: Holds, share: Share, runtime: &Handle) {
        let task = runtime.spawn(run(EndOnDrop(Arc::clone(self)), holds, Some(share)));
        self.runs_in(task.abort_handle());
    }

    pub(crate) fn pending(&self) -> &Pending {
        &self.call
    }

    /// Waits until it is known how the response begins.
    pub(crate) async fn begun(&self) -> Begun {
        poll_fn(|cx| self.exchange.poll_begun(cx)).await
    }

    /// Returns when [`look`](Self::look) must run next, as of `now`.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        let Waiting { patience, socket } = &self.waiting;
        let stream = patience.map(|patience| self.received_at() + patience);
        let look = socket.as_ref().map(|_| now + LOOK);
        let sooner = [stream, look].into_iter().flatten();
        (sooner.filter(|at| *at > now)).fold(self.call.due(now), Instant::min)
    }

    /// Ends a call whose client has left; makes the response a stream once it
    /// takes long, so that its connection is kept open; and answers a call
    /// whose time has run out while it waited or while its handler blocks its
    /// thread.
    pub(crate) fn look(&self, now: Instant) {
        let Waiting { patience, socket } = &self.waiting;
        if (socket.as_deref()).is_some_and(|socket| socket::has_left(socket.as_ref())) {
            self.cancel();
        } else if self.call.due(now) <= now {
            self.refuse(Refusal::TimedOut);
        } else if patience.is_some_and(|patience| self.received_at() + patience <= now) {
            self.exchange.open_stream();
        }
    }

    pub(crate) fn received_at(&self) -> Instant {
        self.call.context().received_at()
    }

    /// Ends the call without an answer: no client waits for it any more.
    pub(crate) fn cancel(&self) {
        if let Some(ended) = self.call.end() {
            self.is_over.store(true, Ordering::Release);
            // In this order: the client is notified that its questions are withdrawn.
            ended.cancel();
            self.end();
            self.abort();
        }
    }

    /// Answers the call with a refusal, and ends it.
    pub(crate) fn refuse(&self, why: Refusal) {
        if let Some(ended) = self.call.end() {
            self.is_over.store(true, Ordering::Release);
            self.answer(ended.refuse(why));
            self.abort();
        }
    }

    fn answer(&self, Answer { mut json, .. }: Answer) {
        // The answer is too large for its batch, or for the budget of unread
        // answers.
        let is_too_large = (self.place.as_ref()).is_some_and(|place| !place.takes(json.len()));
        let mut claim = None;
        if is_too_large {
            json = self.call.instead(Replaced::BatchTooLarge).json;
        } else if json.len() > LARGE {
            claim = self.unread.claim(json.len());
            if claim.is_none() {
                json = self.without_room();
            }
        }
        match &self.place {
            None => {
                self.exchange.answer(json, claim);
            }
            Some(place) => place.settle(self, Some((json, claim))),
        }
    }

    /// Returns the error that replaces a result for which there is no room.
    pub(crate) fn without_room(&self) -> Vec<u8> {
        self.call.instead(Replaced::Unread).json
    }

    /// Answers a call that got no other answer because of an internal failure.
    pub(crate) fn lose(&self) {
        let _ = contain(|| {
            let answer = match self.call.end() {
                Some(ended) => ended.refuse(Refusal::Lost),
                None => self.call.instead(Replaced::Lost),
            };
            if !self.exchange.has_ended() {
                self.answer(answer);
            }
        });
        self.end();
        self.abort();
    }

    /// Ends the call without an answer.
    fn end(&self) {
        match &self.place {
            None => self.exchange.end(),
            Some(place) => place.settle(self, None),
        }
    }

    /// Notes the task of the call, which may have ended meanwhile, on another thread.
    fn runs_in(&self, task: AbortHandle) {
        let _ = self.task.set(task);
        // Not if its own end made the answer, which may still be leaving.
        if self.is_over.load(Ordering::Acquire) {
            self.abort();
        }
    }

    fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// The resources that a call holds while it runs.
pub(crate) struct Holds(OpenCall);

/// A call whose client may leave.
pub(crate) struct CallGuard {
    call: Arc<Call>,
    /// The call continues after its client has left (the legacy era).
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

/// Ends a call whose task ends without an answer, also one that was never polled. If
/// the task unwinds, the client is answered with a reference.
struct EndOnDrop(Arc<Call>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let call = &*self.0;
        if call.is_over.load(Ordering::Acquire) {
            return; // answered by the code that ended it
        }
        if std::thread::panicking() {
            call.lose();
        } else {
            call.end();
            if let Some(ended) = call.call.end() {
                ended.cancel();
            }
        }
    }
}

async fn run(end: EndOnDrop, holds: Holds, share: Option<Share>) {
    let call = &*end.0;
    let principal = &call.call.context().principal;
    // The caller's permit first: a call that waits for it takes none of the
    // server's.
    let Some(theirs) = acquire(call.server.principal_permits.of(principal)).await else {
        return;
    };
    let Some(permit) = acquire(Arc::clone(call.server.permits())).await else {
        return;
    };
    let Holds(open) = holds;
    let permit = RunPermit::new(permit, share).of_principal(theirs);
    let answer = match call.call.clone().run(Some(permit)) {
        Some(running) => running.await,
        None => None,
    };
    match answer {
        Some(answer) => call.answer(answer),
        // Ended from outside, by code that answers it.
        None => call.is_over.store(true, Ordering::Release),
    }
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

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;
    use crate::call::{Error, Origin, RequestSource};
    use crate::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
    use crate::protocol::message::{Frame, Message as Decoded, decode};
    use crate::server::{EnteredMessages, Routed, Server, Session};
    use crate::tool::{ToolDefinition, from_fn};
    use crate::transport::http::calls::response::MOST_UNREAD_EVENTS;

    const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ping","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

    /// Holds an answer on its way out.
    #[derive(Clone, Default)]
    struct Holding(Arc<[Notify; 2]>);

    #[async_trait::async_trait]
    impl MessageMiddleware for Holding {
        async fn handle(
            &self,
            message: Message,
            next: MessageNext<'_>,
        ) -> Result<MessageReply, Error> {
            let reply = next.run(message).await;
            let [holds, release] = &*self.0;
            holds.notify_one();
            release.notified().await;
            reply
        }
    }

    /// An answer that is on its way through the middlewares has ended its call. The code
    /// that has just started the call, on another thread, must not take that for an end
    /// from outside.
    #[tokio::test]
    async fn answer_on_its_way_out_is_not_lost_if_its_task_is_known_late() {
        let holding = Holding::default();
        let tool = from_fn(ToolDefinition::new("ping", "Answers."), async |_| {
            Ok::<_, Error>("pong")
        });
        let server = Server::builder("test", "1").add(tool);
        let server = server.message_layer(holding.clone()).build().unwrap();
        let service = server.http_service();
        let mut session = Session {
            principal: server.inner().local.clone(),
            version: None,
            client: None,
            log_level: None,
            origin: Origin::default(),
            source: RequestSource::default(),
            has_stream: true,
            follows: None,
            entered: EnteredMessages::default(),
            read_at: Instant::now(),
        };
        session.entered = server.inner().enter(&session, None, true, CALL).await;
        let Frame::One(Ok(message)) = decode(CALL, 1) else {
            panic!("a message");
        };
        session.entered.advance_to(&message);
        let Decoded::Request(request) = message else {
            panic!("a request");
        };
        let routed = server
            .inner()
            .request(&mut session, &request, &mut Vec::new());
        let Routed::Run(pending) = routed else {
            panic!("a call");
        };
        let exchange = Exchange::new(MOST_UNREAD_EVENTS);
        let mcp = &service.shared().mcp;
        let (call, holds) = Call::prepare(mcp, pending, exchange, Waiting::default(), None);
        let task = tokio::spawn(run(EndOnDrop(Arc::clone(&call)), holds, None));
        let [held, release] = &*holding.0;
        held.notified().await;
        call.runs_in(task.abort_handle());
        release.notify_one();
        let Begun::Answer(json, _) = call.begun().await else {
            panic!("the answer is lost");
        };
        let json = String::from_utf8(json).unwrap();
        assert!(json.contains("pong"), "{json}");
    }
}
