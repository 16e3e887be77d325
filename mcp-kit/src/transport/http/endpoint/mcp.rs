//! The MCP endpoint: from a request that was admitted to what answers
//! it. Which era it belongs to is said by its headers and its metadata, and
//! never by its method.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};

use crate::call::{Origin, Outbound, Pending, Refusal as Why, SHUTTING_DOWN};
use crate::caller::Principal;
use crate::limits::Claim;
use crate::protocol::message::{Frame, Message, Request, decode};
use crate::protocol::meta::{Meta, modern_version};
use crate::protocol::{Era, ErrorCode, ProtocolVersion, RpcError};
use crate::server::methods::{self, Method as RpcMethod};
use crate::server::{Routed, Session, Subscription};
use crate::transport::http::calls::call::{Call, CallGuard, Waiting};
use crate::transport::http::calls::response::{Begun, Exchange, MOST_UNREAD_EVENTS, Reader};
use crate::transport::http::calls::subscriptions;
use crate::transport::http::connection::socket::Socket;
use crate::transport::http::message::body::{
    HttpBody, LARGE, answer, empty_response, json_response, stream_of,
};
use crate::transport::http::message::headers::{self, Accepts};
use crate::transport::http::message::refusal::{Reason, Refusal, busy};
use crate::transport::http::message::request_body::RequestBody;
use crate::transport::http::service::Shared;
use crate::transport::http::sessions::{self, Found, Opening};

/// Answers a request from `principal`.
pub(crate) async fn serve(
    shared: &Arc<Shared>,
    parts: &Parts,
    body: &mut RequestBody,
    (principal, address): (Principal, Option<IpAddr>),
    socket: Option<Socket>,
) -> Result<Response<HttpBody>, Refusal> {
    match parts.method {
        Method::POST => post(shared, parts, body, (principal, address), socket).await,
        // Boxed: most requests need no room for them.
        Method::GET => Box::pin(sessions::get(shared, &parts.headers, principal)).await,
        Method::DELETE => Box::pin(sessions::delete(shared, &parts.headers, principal)).await,
        _ if shared.options.has_sessions => Err(Refusal::method("POST, GET, DELETE")),
        _ => Err(Refusal::method("POST")),
    }
}

/// What a message asks for.
pub(crate) enum Asked {
    /// An answer that is there already.
    Answer(Vec<u8>),
    /// Nothing: a notification.
    Nothing,
    /// A call, which may start.
    Call(Pending),
    Listen(Subscription, Principal),
    /// A session.
    Open(Box<Opening>),
    /// A call of a session, which has been taken up.
    InSession(Arc<Call>),
    /// The answers to a batch.
    Batch(Arc<Exchange>),
}

async fn post(
    shared: &Arc<Shared>,
    parts: &Parts,
    body: &mut RequestBody,
    (principal, address): (Principal, Option<IpAddr>),
    socket: Option<Socket>,
) -> Result<Response<HttpBody>, Refusal> {
    let headers = &parts.headers;
    headers::check_is_json(headers)?;
    let accepts = Accepts::of(headers);
    if !accepts.json && !accepts.events {
        return Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            Reason::ContentType,
            "Not acceptable: Accept must list application/json and text/event-stream",
        ));
    }
    let (bytes, mut incoming) = shared.read(body).await?;
    let origin = Origin::http(parts.version, headers);
    let found = sessions::find(shared, headers, &principal).await?;
    let session = Session {
        principal,
        version: None,
        client: None,
        origin,
        source: shared.options.source(headers, address),
    };
    let asked = decide(
        shared,
        headers,
        accepts,
        &bytes,
        &mut incoming,
        &found,
        session,
    )?;
    drop(bytes);
    drop(found);
    match asked {
        Asked::Nothing => Ok(empty_response(StatusCode::ACCEPTED)),
        Asked::Answer(json) => {
            // A large one, such as a long list, counts among what clients
            // leave unread, as results do.
            let mut claim = None;
            if json.len() > LARGE {
                claim = Some(shared.unread.claim(json.len()).ok_or_else(busy)?);
            }
            let mut response = answer(json, accepts.json);
            response.body_mut().held().unread = claim;
            Ok(response)
        }
        Asked::Call(call) => {
            hold(shared, &call, incoming)?;
            respond(shared, call, accepts, socket).await
        }
        Asked::Listen(subscription, caller) => listen(shared, accepts, subscription, caller),
        Asked::Open(opening) => Box::pin(sessions::open(shared, *opening, accepts)).await,
        Asked::InSession(call) => Ok(sessions::respond(shared, call, accepts).await),
        Asked::Batch(exchange) => Ok(sessions::respond_to_batch(exchange, accepts).await),
    }
}

/// Decides what a message asks for.
fn decide(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    accepts: Accepts,
    bytes: &[u8],
    incoming: &mut Option<Claim>,
    found: &Found,
    session: Session,
) -> Result<Asked, Refusal> {
    let named = headers::single(headers, &headers::PROTOCOL_VERSION)?;
    let header_era = named.map(sessions::named_era);
    match decode(bytes, shared.server.limits.pending_calls) {
        Frame::One(Ok(Message::Request(request))) => {
            // An error under an id in flight would end that call instead.
            let with_id = |refusal: Refusal| {
                let is_free = !found.has_call(&request.id);
                refusal.with_id(is_free.then_some(&request.id))
            };
            let meta = Meta::of(request.params.meta)
                .map_err(|error| with_id(Refusal::bad_request(error)))?;
            if meta.era() == Era::Legacy {
                sessions::check_version(named).map_err(with_id)?;
            }
            if meta.era() == Era::Modern || header_era == Some(Era::Modern) {
                let asked = modern(shared, headers, &request, &meta, session);
                return asked.map_err(with_id);
            }
            let version = named.and_then(ProtocolVersion::from_name);
            sessions::request(
                shared,
                found,
                accepts,
                version,
                &request,
                &meta,
                (session, incoming),
            )
        }
        Frame::One(Ok(Message::Notification(notification))) => {
            let meta = Meta::of(notification.params.meta).map_err(Refusal::bad_request)?;
            if meta.era() == Era::Legacy {
                sessions::check_version(named)?;
            }
            if meta.era() == Era::Modern || header_era == Some(Era::Modern) {
                let method = &notification.method;
                headers::must_equal(headers, &headers::METHOD, method, "method")?;
                modern_version(named.unwrap_or_default()).map_err(Refusal::bad_request)?;
                return Ok(Asked::Nothing);
            }
            let notification = Frame::One(Ok(Message::Notification(notification)));
            sessions::message(shared, found, named, notification, session)
        }
        frame => sessions::message(shared, found, named, frame, session),
    }
}

/// A request that carries its own metadata.
fn modern(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    request: &Request<'_>,
    meta: &Meta<'_>,
    mut session: Session,
) -> Result<Asked, Refusal> {
    let version = meta.check_members().map_err(Refusal::bad_request)?;
    // A client that contradicts itself is told so, whatever it wants.
    let same = |name: &HeaderName, expected: &str, member: &str| {
        headers::must_equal(headers, name, expected, member)
    };
    headers::must_equal_version(headers, &version)?;
    modern_version(&version).map_err(Refusal::bad_request)?;
    same(&headers::METHOD, &request.method, "method")?;
    let method = methods::find(&request.method);
    if let Some((member, name)) = method.and_then(|method| method.header_name(&request.params)) {
        same(&headers::NAME, &name, member)?;
        if method.is_some_and(|method| method.has_param_headers) {
            let arguments = request.params.arguments;
            shared.param_headers.check(&name, arguments, headers)?;
        }
    }
    refuse_while_draining(shared)?;
    check_scope(shared, request, &session.principal)?;
    route(shared, Era::Modern, &mut session, request, meta).map_err(|error| {
        let status = match error.code() {
            ErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
            // Its answer would be a stream, so the request is refused as a whole.
            _ if method.is_some_and(RpcMethod::listens) => StatusCode::BAD_REQUEST,
            _ => StatusCode::OK,
        };
        Refusal::of(status, None, error)
    })
}

/// Routes a request of either era.
pub(crate) fn route(
    shared: &Shared,
    era: Era,
    session: &mut Session,
    request: &Request<'_>,
    meta: &Meta<'_>,
) -> Result<Asked, RpcError> {
    let mut json = Vec::new();
    let routed = (shared.server).route(era, session, request, meta, &mut json)?;
    Ok(match routed {
        Routed::Done => Asked::Answer(json),
        Routed::Run(call) => Asked::Call(call),
        Routed::Listen(subscription) => Asked::Listen(subscription, session.principal.clone()),
    })
}

/// Opens a subscription, whose answer is a stream.
fn listen(
    shared: &Arc<Shared>,
    accepts: Accepts,
    subscription: Subscription,
    caller: Principal,
) -> Result<Response<HttpBody>, Refusal> {
    let id = subscription.id.clone();
    let with_id = |refusal: Refusal| refusal.with_id(Some(&id));
    if !accepts.events {
        return Err(with_id(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            Reason::ContentType,
            "Not acceptable: subscriptions/listen is answered with text/event-stream",
        )));
    }
    let limits = (
        shared.server.limits.subscriptions_per_principal,
        shared.options.limits.requests,
    );
    let place = (shared.subscriptions)
        .place(&caller, limits)
        .map_err(with_id)?;
    let exchange = Exchange::new(MOST_UNREAD_EVENTS);
    let open = subscriptions::open(&shared.server, subscription, Arc::clone(&exchange), place);
    let mut response = events(shared, &exchange);
    response.body_mut().held().keep(open);
    response.body_mut().end_with(caller);
    Ok(response)
}

/// A token that lacks a tool's scope is answered so that its holder can ask for
/// a better one (RFC 6750, section 3.1). Keys have nobody to ask: their callers
/// read in the call's result what is missing.
pub(crate) fn check_scope(
    shared: &Shared,
    request: &Request<'_>,
    principal: &Principal,
) -> Result<(), Refusal> {
    if !principal.has_token() {
        return Ok(());
    }
    let Some(scope) = shared.server.scope_of(&request.method, &request.params) else {
        return Ok(());
    };
    if principal.has_scope(&scope) {
        return Ok(());
    }
    let challenge = (shared.options.authenticators).insufficient_scope(principal, &scope);
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        Reason::Forbidden,
        format!("Forbidden: the tool needs the scope \"{scope}\", which the token does not have"),
    )
    .challenges(challenge.into_iter().collect()))
}

pub(crate) fn refuse_while_draining(shared: &Shared) -> Result<(), Refusal> {
    if !shared.server.drain.is_draining() {
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

/// What a call counts for beside its arguments, its ids and its progress token:
/// about what the server keeps for one that waits.
const PER_CALL: usize = 1024;

/// Counts what a call holds of its client's message, until the call drops it.
/// `incoming` is what the message has counted for so far.
pub(crate) fn hold(
    shared: &Shared,
    call: &Pending,
    incoming: Option<Claim>,
) -> Result<(), Refusal> {
    let bytes = call.size() + PER_CALL;
    let claim = match incoming {
        Some(mut claim) => claim.set_small(bytes).then_some(claim),
        None => shared.incoming.claim_small(bytes),
    };
    let Some(claim) = claim.filter(|_| !leaves_no_room(shared, call)) else {
        return Err(no_room(call));
    };
    call.context().hold(claim);
    Ok(())
}

/// Whether a call would wait for others of its caller while requests take up
/// half of the connections.
fn leaves_no_room(shared: &Shared, call: &Pending) -> bool {
    shared.requests.is_half_full()
        && shared
            .server
            .principal_permits
            .of(&call.context().principal)
            .available_permits()
            == 0
}

/// Refuses a call that there is no room for.
pub(crate) fn no_room(call: &Pending) -> Refusal {
    if let Some(ended) = call.end() {
        ended.turn_away(Why::NoRoom);
    }
    busy().with_id(Some(call.id()))
}

/// Runs a call and answers with what it gives.
async fn respond(
    shared: &Arc<Shared>,
    mut call: Pending,
    accepts: Accepts,
    socket: Option<Socket>,
) -> Result<Response<HttpBody>, Refusal> {
    let outlives_client = call.era() == Era::Legacy;
    let accepts = if outlives_client {
        accepts.preferring_json()
    } else {
        accepts
    };
    let exchange = Exchange::new(MOST_UNREAD_EVENTS);
    if accepts.events {
        call.report_to(|| Arc::clone(&exchange) as Arc<dyn Outbound>);
    }
    if !accepts.json {
        exchange.open_stream();
    }
    let patience = accepts.events.then_some(shared.options.limits.keep_alive);
    let waiting = Waiting {
        patience,
        socket: socket.filter(|_| !outlives_client),
    };
    let call = Call::start(shared, call, exchange, waiting);
    let guard = CallGuard::new(Arc::clone(&call), outlives_client);
    match call.begun().await {
        Begun::Answer(json, claim) => {
            let mut response = json_response(StatusCode::OK, json);
            response.body_mut().held().unread = claim;
            Ok(response)
        }
        Begun::Stream => {
            let mut response = events(shared, &call.exchange);
            response.body_mut().held().keep(guard);
            Ok(response)
        }
        Begun::Nothing => Err(Refusal::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            None,
            RpcError::new(ErrorCode::InternalError, "The call ended without an answer"),
        )
        .with_id(Some(call.pending().id()))),
    }
}

/// A stream of what comes for `exchange`.
pub(crate) fn events(shared: &Shared, exchange: &Arc<Exchange>) -> Response<HttpBody> {
    stream(shared, exchange.read())
}

/// A stream of what comes for `reader`.
pub(crate) fn stream(shared: &Shared, reader: Reader) -> Response<HttpBody> {
    stream_of(HttpBody::events(reader, shared.options.limits.keep_alive))
}
