//! The state that the calls of a service share.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::call::{Pending, Refusal as Why, SHUTTING_DOWN};
use crate::limits::{ByteBudget, Claim};
use crate::server::ServerInner;
use crate::transport::http::calls::in_flight::InFlight;
use crate::transport::http::calls::response::{Exchange, Reader};
use crate::transport::http::edge::Edge;
use crate::transport::http::message::body::{HttpBody, LARGE, stream_of};
use crate::transport::http::message::refusal::{Reason, Refusal, busy};
use crate::transport::http::message::request_body::{self, RequestBody};

/// The server behind a service, its calls in flight, and the budgets for what
/// they hold.
pub(crate) struct Mcp {
    pub(crate) server: Arc<ServerInner>,
    pub(crate) edge: Arc<Edge>,
    pub(crate) in_flight: Arc<InFlight>,
    /// Large bodies on their way in.
    pub(crate) incoming: Arc<ByteBudget>,
    /// Large answers that are not read yet.
    pub(crate) unread: Arc<ByteBudget>,
}

/// The bytes that a call counts for in addition to its arguments, its ids and
/// its progress token: about what the server keeps for a waiting call.
const PER_CALL: usize = 1024;

impl Mcp {
    pub(crate) fn new(server: Arc<ServerInner>, edge: Arc<Edge>) -> Arc<Self> {
        let limits = &edge.options.limits;
        Arc::new(Self {
            in_flight: InFlight::new(&server.ticker),
            incoming: ByteBudget::new(limits.incoming_bytes),
            unread: ByteBudget::new(limits.unread_bytes),
            server,
            edge,
        })
    }

    /// Reads a message.
    pub(crate) async fn read(
        &self,
        body: &mut RequestBody,
    ) -> Result<(Bytes, Option<Claim>), Refusal> {
        let most = self.server.limits.message_bytes;
        let time = self.edge.options.limits.body_time;
        request_body::read(body, most, time, &self.incoming).await
    }

    /// Refuses a request that would start a call while the server drains.
    pub(crate) fn refuse_while_draining(&self) -> Result<(), Refusal> {
        if !self.server.drain.is_draining() {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Reason::Draining,
            SHUTTING_DOWN,
        )
        .retry_after(1)
        .closing())
    }

    /// Refuses a call whose token lacks a scope, so that its holder can ask for a better
    /// one (RFC 6750, section 3.1). A key cannot be exchanged: its caller reads in the
    /// call's result what is missing.
    pub(crate) fn check_scope(&self, call: &Pending) -> Result<(), Refusal> {
        let context = call.context();
        let (principal, info) = (&context.principal, &context.target.info);
        let missing = principal.has_token().then(|| info.missing_scope(principal));
        let Some(scope) = missing.flatten() else {
            return Ok(());
        };
        if let Some(ended) = call.end() {
            ended.turn_away(Why::Forbidden);
        }
        let challenge = (self.edge.options.authenticators).insufficient_scope(principal, scope);
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            Reason::Forbidden,
            format!(
                "Forbidden: the {} needs the scope \"{scope}\", which the token does not have",
                info.kind()
            ),
        )
        .challenges(challenge.into_iter().collect()))
    }

    /// Counts what a call holds of its client's message, until the call drops
    /// it. `incoming` is what the message has counted for so far.
    pub(crate) fn hold(&self, call: &Pending, incoming: Option<Claim>) -> Result<(), Refusal> {
        let bytes = call.size() + PER_CALL;
        let claim = match incoming {
            Some(mut claim) => claim.set_small(bytes).then_some(claim),
            None => self.incoming.claim_small(bytes),
        };
        let Some(claim) = claim.filter(|_| !self.leaves_no_room(call)) else {
            return Err(no_room(call));
        };
        call.context().hold(claim);
        Ok(())
    }

    /// Counts an answer of so many bytes among the unread ones, if it is large.
    pub(crate) fn claim_unread(&self, bytes: usize) -> Result<Option<Claim>, Refusal> {
        if bytes <= LARGE {
            return Ok(None);
        }
        self.unread.claim(bytes).map(Some).ok_or_else(busy)
    }

    /// Whether a call would wait for other calls of its caller while requests
    /// take up half of the connections.
    fn leaves_no_room(&self, call: &Pending) -> bool {
        self.edge.requests.is_half_full()
            && self
                .server
                .principal_permits
                .of(&call.context().principal)
                .available_permits()
                == 0
    }

    /// Answers the running calls with a refusal, and ends them.
    pub(crate) fn give_up_calls(&self) {
        for call in self.in_flight.calls() {
            call.refuse(crate::call::Refusal::ShuttingDown);
        }
    }

    /// Returns a stream of the events of `exchange`.
    pub(crate) fn events(&self, exchange: &Arc<Exchange>) -> Response<HttpBody> {
        self.stream(exchange.read())
    }

    /// Returns a stream of the events of `reader`.
    pub(crate) fn stream(&self, reader: Reader) -> Response<HttpBody> {
        stream_of(HttpBody::events(
            reader,
            self.edge.options.limits.keep_alive,
        ))
    }
}

/// Refuses a call that there is no room for.
pub(crate) fn no_room(call: &Pending) -> Refusal {
    if let Some(ended) = call.end() {
        ended.turn_away(Why::NoRoom);
    }
    busy().with_id(Some(call.id()))
}
