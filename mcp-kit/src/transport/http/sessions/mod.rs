//! Sessions of the revisions up to 2025-11-25, which outlive connections, and
//! streams that a client can resume after they broke off.
//!
//! `initialize` opens a session, whose id every later request carries. It
//! belongs to the principal that opened it; for all others it does not exist.
//! Requests are handled as over stdio: ids in flight are unique, calls wait for
//! their turn, and a client that leaves cancels nothing.

mod batch;
mod common;
mod id;
mod messages;
mod owners;
mod session;
mod streams;
mod table;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response, StatusCode};

use self::session::InUse;
use crate::call::Pending;
use crate::caller::Principal;
use crate::limits::Claim;
use crate::protocol::message::{Frame, Malformed, Message, Request};
use crate::protocol::meta::Meta;
use crate::protocol::{ClientDetails, Era, ErrorCode, ProtocolVersion, RequestId, RpcError};
use crate::server::methods::{self, Method};
use crate::server::{Routed, Session, Subscription};
use crate::transport::http::calls::call::Call;
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::response::{Begun, Exchange};
use crate::transport::http::message::body::{HttpBody, answer, empty_response, json_response};
use crate::transport::http::message::headers::{self, Accepts};
use crate::transport::http::message::refusal::Refusal;

#[cfg(feature = "sse")]
pub(super) use batch::take as take_batch;
#[cfg(feature = "sse")]
pub(super) use id::SessionId;
pub(super) use messages::{Caller, Reply};
#[cfg(feature = "sse")]
pub(super) use session::LegacySession;
pub(super) use streams::{delete, get};
pub(super) use table::Sessions;
#[cfg(feature = "sse")]
pub(super) use table::{Seat, no_randomness};

/// A call that takes longer becomes a stream, if the client can then resume it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The session of a request.
pub(super) enum Found {
    /// The server keeps no sessions.
    Stateless,
    /// The request names no session.
    Nothing,
    Session(InUse),
}

/// A session that will be opened.
pub(super) struct Opening {
    id: RequestId,
    json: Vec<u8>,
    principal: Principal,
    version: ProtocolVersion,
    client: Option<Arc<ClientDetails>>,
}

/// What a message requires.
pub(super) enum Asked {
    /// An answer that is available at once.
    Answer(Vec<u8>),
    /// Nothing: a notification.
    Nothing,
    /// A call, which may start.
    Call(Pending),
    Listen(Subscription, Principal),
    /// A new session.
    Open(Box<Opening>),
    /// A call of a session, which has been accepted.
    InSession(Arc<Call>),
    /// The answers to a batch.
    Batch(Arc<Exchange>),
}

impl Found {
    /// Notes what is known of the client of the session.
    pub(super) fn fill(&self, asking: &mut Session) {
        if let Self::Session(session) = self {
            session.session().fill(asking);
        }
    }

    /// Whether `id` belongs to a call in flight: nothing else may be answered
    /// under it.
    pub(super) fn has_call(&self, id: &RequestId) -> bool {
        match self {
            Self::Session(session) => session.session().has_call(id),
            Self::Stateless | Self::Nothing => false,
        }
    }
}

/// Finds the session that a request names.
pub(super) async fn find(
    sessions: &Arc<Sessions>,
    headers: &HeaderMap,
    principal: &Principal,
) -> Result<Found, Refusal> {
    if !sessions.mcp().edge.options.has_sessions {
        return Ok(Found::Stateless);
    }
    // Later revisions do not use the header, and neither do unknown ones.
    if !headers.contains_key(&headers::SESSION_ID) || is_modern(headers)? {
        return Ok(Found::Nothing);
    }
    let id = headers::single(headers, &headers::SESSION_ID)?.unwrap_or_default();
    let session = sessions.find(id, principal).await?;
    Ok(Found::Session(session))
}

/// Whether the headers name a revision without sessions.
fn is_modern(headers: &HeaderMap) -> Result<bool, Refusal> {
    let named = headers::single(headers, &headers::PROTOCOL_VERSION)?;
    Ok(named.map(named_era) == Some(Era::Modern))
}

/// Returns the era of a version by its name. An unknown version is treated as a
/// later one.
pub(super) fn named_era(name: &str) -> Era {
    ProtocolVersion::from_name(name).map_or(Era::Modern, ProtocolVersion::era)
}

/// Routes a request of either era.
pub(super) fn route(
    mcp: &Mcp,
    era: Era,
    session: &mut Session,
    request: &Request<'_>,
    meta: &Meta<'_>,
) -> Result<Asked, RpcError> {
    let mut json = Vec::new();
    let routed = (mcp.server).route(era, session, request, meta, &mut json)?;
    Ok(match routed {
        Routed::Done => Asked::Answer(json),
        Routed::Run(call) => Asked::Call(call),
        Routed::Listen(subscription) => Asked::Listen(subscription, session.principal.clone()),
        // Only in a session, which has a stream.
        Routed::Watch(_) => return Err(RpcError::method_not_found(&request.method)),
    })
}

/// Decides what a request of the older revisions requires; it comes with what
/// its message has counted for so far.
pub(super) fn request(
    sessions: &Arc<Sessions>,
    found: &Found,
    accepts: Accepts,
    version: Option<ProtocolVersion>,
    request: &Request<'_>,
    meta: &Meta<'_>,
    (mut asking, incoming): (Session, &mut Option<Claim>),
) -> Result<Asked, Refusal> {
    let with_id = |refusal: Refusal| {
        let is_free = !found.has_call(&request.id);
        refusal.with_id(is_free.then_some(&request.id))
    };
    sessions.mcp().refuse_while_draining().map_err(with_id)?;
    let is_first = methods::find(&request.method).is_some_and(Method::is_initialize);
    let session = match found {
        Found::Session(session) => session.session(),
        Found::Nothing if is_first => return initialize(sessions, request, meta, asking),
        Found::Nothing => return Err(with_id(missing())),
        Found::Stateless => {
            // The specification has it so where the header is missing.
            let version = version.unwrap_or(ProtocolVersion::V2025_03_26);
            asking.version = (!is_first).then_some(version);
            let asked = route(sessions.mcp(), Era::Legacy, &mut asking, request, meta);
            let asked = asked.map_err(|error| with_id(Refusal::of(StatusCode::OK, None, error)))?;
            if let Asked::Call(call) = &asked {
                sessions.mcp().check_scope(call).map_err(with_id)?;
            }
            return Ok(asked);
        }
    };
    let keep_alive = sessions.mcp().edge.options.limits.keep_alive;
    let patience = if session.version >= ProtocolVersion::V2025_11_25 {
        PATIENCE.min(keep_alive)
    } else {
        keep_alive
    };
    let patience = accepts.events.then_some(patience);
    let caller = Caller::new(session, asking);
    let reply = caller.request(
        sessions.mcp(),
        request,
        meta,
        patience,
        incoming.take(),
        None,
    )?;
    Ok(match reply {
        Reply::Json { json, .. } => Asked::Answer(json),
        Reply::Call(call) => Asked::InSession(call),
        Reply::Nothing => Asked::Nothing,
    })
}

/// Decides how to handle a message other than a request, or several messages.
pub(super) fn message(
    sessions: &Arc<Sessions>,
    found: &Found,
    named: Option<&str>,
    frame: Frame<'_>,
    asking: Session,
) -> Result<Asked, Refusal> {
    let version = check_version(named)?;
    let members = match frame {
        Frame::Batch(members) => members,
        Frame::One(Err(Malformed { id, error })) => {
            let id = id.filter(|id| !found.has_call(id));
            return Err(Refusal::bad_request(error).with_id(id.as_ref()));
        }
        Frame::One(Ok(message)) => {
            match (found, message) {
                (Found::Session(session), Message::Notification(notification)) => {
                    let caller = Caller::new(session.session(), asking);
                    caller.notification(sessions.mcp(), &notification);
                }
                (Found::Session(session), Message::Response(response)) => {
                    let caller = Caller::new(session.session(), asking);
                    caller.response(sessions.mcp(), &response);
                }
                (Found::Nothing, _) if version.map(ProtocolVersion::era) != Some(Era::Modern) => {
                    return Err(missing());
                }
                _ => {}
            }
            return Ok(Asked::Nothing);
        }
    };
    let agreed = match found {
        Found::Session(session) => Some(session.session().version),
        _ => version,
    };
    let version = agreed.unwrap_or(ProtocolVersion::V2025_03_26);
    if version != ProtocolVersion::V2025_03_26 {
        return Err(Refusal::bad_request(RpcError::invalid_request(
            "Invalid request: batches belong to protocol version 2025-03-26 alone",
        )));
    }
    sessions.mcp().refuse_while_draining()?;
    let alone;
    let session = match found {
        Found::Session(session) => session.session(),
        Found::Nothing => return Err(missing()),
        Found::Stateless => {
            alone = sessions.unlisted(&asking.principal, version)?;
            &alone
        }
    };
    let caller = Caller::new(session, asking);
    batch::take(sessions.mcp(), &caller, &members).map(Asked::Batch)
}

/// Returns the version that the headers name; refuses one that this server does
/// not speak.
pub(super) fn check_version(named: Option<&str>) -> Result<Option<ProtocolVersion>, Refusal> {
    let Some(name) = named else { return Ok(None) };
    match ProtocolVersion::from_name(name) {
        Some(version) => Ok(Some(version)),
        None => Err(headers::unknown_version(
            ErrorCode::InvalidRequest,
            "Bad request",
            name,
        )),
    }
}

/// Handles the handshake, which opens a session.
fn initialize(
    sessions: &Arc<Sessions>,
    request: &Request<'_>,
    meta: &Meta<'_>,
    mut session: Session,
) -> Result<Asked, Refusal> {
    let mut json = Vec::new();
    let server = &sessions.mcp().server;
    // It is answered at once: a handshake is not a call.
    let _ = server
        .route(Era::Legacy, &mut session, request, meta, &mut json)
        .map_err(|error| Refusal::of(StatusCode::OK, None, error).with_id(Some(&request.id)))?;
    Ok(match session.version {
        None => Asked::Answer(json),
        Some(version) => Asked::Open(Box::new(Opening {
            id: request.id.clone(),
            json,
            principal: session.principal,
            version,
            client: session.client,
        })),
    })
}

/// Opens the session, and answers its handshake.
pub(super) async fn open(
    sessions: &Arc<Sessions>,
    opening: Opening,
    accepts: Accepts,
) -> Result<Response<HttpBody>, Refusal> {
    let Opening {
        id,
        json,
        principal,
        version,
        client,
    } = opening;
    // The server's instructions may be long.
    let claim = (sessions.mcp())
        .claim_unread(json.len())
        .map_err(|refusal| refusal.with_id(Some(&id)))?;
    let opened = sessions.open(&principal, version, client).await;
    let session = opened.map_err(|refusal| refusal.with_id(Some(&id)))?;
    let mut response = claimed(answer(json, accepts.json), claim);
    // It is base64url, so this cannot fail.
    if let Ok(session) = HeaderValue::try_from(session) {
        response.headers_mut().insert(headers::SESSION_ID, session);
    }
    Ok(response)
}

/// Answers with the result of a call of a session.
pub(super) async fn respond(
    sessions: &Arc<Sessions>,
    call: Arc<Call>,
    accepts: Accepts,
) -> Response<HttpBody> {
    if !accepts.json {
        call.exchange.open_stream();
    }
    match call.begun().await {
        Begun::Answer(json, claim) => claimed(json_response(StatusCode::OK, json), claim),
        Begun::Stream => sessions.mcp().events(&call.exchange),
        Begun::Nothing => empty_response(StatusCode::ACCEPTED),
    }
}

fn claimed(mut response: Response<HttpBody>, claim: Option<Claim>) -> Response<HttpBody> {
    response.body_mut().held().unread = claim;
    response
}

/// Answers with the results of the calls of a batch.
pub(super) async fn respond_to_batch(
    exchange: Arc<Exchange>,
    accepts: Accepts,
) -> Response<HttpBody> {
    match poll_fn(|cx| exchange.poll_begun(cx)).await {
        Begun::Answer(json, claim) => claimed(answer(json, accepts.json), claim),
        Begun::Stream | Begun::Nothing => empty_response(StatusCode::ACCEPTED),
    }
}

/// Refuses a request without a session.
fn missing() -> Refusal {
    Refusal::bad_request(RpcError::invalid_request(
        "Bad request: Mcp-Session-Id is missing: send \"initialize\" first, and with every later request the id that its answer has",
    ))
}
