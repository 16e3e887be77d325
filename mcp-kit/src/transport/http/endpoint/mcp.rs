//! The MCP endpoint: from an admitted request to its answer. The headers and
//! the metadata of a request decide its era, never its method.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode};

use crate::call::{Origin, Outbound, Pending};
use crate::caller::Principal;
use crate::limits::Claim;
use crate::protocol::message::{Frame, Message, Request, decode};
use crate::protocol::meta::{Meta, modern_version};
use crate::protocol::{Era, ErrorCode, ProtocolVersion, RpcError};
use crate::server::methods::{self, Method as RpcMethod};
use crate::server::{EnteredMessages, Session, Subscription};
use crate::transport::http::calls::call::{Call, CallGuard, Waiting};
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::response::{Begun, Exchange, MOST_UNREAD_EVENTS};
use crate::transport::http::calls::subscriptions;
use crate::transport::http::calls::subscriptions::Subscriptions;
use crate::transport::http::connection::socket::Socket;
use crate::transport::http::endpoint::param_headers;
use crate::transport::http::message::body::{HttpBody, answer, empty_response, json_response};
use crate::transport::http::message::headers::{self, Accepts};
use crate::transport::http::message::refusal::{Reason, Refusal};
use crate::transport::http::message::request_body::RequestBody;
use crate::transport::http::sessions::{self, Asked, Found, Sessions};

/// The endpoint of a service.
pub(crate) struct Endpoint {
    pub(crate) mcp: Arc<Mcp>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) subscriptions: Arc<Subscriptions>,
}

/// Answers a request from `principal`.
pub(crate) async fn serve(
    endpoint: &Endpoint,
    parts: &Parts,
    body: &mut RequestBody,
    (principal, address): (Principal, Option<IpAddr>),
    socket: Option<Socket>,
) -> Result<Response<HttpBody>, Refusal> {
    match parts.method {
        Method::POST => post(endpoint, parts, body, (principal, address), socket).await,
        // Boxed: most requests need no room for them.
        Method::GET => Box::pin(sessions::get(&endpoint.sessions, &parts.headers, principal)).await,
        Method::DELETE => {
            Box::pin(sessions::delete(
                &endpoint.sessions,
                &parts.headers,
                principal,
            ))
            .await
        }
        _ if endpoint.mcp.edge.options.has_sessions => Err(Refusal::method("POST, GET, DELETE")),
        _ => Err(Refusal::method("POST")),
    }
}

async fn post(
    endpoint: &Endpoint,
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
    let (bytes, mut incoming) = endpoint.mcp.read(body).await?;
    let origin = Origin::http(parts.version, headers);
    let found = sessions::find(&endpoint.sessions, headers, &principal).await?;
    let mut session = Session {
        principal,
        version: None,
        client: None,
        log_level: None,
        origin,
        source: endpoint.mcp.edge.options.source(headers, address),
        has_stream: endpoint.mcp.edge.options.has_sessions,
        follows: None,
        entered: EnteredMessages::default(),
        read_at: tokio::time::Instant::now(),
    };
    if endpoint.mcp.server.has_message_layers() {
        let named = headers::single(headers, &headers::PROTOCOL_VERSION)?;
        let is_modern = named.map(sessions::named_era) == Some(Era::Modern);
        // As its requests will have it. A header alone is no handshake.
        let mut in_session = session.snapshot();
        found.fill(&mut in_session);
        let version = in_session.version;
        let version = version.or_else(|| ProtocolVersion::from_name(named?));
        let entering = (endpoint.mcp.server).enter(&in_session, version, is_modern, &bytes);
        session.entered = Box::pin(entering).await;
    }
    let asked = decide(
        endpoint,
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
            // A large answer, such as a long list, counts among the unread
            // bytes, as results do.
            let claim = endpoint.mcp.claim_unread(json.len())?;
            let mut response = answer(json, accepts.json);
            response.body_mut().held().unread = claim;
            Ok(response)
        }
        Asked::Call(call) => {
            endpoint.mcp.hold(&call, incoming)?;
            respond(&endpoint.mcp, call, accepts, socket).await
        }
        Asked::Listen(subscription, caller) => {
            listen(endpoint, accepts, subscription, caller).await
        }
        Asked::Open(opening) => {
            Box::pin(sessions::open(&endpoint.sessions, *opening, accepts)).await
        }
        Asked::InSession(call) => Ok(sessions::respond(&endpoint.sessions, call, accepts).await),
        Asked::Batch(exchange) => Ok(sessions::respond_to_batch(exchange, accepts).await),
    }
}

/// Decides how a message is answered.
fn decide(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    accepts: Accepts,
    bytes: &[u8],
    incoming: &mut Option<Claim>,
    found: &Found,
    mut session: Session,
) -> Result<Asked, Refusal> {
    let named = headers::single(headers, &headers::PROTOCOL_VERSION)?;
    let header_era = named.map(sessions::named_era);
    let frame = decode(bytes, endpoint.mcp.server.limits.pending_calls);
    if let Frame::One(Ok(message)) = &frame {
        session.entered.advance_to(message);
    }
    match frame {
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
                let asked = modern(endpoint, headers, &request, &meta, session);
                return asked.map_err(with_id);
            }
            let version = named.and_then(ProtocolVersion::from_name);
            sessions::request(
                &endpoint.sessions,
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
                let (mut session, era) = (session, Some(Era::Modern));
                let passed = endpoint.mcp.server.passes(&mut session, &notification);
                if let Some(notification) = passed.notification() {
                    (endpoint.mcp.server).notified(era, &mut session, &notification);
                }
                return Ok(Asked::Nothing);
            }
            let notification = Frame::One(Ok(Message::Notification(notification)));
            sessions::message(&endpoint.sessions, found, named, notification, session)
        }
        frame => sessions::message(&endpoint.sessions, found, named, frame, session),
    }
}

/// Handles a request that carries its own metadata.
fn modern(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    request: &Request<'_>,
    meta: &Meta<'_>,
    mut session: Session,
) -> Result<Asked, Refusal> {
    let version = meta.check_members().map_err(Refusal::bad_request)?;
    // A client that contradicts itself receives an error, whatever it requests.
    let same = |name: &HeaderName, expected: &str, member: &str| {
        headers::must_equal(headers, name, expected, member)
    };
    headers::must_equal_version(headers, &version)?;
    modern_version(&version).map_err(Refusal::bad_request)?;
    same(&headers::METHOD, &request.method, "method")?;
    let method = methods::find(&request.method);
    if let Some((member, name)) = endpoint.mcp.server.header_name(request, &session.principal) {
        same(&headers::NAME, &name, &member)?;
    }
    // A caller that may not see it learns nothing of its arguments.
    if let Some(target) = endpoint.mcp.server.target_of(request)
        && target.info.missing_scope(&session.principal).is_none()
    {
        param_headers::check(&target.param_headers, request.params.arguments, headers)?;
    }
    if !method.is_some_and(RpcMethod::runs_while_draining) {
        endpoint.mcp.refuse_while_draining()?;
    }
    let asked = sessions::route(&endpoint.mcp, Era::Modern, &mut session, request, meta);
    let asked = asked.map_err(|error| {
        let status = match error.code() {
            ErrorCode::MethodNotFound => StatusCode::NOT_FOUND,
            // Its answer would be a stream, so the request is refused as a whole.
            _ if method.is_some_and(RpcMethod::listens) => StatusCode::BAD_REQUEST,
            _ => StatusCode::OK,
        };
        Refusal::of(status, None, error)
    })?;
    if let Asked::Call(call) = &asked {
        endpoint.mcp.check_scope(call)?;
    }
    Ok(asked)
}

/// Opens a subscription, whose answer is a stream.
async fn listen(
    endpoint: &Endpoint,
    accepts: Accepts,
    mut subscription: Subscription,
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
        endpoint.mcp.server.limits.subscriptions_per_principal,
        endpoint.mcp.edge.options.limits.requests,
    );
    let place = (endpoint.subscriptions)
        .place(&caller, limits)
        .map_err(with_id)?;
    subscription.find_tasks(&endpoint.mcp.server, &caller).await;
    let opened = subscriptions::open(&endpoint.mcp, subscription, caller.clone(), place);
    let (exchange, open) = opened.map_err(with_id)?;
    let mut response = endpoint.mcp.events(&exchange);
    response.body_mut().held().keep(open);
    response.body_mut().end_with(caller);
    Ok(response)
}

/// Runs a call and answers with its result.
async fn respond(
    mcp: &Mcp,
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
    let patience = accepts.events.then_some(mcp.edge.options.limits.keep_alive);
    let waiting = Waiting {
        patience,
        socket: socket.filter(|_| !outlives_client),
    };
    let call = Call::start(mcp, call, exchange, waiting);
    let guard = CallGuard::new(Arc::clone(&call), outlives_client);
    match call.begun().await {
        Begun::Answer(json, claim) => {
            let status = match call.pending().protocol_error() {
                Some(ErrorCode::MissingCapability) => StatusCode::BAD_REQUEST,
                // A method that its caller may not see is answered like an unknown one.
                Some(ErrorCode::MethodNotFound) if !outlives_client => StatusCode::NOT_FOUND,
                _ => StatusCode::OK,
            };
            let mut response = json_response(status, json);
            response.body_mut().held().unread = claim;
            Ok(response)
        }
        Begun::Stream => {
            let mut response = mcp.events(&call.exchange);
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
