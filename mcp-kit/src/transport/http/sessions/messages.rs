//! Handles the messages of a session.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::batch::BatchReply;
use super::id::unknown;
use super::session::{LegacySession, Unfit};
use crate::call::{Origin, Outbound, Refusal as Why, RequestSource};
use crate::caller::Principal;
use crate::limits::Claim;
use crate::protocol::message::{Message, Notification, Request, Response};
use crate::protocol::meta::Meta;
use crate::protocol::{Era, ErrorCode, RequestId, RpcError, encode};
use crate::server::{EnteredMessages, Routed, Session};
use crate::support::lock::Lock;
use crate::transport::http::calls::call::{Call, Waiting};
use crate::transport::http::calls::mcp::{Mcp, no_room};
use crate::transport::http::message::refusal::Refusal;

/// The sender of a message, and its session.
pub(crate) struct Caller<'a> {
    pub(super) session: &'a Arc<LegacySession>,
    /// The principal of the request's credentials: its scopes may have changed
    /// since the session was opened.
    pub(super) principal: Principal,
    pub(super) origin: Origin,
    source: RequestSource,
    entered: Lock<EnteredMessages>,
}

/// The reply to a message.
pub(crate) enum Reply {
    /// An answer that is available at once, to the request with this id.
    Json {
        id: Option<RequestId>,
        json: Vec<u8>,
    },
    /// The result of a call.
    Call(Arc<Call>),
    Nothing,
}

impl LegacySession {
    /// Notes what is known of the client, for code that handles a message of it.
    pub(crate) fn fill(&self, asking: &mut Session) {
        asking.version = Some(self.version);
        asking.client = self.client();
        asking.log_level = self.log_level.get();
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn new(session: &'a Arc<LegacySession>, asking: Session) -> Self {
        Self {
            session,
            principal: asking.principal,
            origin: session.traced(asking.origin),
            source: RequestSource {
                session: Some(session.name()),
                ..asking.source
            },
            entered: Lock::new(asking.entered),
        }
    }

    /// Answers a request, or starts the call that it requests. `patience` is
    /// how long the response may take to begin if the client accepts events;
    /// `incoming` is what the message has counted for so far.
    pub(crate) fn request(
        &self,
        mcp: &Mcp,
        request: &Request<'_>,
        meta: &Meta<'_>,
        patience: Option<Duration>,
        incoming: Option<Claim>,
        batch: Option<&Arc<BatchReply>>,
    ) -> Result<Reply, Refusal> {
        let (id, session) = (&request.id, self.session);
        if session.has_call(id) {
            return Err(duplicate());
        }
        let mut known = self.known(Some(id), &request.method);
        let mut json = Vec::new();
        let routed = (mcp.server)
            .route(Era::Legacy, &mut known, request, meta, &mut json)
            .map_err(|error| Refusal::of(StatusCode::OK, None, error).with_id(Some(id)))?;
        let mut call = match routed {
            Routed::Run(call) => call,
            Routed::Done => {
                if let Some(level) = known.log_level {
                    session.log_level.set(level);
                }
                let id = Some(id.clone());
                return Ok(Reply::Json { id, json });
            }
            Routed::Watch(watch) => {
                watch.answer(session.feed(&self.principal), &mut json);
                let id = Some(id.clone());
                return Ok(Reply::Json { id, json });
            }
            Routed::Listen(_) => {
                let error = RpcError::method_not_found(&request.method);
                return Err(Refusal::of(StatusCode::OK, None, error).with_id(Some(id)));
            }
        };
        mcp.check_scope(&call)
            .map_err(|refusal| refusal.with_id(Some(id)))?;
        mcp.hold(&call, incoming)?;
        let exchange = session.exchange();
        if patience.is_some() || session.sink.is_some() {
            let outbound = || Arc::clone(&exchange) as Arc<dyn Outbound>;
            call.report_to(outbound);
            call.ask_through(|| {
                let feed = session.feed(&self.principal);
                mcp.server.ask_peer(session.peer(), outbound(), feed)
            });
        }
        let waiting = Waiting {
            patience,
            socket: None, // a client that leaves may come back
        };
        match session.take(mcp, call, exchange, waiting, batch) {
            Ok(call) => Ok(Reply::Call(call)),
            Err(Unfit::Duplicate(call)) => {
                call.discard(ErrorCode::InvalidRequest);
                Err(duplicate())
            }
            Err(Unfit::Ended(call)) => {
                if let Some(ended) = call.end() {
                    ended.cancel();
                }
                Err(unknown())
            }
            Err(Unfit::NoRoom(call)) => Err(no_room(&call)),
            Err(Unfit::Busy(call)) => match call.end() {
                Some(ended) => Ok(Reply::Json {
                    id: Some(call.id().clone()),
                    json: ended.refuse(Why::Busy).json,
                }),
                None => Ok(Reply::Nothing),
            },
        }
    }

    /// Moves on to the next message of a batch.
    pub(super) fn advance_to(&self, message: &Message<'_>) {
        self.entered.lock().advance_to(message);
    }

    /// Returns what is known of the client, for its message with this id and method.
    fn known(&self, id: Option<&RequestId>, method: &str) -> Session {
        let mut known = Session {
            principal: self.principal.clone(),
            version: None,
            client: None,
            log_level: None,
            origin: self.origin.clone(),
            source: self.source.clone(),
            has_stream: true,
            follows: self.session.follows(),
            entered: self.entered.lock().take(id, method).into(),
            read_at: tokio::time::Instant::now(),
        };
        self.session.fill(&mut known);
        known
    }

    /// Handles the answer to a question.
    pub(crate) fn response(&self, mcp: &Mcp, response: &Response<'_>) {
        mcp.server.questions.answered(self.session.peer(), response);
    }

    /// Handles a notification.
    pub(crate) fn notification(&self, mcp: &Mcp, notification: &Notification<'_>) {
        let method = &*notification.method;
        let mut known = self.known(None, method);
        let passed = mcp.server.passes(&mut known, notification);
        let Some(notification) = passed.notification() else {
            return;
        };
        match method {
            "notifications/cancelled" => {
                let id = notification.params.request_id;
                if let Some(id) = id.and_then(|id| RequestId::from_json(id.get())) {
                    self.session.cancel(&id);
                }
            }
            "notifications/initialized" => self.session.initialized(&self.principal),
            _ => (mcp.server).notified(Some(Era::Legacy), &mut known, &notification),
        }
    }

    /// Returns an error under `id`, or without it if that belongs to a call in
    /// flight: it would end that call instead.
    pub(crate) fn error(&self, id: Option<&RequestId>, error: &RpcError) -> Vec<u8> {
        let id = id.filter(|id| !self.session.has_call(id));
        let mut json = Vec::new();
        encode::error(&mut json, id.ok_or(self.session.version), error);
        json
    }
}

/// Has no id: an answer with it would end the first call at the client.
fn duplicate() -> Refusal {
    Refusal::bad_request(RpcError::invalid_request(
        "Invalid request: the id belongs to a request that is still in flight",
    ))
}
