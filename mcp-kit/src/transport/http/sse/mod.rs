//! The transport of 2024-11-05: one stream for all messages of the server, and
//! a path for all messages of the client.
//!
//! The session begins and ends with the stream, as over stdio. The sessions of
//! [`legacy`](crate::transport::http::sessions) handle what clients send, but
//! the answers arrive on the stream.

mod stream;
mod streams;

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, Method, Response, StatusCode, Uri, Version};

use crate::call::Origin;
use crate::caller::Principal;
use crate::limits::Claim;
use crate::protocol::message::{Frame, Malformed, Message, Notification, Request, decode};
use crate::protocol::meta::Meta;
use crate::protocol::{Era, ProtocolVersion, RpcError, encode};
use crate::server::{EnteredMessages, Session};
use crate::transport::http::calls::sink::Sink as _;
use crate::transport::http::edge::options::HttpOptions;
use crate::transport::http::edge::resources::SSE_MESSAGES;
use crate::transport::http::message::body::{HttpBody, empty_response, stream_of};
use crate::transport::http::message::headers::{Accepts, check_is_json};
use crate::transport::http::message::refusal::{Reason, Refusal};
use crate::transport::http::message::request_body::RequestBody;
use crate::transport::http::sessions::{Caller, Reply, take_batch};

use self::streams::{SseSession, unknown};

pub(super) use streams::Streams;

/// The parameter that names the session.
const SESSION: &str = "sessionId";

/// Checks a request for a stream.
pub(super) fn check_stream(streams: &Arc<Streams>, parts: &Parts) -> Result<(), Refusal> {
    if parts.method != Method::GET {
        return Err(Refusal::method("GET"));
    }
    if !Accepts::of(&parts.headers).events {
        return Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            Reason::ContentType,
            "Not acceptable: GET is answered with text/event-stream",
        ));
    }
    streams.mcp().refuse_while_draining()
}

/// Opens a stream. `is_mounted` is whether the request came through an
/// application's router.
pub(super) fn stream(
    streams: &Arc<Streams>,
    parts: &Parts,
    is_mounted: bool,
    principal: &Principal,
) -> Result<Response<HttpBody>, Refusal> {
    let opened = streams.open(principal)?;
    let stream = opened.stream();
    let messages = match prefix(&streams.mcp().edge.options) {
        Some(prefix) => format!("{prefix}{SSE_MESSAGES}"),
        // The router may have removed a part of the path that the client sees.
        // Relative to the stream's own address it is right in any case.
        None if is_mounted || is_forwarded(parts) => SSE_MESSAGES[1..].to_owned(),
        // Some clients only append such an address to the server's name.
        None => SSE_MESSAGES.to_owned(),
    };
    stream.endpoint(&format!("{messages}?{SESSION}={}", opened.id()));
    let keep_alive = streams.mcp().edge.options.limits.keep_alive;
    let mut response = stream_of(HttpBody::events(Arc::clone(stream), keep_alive));
    response.body_mut().held().keep(opened);
    response.body_mut().end_with(principal.clone());
    Ok(response)
}

/// Accepts a message; the answer is sent on the stream.
pub(super) async fn message(
    streams: &Arc<Streams>,
    parts: &Parts,
    body: &mut RequestBody,
    (principal, address): (Principal, Option<IpAddr>),
) -> Result<Response<HttpBody>, Refusal> {
    if parts.method != Method::POST {
        return Err(Refusal::method("POST"));
    }
    check_is_json(&parts.headers)?;
    let id = session_id(&parts.uri).ok_or_else(|| {
        Refusal::bad_request(RpcError::invalid_request(
            "Bad request: sessionId is missing: send messages to the address that the stream's first event has",
        ))
    })?;
    let session = streams.find(id, &principal)?;
    let (bytes, incoming) = streams.mcp().read(body).await?;
    let mut asking = Session {
        principal,
        version: None,
        client: None,
        log_level: None,
        origin: Origin::http(parts.version, &parts.headers),
        source: streams.mcp().edge.options.source(&parts.headers, address),
        has_stream: true,
        follows: None,
        entered: EnteredMessages::default(),
        read_at: tokio::time::Instant::now(),
    };
    let server = &streams.mcp().server;
    if server.has_message_layers() {
        let mut in_session = asking.snapshot();
        if let Some(agreed) = session.agreed()? {
            agreed.fill(&mut in_session);
        }
        let entering = server.enter(&in_session, in_session.version, false, &bytes);
        asking.entered = Box::pin(entering).await;
    }
    let most = server.limits.pending_calls;
    let _handling = session.stream.handle();
    let answer = take(streams, &session, decode(&bytes, most), asking, incoming)?;
    if session.stream.has_ended() {
        // The stream has just ended: no answer can arrive.
        streams.mcp().refuse_while_draining()?;
        return Err(unknown());
    }
    if let Some(json) = answer {
        if !session.stream.has_room(json.len()) {
            return Err(unread());
        }
        session.stream.message(&json);
    }
    Ok(empty_response(StatusCode::ACCEPTED))
}

/// Handles what a client sends; returns what can be answered at once.
fn take(
    streams: &Arc<Streams>,
    session: &SseSession,
    frame: Frame<'_>,
    mut asking: Session,
    incoming: Option<Claim>,
) -> Result<Option<Vec<u8>>, Refusal> {
    if let Frame::One(Ok(message)) = &frame {
        asking.entered.advance_to(message);
    }
    match frame {
        Frame::One(Ok(Message::Request(asked))) => {
            request(streams, session, &asked, asking, incoming)
        }
        Frame::One(Ok(Message::Notification(said))) => {
            notification(streams, session, &said, asking).map(|()| None)
        }
        Frame::One(Ok(Message::Response(response))) => {
            if let Some(agreed) = session.agreed()? {
                Caller::new(&agreed, asking).response(streams.mcp(), &response);
            }
            Ok(None)
        }
        Frame::One(Ok(Message::Ignored)) => Ok(None),
        Frame::One(Err(Malformed { id, error })) => {
            let agreed = session.agreed()?;
            let has_call = |id: &_| agreed.as_ref().is_some_and(|agreed| agreed.has_call(id));
            let id = id.filter(|id| !has_call(id));
            Err(Refusal::bad_request(error).with_id(id.as_ref()))
        }
        Frame::Batch(members) => {
            let agreed = session
                .agreed()?
                .filter(|agreed| agreed.version == ProtocolVersion::V2025_03_26);
            let Some(agreed) = agreed else {
                return Err(Refusal::bad_request(RpcError::invalid_request(
                    "Invalid request: batches belong to protocol version 2025-03-26 alone",
                )));
            };
            refuse(streams, session)?;
            let caller = Caller::new(&agreed, asking);
            take_batch(streams.mcp(), &caller, &members).map_err(ended)?;
            Ok(None)
        }
    }
}

fn request(
    streams: &Arc<Streams>,
    session: &SseSession,
    request: &Request<'_>,
    mut asking: Session,
    incoming: Option<Claim>,
) -> Result<Option<Vec<u8>>, Refusal> {
    let id = &request.id;
    let Some(agreed) = session.agreed()? else {
        refuse(streams, session).map_err(|refusal| refusal.with_id(Some(id)))?;
        return Ok(Some(greet(streams, session, request, &mut asking)));
    };
    let caller = Caller::new(&agreed, asking);
    let is_free = !agreed.has_call(id);
    let with_id = |refusal: Refusal| refusal.with_id(is_free.then_some(id));
    refuse(streams, session).map_err(with_id)?;
    let meta = match Meta::of(request.params.meta).and_then(check_era(request)) {
        Ok(meta) => meta,
        Err(error) => return Ok(Some(caller.error(Some(id), &error))),
    };
    match caller.request(streams.mcp(), request, &meta, None, incoming, None) {
        Ok(Reply::Json { json, .. }) => Ok(Some(json)),
        Ok(Reply::Call(_) | Reply::Nothing) => Ok(None),
        // The protocol's own errors are sent like other answers.
        Err(refusal) if refusal.status() == StatusCode::OK => {
            Ok(Some(refusal.into_json(agreed.version)))
        }
        Err(refusal) => Err(ended(refusal)),
    }
}

/// Answers a request before the handshake, or the handshake itself.
fn greet(
    streams: &Arc<Streams>,
    session: &SseSession,
    request: &Request<'_>,
    asking: &mut Session,
) -> Vec<u8> {
    let mut json = Vec::new();
    let routed = Meta::of(request.params.meta)
        .and_then(check_era(request))
        .and_then(|meta| {
            let server = &streams.mcp().server;
            server.route(Era::Legacy, asking, request, &meta, &mut json)
        });
    let error = match (routed, asking.version) {
        (Err(error), _) => error,
        (Ok(_), Some(version)) if !session.agree(version, asking.client.take()) => {
            RpcError::invalid_request("Invalid request: the connection is initialized already")
        }
        (Ok(_), _) => return json,
    };
    json.clear();
    encode::error(&mut json, Ok(&request.id), &error);
    json
}

fn notification(
    streams: &Arc<Streams>,
    session: &SseSession,
    notification: &Notification<'_>,
    asking: Session,
) -> Result<(), Refusal> {
    if let Some(agreed) = session.agreed()? {
        Caller::new(&agreed, asking).notification(streams.mcp(), notification);
    }
    Ok(())
}

/// Refuses requests of the later revision, which has no such transport. A
/// request for the supported versions gets the older revisions' error, so that
/// the client continues with their handshake.
fn check_era<'a>(request: &Request<'_>) -> impl FnOnce(Meta<'a>) -> Result<Meta<'a>, RpcError> {
    let is_discover = request.method == "server/discover";
    move |meta| match meta.era() {
        Era::Legacy => Ok(meta),
        Era::Modern if is_discover => Err(RpcError::method_not_found("server/discover")),
        Era::Modern => Err(RpcError::invalid_request(
            "Invalid request: requests of 2026-07-28 are served on the MCP endpoint; this transport has the revisions up to 2025-11-25, which begin with \"initialize\"",
        )),
    }
}

/// Refuses a message that must not start a call.
fn refuse(streams: &Arc<Streams>, session: &SseSession) -> Result<(), Refusal> {
    streams.mcp().refuse_while_draining()?;
    if session.stream.is_full() {
        return Err(unread());
    }
    Ok(())
}

/// Returns the path before the endpoint's own as clients see it, if the public
/// URL is known.
fn prefix(options: &HttpOptions) -> Option<String> {
    let url: Uri = options.public_url.as_ref()?.parse().ok()?;
    let prefix = url
        .path()
        .trim_end_matches('/')
        .strip_suffix(options.path.trim_end_matches('/'));
    Some(prefix.unwrap_or_default().to_owned())
}

/// Whether a request shows that it came through a proxy.
fn is_forwarded(parts: &Parts) -> bool {
    let is_proxys = |name: &HeaderName| {
        matches!(name.as_str(), "via" | "forwarded" | "x-real-ip")
            || name.as_str().starts_with("x-forwarded-")
    };
    parts.version == Version::HTTP_10 || parts.headers.keys().any(is_proxys)
}

/// Returns the id of the session that a request names.
fn session_id(uri: &Uri) -> Option<&str> {
    let mut parameters = uri.query()?.split('&');
    parameters.find_map(|parameter| parameter.strip_prefix(SESSION)?.strip_prefix('='))
}

/// Returns a refusal of the endpoint's sessions in words that fit this
/// transport.
fn ended(refusal: Refusal) -> Refusal {
    if refusal.status() == StatusCode::NOT_FOUND {
        unknown()
    } else {
        refusal
    }
}

fn unread() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Reason::Busy,
        "The server is busy: the answers on this session's stream are not read. Read them, then try again.",
    )
    .retry_after(1)
}
