//! The open sessions of the older transport, each of which lasts as long as its
//! stream.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard};

use crate::support::lock::Lock;

use tokio::task::JoinHandle;

use super::stream::Stream;
use crate::caller::Principal;
use crate::protocol::{ClientDetails, ProtocolVersion};
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::calls::sink::Sink as _;
use crate::transport::http::message::refusal::Refusal;
use crate::transport::http::sessions::{LegacySession, Seat, SessionId, Sessions, no_randomness};

/// The open streams of a server, by the ids of their sessions.
pub(crate) struct Streams {
    sessions: Arc<Sessions>,
    open: Lock<HashMap<SessionId, Arc<SseSession>>>,
}

/// A session: its stream, and the state of its handshake.
pub(super) struct SseSession {
    id: SessionId,
    seat: Seat,
    pub(super) stream: Arc<Stream>,
    agreed: Lock<Agreed>,
}

/// The state of the handshake.
enum Agreed {
    Nothing,
    On(Arc<LegacySession>),
    /// The stream has ended.
    Ended,
}

/// A stream that is open until this is dropped, and its session with it.
pub(crate) struct Opened {
    streams: Arc<Streams>,
    session: Arc<SseSession>,
    ending: JoinHandle<()>,
}

impl Streams {
    /// Creates an empty set. Its sessions count among `sessions`.
    pub(crate) fn new(sessions: &Arc<Sessions>) -> Arc<Self> {
        Arc::new(Self {
            sessions: Arc::clone(sessions),
            open: Lock::default(),
        })
    }

    pub(super) fn mcp(&self) -> &Arc<Mcp> {
        self.sessions.mcp()
    }

    /// Opens a session for `principal`.
    pub(super) fn open(self: &Arc<Self>, principal: &Principal) -> Result<Opened, Refusal> {
        let mcp = self.mcp();
        let id = SessionId::random().ok_or_else(no_randomness)?;
        let session = Arc::new(SseSession {
            id,
            seat: self.sessions.seat(principal)?,
            stream: Stream::new(mcp.server.limits.unread_bytes, &mcp.unread),
            agreed: Lock::new(Agreed::Nothing),
        });
        self.lock().insert(id, Arc::clone(&session));
        let (server, in_flight) = (Arc::clone(&mcp.server), Arc::clone(&mcp.in_flight));
        let stream = Arc::clone(&session.stream);
        Ok(Opened {
            streams: Arc::clone(self),
            session,
            ending: tokio::spawn(async move {
                server.drain.started().await;
                // What answers messages and calls goes to the stream.
                stream.close_to_messages().await;
                in_flight.no_calls().await;
                stream.end();
            }),
        })
    }

    /// Returns the session with this id, if it is the caller's.
    pub(super) fn find(
        &self,
        text: &str,
        principal: &Principal,
    ) -> Result<Arc<SseSession>, Refusal> {
        let id = SessionId::parse(text).ok_or_else(unknown)?;
        let session = self.lock().get(&id).cloned().ok_or_else(unknown)?;
        if session.seat.is_owned_by(principal) && !session.stream.has_ended() {
            Ok(session)
        } else {
            Err(unknown())
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<SseSession>>> {
        self.open.lock()
    }
}

impl Opened {
    pub(super) fn stream(&self) -> &Arc<Stream> {
        &self.session.stream
    }

    /// Returns the id of the session in text form.
    pub(super) fn id(&self) -> String {
        self.session.id.text()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.ending.abort();
        let session = self.streams.lock().remove(&self.session.id);
        drop(session);
        self.session.end();
    }
}

impl SseSession {
    /// Returns the session of the handshake; `None` before the handshake.
    pub(super) fn agreed(&self) -> Result<Option<Arc<LegacySession>>, Refusal> {
        match &*self.lock() {
            Agreed::Nothing => Ok(None),
            Agreed::On(session) => Ok(Some(Arc::clone(session))),
            Agreed::Ended => Err(unknown()),
        }
    }

    /// Agrees on a version. The second of two simultaneous handshakes is
    /// refused.
    pub(super) fn agree(
        &self,
        version: ProtocolVersion,
        client: Option<Arc<ClientDetails>>,
    ) -> bool {
        let mut agreed = self.lock();
        let is_first = matches!(*agreed, Agreed::Nothing);
        if is_first {
            let session = self
                .seat
                .session(self.id, version, Arc::<Stream>::clone(&self.stream));
            session.set_client(client);
            *agreed = Agreed::On(session);
        }
        is_first
    }

    /// Ends the session: its reader is gone, so calls in flight are cancelled.
    fn end(&self) {
        self.stream.close();
        let agreed = std::mem::replace(&mut *self.lock(), Agreed::Ended);
        if let Agreed::On(session) = agreed {
            session.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Agreed> {
        self.agreed.lock()
    }
}

/// Refuses an unknown session, or another caller's: a client cannot tell which.
pub(super) fn unknown() -> Refusal {
    Refusal::not_found(
        "Session not found: it has ended with its stream or never existed. Open another with GET /sse.",
    )
}
