//! The open sessions of a server: opening, finding and ending them.
//! [`owners`](super::owners) chooses which one ends when there is no room for
//! another.

use std::sync::{Arc, MutexGuard, Weak};
use std::time::Duration;

use crate::support::lock::Lock;

use http::StatusCode;
use tokio::time::sleep;

use super::common::Common;
use super::id::SessionId;
use super::id::unknown;
use super::owners::{NoRoom, Room, Table};
use super::session::{InUse, LegacySession};
use crate::caller::Principal;
use crate::limits::{SessionRecord, SharedSessions};
use crate::observe::OpenSession;
use crate::protocol::{ClientDetails, ProtocolVersion};
use crate::server::ServerInner;
use crate::transport::http::calls::mcp::Mcp;
#[cfg(feature = "sse")]
use crate::transport::http::calls::sink::Sink;
use crate::transport::http::message::refusal::{Reason, Refusal};

/// The sessions of a server.
pub(crate) struct Sessions {
    pub(super) common: Arc<Common>,
    room: Room,
    /// How long a session may go unused.
    idle: Duration,
    /// The store in which replicas share their sessions.
    store: Option<Arc<dyn SharedSessions>>,
    table: Lock<Table>,
}

impl Sessions {
    pub(crate) fn new(mcp: &Arc<Mcp>, store: Option<Arc<dyn SharedSessions>>) -> Arc<Self> {
        let limits = &mcp.edge.options.limits;
        let common = Common::new(Arc::clone(mcp));
        Arc::new(Self {
            room: Room {
                sessions: limits.sessions,
                per_principal: limits.sessions_per_principal,
                idle: common.idle,
            },
            common,
            idle: limits.session_idle,
            store,
            table: Lock::default(),
        })
    }

    pub(crate) fn mcp(&self) -> &Arc<Mcp> {
        &self.common.mcp
    }

    /// Opens a session for `principal`, and returns its id.
    pub(super) async fn open(
        self: &Arc<Self>,
        principal: &Principal,
        version: ProtocolVersion,
        client: Option<Arc<ClientDetails>>,
    ) -> Result<String, Refusal> {
        let Some(id) = SessionId::random() else {
            return Err(no_randomness());
        };
        let session = self.add(id, principal, version)?;
        session.session().set_client(client.clone());
        let text = id.text();
        if let Some(store) = &self.store {
            let record = SessionRecord::new(principal, version, client.as_deref());
            if store.put(&text, &record, self.idle).await.is_err() {
                self.take_out(&id);
                return Err(unavailable());
            }
        }
        drop(session);
        Ok(text)
    }

    /// Returns the session with this id, if it is the caller's.
    pub(super) async fn find(
        self: &Arc<Self>,
        text: &str,
        principal: &Principal,
    ) -> Result<InUse, Refusal> {
        let id = SessionId::parse(text).ok_or_else(unknown)?;
        let known = self.known(&id);
        let session = match &self.store {
            None => known.ok_or_else(unknown)?,
            // Boxed, so that a server without a shared store has no room for it
            // in every request.
            Some(store) => Box::pin(self.ask(&**store, id, text, known, principal)).await?,
        };
        if *session.session().owner != *principal.name() {
            return Err(anothers(principal));
        }
        Ok(session)
    }

    /// Queries the store for a session: another replica may have opened or
    /// ended it.
    async fn ask(
        self: &Arc<Self>,
        store: &dyn SharedSessions,
        id: SessionId,
        text: &str,
        known: Option<InUse>,
        principal: &Principal,
    ) -> Result<InUse, Refusal> {
        let found = store
            .get(text, self.idle)
            .await
            .map_err(|_| unavailable())?;
        let Some(record) = found else {
            if known.is_some() {
                self.end(&id);
            }
            return Err(unknown());
        };
        if !record.is_owned_by(principal) {
            return Err(anothers(principal));
        }
        match known {
            Some(known) => Ok(known),
            None => {
                let session = self.add(id, principal, record.version)?;
                let client = Arc::new(record.client());
                session.session().set_client(Some(client));
                // Another replica has had the handshake.
                session.session().initialized(principal);
                Ok(session)
            }
        }
    }

    /// Creates a session for one request alone, which no other request can
    /// find.
    pub(super) fn unlisted(
        &self,
        principal: &Principal,
        version: ProtocolVersion,
    ) -> Result<Arc<LegacySession>, Refusal> {
        let id = SessionId::random().ok_or_else(unavailable)?;
        let owner = (principal.name().into(), principal.limit_key().into());
        let counted = OpenSession::default();
        Ok(LegacySession::new(
            id,
            owner,
            version,
            None,
            &self.common,
            counted,
        ))
    }

    /// Takes a place for a session that is stored elsewhere.
    #[cfg(feature = "sse")]
    pub(crate) fn seat(self: &Arc<Self>, principal: &Principal) -> Result<Seat, Refusal> {
        let now = self.common.now();
        let (removed, owner) = {
            let mut table = self.lock();
            let removed = table
                .make_room(self.room, principal.limit_key(), now)
                .map_err(refused)?;
            table.seats += 1;
            let (owner, names) = table.owner(principal);
            owner.seats += 1;
            (removed, names)
        };
        if let Some(removed) = removed {
            removed.end();
        }
        Ok(Seat {
            sessions: Arc::clone(self),
            owner,
            _counted: self.common.mcp.server.meter.open_session(),
        })
    }

    /// Ends a session of the caller for every replica.
    pub(super) async fn delete(&self, session: &LegacySession) -> Result<(), Refusal> {
        if let Some(store) = &self.store {
            let removed = store.remove(&session.id.text()).await;
            removed.map_err(|_| unavailable())?;
        }
        self.end(&session.id);
        Ok(())
    }

    fn known(&self, id: &SessionId) -> Option<InUse> {
        // Under the lock, so that it does not go idle in between.
        self.lock().sessions.get(id).map(LegacySession::enter)
    }

    /// Adds a session, if there is room or room can be made.
    fn add(
        self: &Arc<Self>,
        id: SessionId,
        principal: &Principal,
        version: ProtocolVersion,
    ) -> Result<InUse, Refusal> {
        let now = self.common.now();
        let mut removed = None;
        let added = {
            let mut table = self.lock();
            // Two requests may have queried the store for it at once.
            if let Some(session) = table.sessions.get(&id) {
                return Ok(session.enter());
            }
            match table.make_room(self.room, principal.limit_key(), now) {
                Err(no_room) => Err(no_room),
                Ok(idle) => {
                    removed = idle;
                    let counted = self.common.mcp.server.meter.open_session();
                    let (owner, names) = table.owner(principal);
                    let session =
                        LegacySession::new(id, names, version, None, &self.common, counted);
                    let entered = session.enter();
                    owner.sessions.push(Arc::clone(&session));
                    table.sessions.insert(id, session);
                    self.keep_sweeping(&mut table);
                    Ok(entered)
                }
            }
        };
        if let Some(removed) = removed {
            removed.end();
        }
        added.map_err(refused)
    }

    fn end(&self, id: &SessionId) {
        if let Some(session) = self.take_out(id) {
            session.end();
        }
    }

    fn take_out(&self, id: &SessionId) -> Option<Arc<LegacySession>> {
        self.lock().remove(id)
    }

    /// Makes sure that a task ends idle sessions.
    fn keep_sweeping(self: &Arc<Self>, table: &mut Table) {
        if !std::mem::replace(&mut table.is_swept, true) {
            let server = Arc::clone(&self.common.mcp.server);
            tokio::spawn(sweep(Arc::downgrade(self), server, self.pace()));
        }
    }

    /// How often the task checks for idle sessions.
    fn pace(&self) -> Duration {
        (self.idle / 8).clamp(Duration::from_millis(10), Duration::from_secs(30))
    }

    /// Ends idle sessions. Returns whether any session is left.
    async fn sweep(&self) -> bool {
        let now = self.common.now();
        let mut idle = Vec::new();
        let mut left = Vec::new();
        {
            let mut table = self.lock();
            let ids: Vec<_> = (table.sessions.values())
                .filter(|session| session.has_expired(now))
                .map(|session| session.id)
                .collect();
            idle.extend(ids.iter().filter_map(|id| table.remove(id)));
            left.extend(table.sessions.values().cloned());
            if left.is_empty() {
                table.is_swept = false;
                if table.seats == 0 {
                    *table = Table::default();
                }
            }
        }
        for session in idle {
            session.end();
        }
        let is_any_left = !left.is_empty();
        for session in left {
            session.forget_old(now);
            if let Some(store) = &self.store
                && session.is_open()
            {
                // The store does not know that the session is in use.
                let found = store.get(&session.id.text(), self.idle).await;
                if matches!(found, Ok(None)) {
                    self.end(&session.id);
                }
            }
        }
        is_any_left
    }

    /// Ends the streams on which clients only listen.
    pub(super) fn end_listening(&self) {
        let sessions: Vec<_> = self.lock().sessions.values().cloned().collect();
        for session in sessions {
            session.end_listening();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }
}

/// A place among the sessions, until this is dropped.
#[cfg(feature = "sse")]
pub(crate) struct Seat {
    sessions: Arc<Sessions>,
    /// The owner's name, and the identity that limits count it as.
    owner: (Arc<str>, Arc<[u8]>),
    _counted: OpenSession,
}

#[cfg(feature = "sse")]
impl Seat {
    /// Whether the session is the caller's.
    pub(crate) fn is_owned_by(&self, principal: &Principal) -> bool {
        let is_theirs = *self.owner.0 == *principal.name();
        if !is_theirs {
            log_anothers(principal);
        }
        is_theirs
    }

    /// Returns the session that takes this place, whose answers go to `sink`.
    pub(crate) fn session(
        &self,
        id: SessionId,
        version: ProtocolVersion,
        sink: Arc<dyn Sink>,
    ) -> Arc<LegacySession> {
        let owner = self.owner.clone();
        // It is already counted.
        let counted = OpenSession::default();
        let common = &self.sessions.common;
        LegacySession::new(id, owner, version, Some(sink), common, counted)
    }
}

#[cfg(feature = "sse")]
impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.sessions.lock();
        table.seats -= 1;
        table.change_owner(&self.owner.1, |theirs| theirs.seats -= 1);
    }
}

/// Ends idle sessions until there are none left, or the server drains.
async fn sweep(sessions: Weak<Sessions>, server: Arc<ServerInner>, pace: Duration) {
    loop {
        let is_draining = tokio::select! {
            () = server.drain.started() => true,
            () = sleep(pace) => false,
        };
        let Some(sessions) = sessions.upgrade() else {
            return;
        };
        if is_draining {
            return sessions.end_listening();
        }
        if !sessions.sweep().await {
            return;
        }
    }
}

fn refused(no_room: NoRoom) -> Refusal {
    match no_room {
        NoRoom::ForPrincipal(seconds) => Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            Reason::Sessions,
            "Too many sessions of this caller are in use: each has a call or a stream. End one with DELETE, or try again later.",
        )
        .retry_after(seconds),
        NoRoom::ForAnybody(seconds) => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Reason::Sessions,
            "Too many sessions are in use. Try again later.",
        )
        .retry_after(seconds),
    }
}

fn anothers(principal: &Principal) -> Refusal {
    log_anothers(principal);
    unknown()
}

fn log_anothers(principal: &Principal) {
    tracing::warn!(
        target: "mcp_kit::http",
        principal = principal.name(),
        "asked for a session that another caller opened"
    );
}

pub(crate) fn no_randomness() -> Refusal {
    tracing::error!(target: "mcp_kit::http", "the system gives no random bytes");
    unavailable()
}

fn unavailable() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Reason::LimitsUnavailable,
        "Sessions cannot be looked up at the moment. Try again in a few seconds.",
    )
    .retry_after(1)
}
