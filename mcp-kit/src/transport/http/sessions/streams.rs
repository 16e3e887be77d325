//! Handles `GET` and `DELETE`: the streams of a session, and its end.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};

use super::session::InUse;
use super::table::Sessions;
use super::{Found, check_version, find, is_modern, missing};
use crate::caller::Principal;
use crate::protocol::RpcError;
use crate::transport::http::calls::response::NotResumed;
use crate::transport::http::message::body::{HttpBody, empty_response};
use crate::transport::http::message::headers::{self, Accepts};
use crate::transport::http::message::refusal::{Reason, Refusal, busy};

/// Opens the session's own stream, or returns the rest of one that broke off.
pub(crate) async fn get(
    sessions: &Arc<Sessions>,
    headers: &HeaderMap,
    principal: Principal,
) -> Result<Response<HttpBody>, Refusal> {
    let found = session(sessions, headers, &principal).await?;
    let session = found.session();
    if !Accepts::of(headers).events {
        return Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            Reason::ContentType,
            "Not acceptable: GET is answered with text/event-stream",
        ));
    }
    sessions.mcp().refuse_while_draining()?;
    if let Some(last) = headers::single(headers, &headers::LAST_EVENT_ID)? {
        let event = event_id(last).ok_or_else(forgotten)?;
        let resumed = session.resume(event, &sessions.mcp().unread);
        let reader = resumed.map_err(|why| match why {
            NotResumed::Forgotten => forgotten(),
            NotResumed::Busy => busy(),
        })?;
        return Ok(sessions.mcp().stream(reader));
    }
    let listening = session.listen(&principal).ok_or_else(super::id::unknown)?;
    let exchange = listening.exchange();
    if sessions.mcp().server.drain.is_draining() {
        exchange.end(); // the code that ends all streams may have run already
    }
    let mut response = sessions.mcp().events(exchange);
    response.body_mut().held().keep(listening);
    response.body_mut().begin_with_comment();
    response.body_mut().end_with(principal);
    Ok(response)
}

/// Ends the session.
pub(crate) async fn delete(
    sessions: &Arc<Sessions>,
    headers: &HeaderMap,
    principal: Principal,
) -> Result<Response<HttpBody>, Refusal> {
    let found = session(sessions, headers, &principal).await?;
    sessions.delete(found.session()).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

async fn session(
    sessions: &Arc<Sessions>,
    headers: &HeaderMap,
    principal: &Principal,
) -> Result<InUse, Refusal> {
    check_version(headers::single(headers, &headers::PROTOCOL_VERSION)?)?;
    if !sessions.mcp().edge.options.has_sessions || is_modern(headers)? {
        return Err(Refusal::method("POST"));
    }
    match find(sessions, headers, principal).await? {
        Found::Session(session) => Ok(session),
        Found::Stateless | Found::Nothing => Err(missing()),
    }
}

/// Returns the stream and the event that an event id names.
fn event_id(id: &str) -> Option<(u64, u64)> {
    let (stream, event) = id.split_once('-')?;
    Some((stream.parse().ok()?, event.parse().ok()?))
}

/// Refuses a stream that is forgotten: a client that waited for the rest would
/// wait forever.
fn forgotten() -> Refusal {
    Refusal::bad_request(RpcError::invalid_request(
        "Bad request: Last-Event-ID names no event that is kept for this session. What came after it is lost; send the request again if it may be repeated.",
    ))
}
