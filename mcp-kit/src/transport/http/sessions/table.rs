//! Every session that is open: opening, finding and ending them, and which one
//! ends when another is opened and there is no room for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::StatusCode;
use tokio::time::sleep;

use super::common::Common;
use super::id::SessionId;
use super::session::{InUse, LegacySession};
use super::unknown;
use crate::caller::Principal;
use crate::limits::{SessionRecord, SharedSessions};
use crate::observe::OpenSession;
use crate::protocol::{ClientInfo, ProtocolVersion};
use crate::server::ServerInner;
use crate::transport::http::calls::mcp::Mcp;
#[cfg(feature = "sse")]
use crate::transport::http::calls::sink::Sink;
use crate::transport::http::message::refusal::{Reason, Refusal};

/// A session that another caller opens does not end one that was used less than
/// so many milliseconds ago.
const IN_USE: u64 = 1_000;

/// After a search for an idle session found none, the next one begins so many
/// milliseconds later at the earliest: it looks at every session.
const SEARCH_PAUSE: u64 = 100;

/// The sessions of a server.
pub(crate) struct Sessions {
    pub(super) common: Arc<Common>,
    most: usize,
    most_per_principal: usize,
    /// How long one may go unused.
    idle: Duration,
    /// Where replicas tell each other of theirs.
    store: Option<Arc<dyn SharedSessions>>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    sessions: HashMap<SessionId, Arc<LegacySession>>,
    /// By what limits count them as.
    owners: HashMap<Arc<[u8]>, Owner>,
    /// Sessions that are counted here, and found elsewhere.
    seats: usize,
    /// The last search among all sessions found none that is idle.
    search: Option<FailedSearch>,
    is_swept: bool,
}

/// What a principal has.
struct Owner {
    name: Arc<str>,
    sessions: Vec<Arc<LegacySession>>,
    /// Those of its sessions that are found elsewhere.
    seats: usize,
}

#[derive(Clone, Copy)]
struct FailedSearch {
    at: u64,
    /// When a session may be idle at the earliest.
    idle_at: u64,
}

/// Why no session can be opened, and in how many seconds the first may be idle.
enum NoRoom {
    ForPrincipal(u64),
    ForAnybody(u64),
}

impl Sessions {
    pub(crate) fn new(mcp: &Arc<Mcp>, store: Option<Arc<dyn SharedSessions>>) -> Arc<Self> {
        let limits = &mcp.edge.options.limits;
        Arc::new(Self {
            common: Common::new(Arc::clone(mcp)),
            most: limits.sessions,
            most_per_principal: limits.sessions_per_principal,
            idle: limits.session_idle,
            store,
            table: Mutex::default(),
        })
    }

    pub(crate) fn mcp(&self) -> &Arc<Mcp> {
        &self.common.mcp
    }

    /// Opens a session for `principal`, and gives its id.
    pub(super) async fn open(
        self: &Arc<Self>,
        principal: &Principal,
        version: ProtocolVersion,
        client: Option<Arc<ClientInfo>>,
    ) -> Result<String, Refusal> {
        let Some(id) = SessionId::random() else {
            return Err(no_randomness());
        };
        let session = self.add(id, principal, version)?;
        session.session().set_client(client);
        let text = id.text();
        if let Some(store) = &self.store {
            let record = SessionRecord::new(principal, version);
            if store.put(&text, &record, self.idle).await.is_err() {
                self.take_out(&id);
                return Err(unavailable());
            }
        }
        drop(session);
        Ok(text)
    }

    /// The session of this id, if it is the caller's.
    pub(super) async fn find(
        self: &Arc<Self>,
        text: &str,
        principal: &Principal,
    ) -> Result<InUse, Refusal> {
        let id = SessionId::parse(text).ok_or_else(unknown)?;
        let known = self.known(&id);
        let session = match &self.store {
            None => known.ok_or_else(unknown)?,
            // Boxed: whoever shares nothing has no room for it in every request.
            Some(store) => Box::pin(self.ask(&**store, id, text, known, principal)).await?,
        };
        if *session.session().owner != *principal.name() {
            return Err(anothers(principal));
        }
        Ok(session)
    }

    /// Asks the store for a session: another replica may have opened or ended
    /// it.
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
            None => self.add(id, principal, record.version),
        }
    }

    /// A session for one request alone, which nobody finds.
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

    /// A place for a session that is found elsewhere.
    #[cfg(feature = "sse")]
    pub(crate) fn seat(self: &Arc<Self>, principal: &Principal) -> Result<Seat, Refusal> {
        let now = self.common.now();
        let (removed, owner) = {
            let mut table = self.lock();
            let removed = table
                .make_room(self, principal.limit_key(), now)
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

    /// Ends a session that the caller has found, for every replica.
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

    /// Adds a session, where there is room or can be made.
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
            // Two requests may have asked the store for it at once.
            if let Some(session) = table.sessions.get(&id) {
                return Ok(session.enter());
            }
            match table.make_room(self, principal.limit_key(), now) {
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

    /// Sees to it that somebody looks after what goes idle.
    fn keep_sweeping(self: &Arc<Self>, table: &mut Table) {
        if !std::mem::replace(&mut table.is_swept, true) {
            let server = Arc::clone(&self.common.mcp.server);
            tokio::spawn(sweep(Arc::downgrade(self), server, self.pace()));
        }
    }

    /// How often idle sessions are looked for.
    fn pace(&self) -> Duration {
        (self.idle / 8).clamp(Duration::from_millis(10), Duration::from_secs(30))
    }

    /// Ends what has gone idle; whether anything is left.
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
                // The store cannot know that it is in use.
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

    /// A poisoned lock holds nothing half-done here: every change is one step.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Makes room for a session of `owner`: takes out the session that ends for
    /// it, if a limit is reached.
    ///
    /// At its own limit a caller's longest idle session ends. At the server's
    /// the longest idle session of the caller with the most sessions ends, so
    /// that no caller's sessions take the place of those of callers with fewer.
    fn make_room(
        &mut self,
        sessions: &Sessions,
        owner: &[u8],
        now: u64,
    ) -> Result<Option<Arc<LegacySession>>, NoRoom> {
        let seconds = |then: u64| {
            // It is not known when a stream of the older transport ends.
            let then = then.min(now.saturating_add(sessions.common.idle));
            then.saturating_sub(now).div_ceil(1_000).max(1)
        };
        let theirs = self.owners.get(owner);
        let idle = if let Some(theirs) = theirs
            && theirs.count() >= sessions.most_per_principal
        {
            longest_idle(&theirs.sessions, 0, now)
                .map_err(|then| NoRoom::ForPrincipal(seconds(then)))?
        } else if self.sessions.len() + self.seats >= sessions.most {
            self.longest_idle_of_all(owner, now)
                .map_err(|then| NoRoom::ForAnybody(seconds(then)))?
        } else {
            return Ok(None);
        };
        Ok(self.remove(&idle.id))
    }

    /// The longest idle session of the caller with the most; else when one may
    /// be idle at the earliest. The session that `owner` is about to open counts
    /// as one of its own.
    fn longest_idle_of_all(&mut self, owner: &[u8], now: u64) -> Result<Arc<LegacySession>, u64> {
        if let Some(search) = self.search
            && now < search.at + SEARCH_PAUSE
        {
            return Err(search.idle_at);
        }
        let count = |key: &[u8], theirs: &Owner| theirs.count() + usize::from(*key == *owner);
        let counts: BTreeSet<usize> = (self.owners.iter())
            .map(|(key, theirs)| count(key, theirs))
            .collect();
        let mut idle_at = u64::MAX;
        for most in counts.into_iter().rev() {
            let mut longest: Option<Arc<LegacySession>> = None;
            for (key, theirs) in &self.owners {
                if count(key, theirs) != most {
                    continue;
                }
                let least = if **key == *owner { 0 } else { IN_USE };
                match longest_idle(&theirs.sessions, least, now) {
                    Ok(idle) => {
                        let used = idle.last_used();
                        if longest.as_ref().is_none_or(|one| used < one.last_used()) {
                            longest = Some(idle);
                        }
                    }
                    Err(then) => idle_at = idle_at.min(then),
                }
            }
            if let Some(longest) = longest {
                self.search = None;
                return Ok(longest);
            }
        }
        self.search = Some(FailedSearch { at: now, idle_at });
        Err(idle_at)
    }

    /// A principal's entry; the principal's name, and what limits count it as.
    fn owner(&mut self, principal: &Principal) -> (&mut Owner, (Arc<str>, Arc<[u8]>)) {
        let key = principal.limit_key();
        let known = self
            .owners
            .get_key_value(key)
            .map(|(key, _)| Arc::clone(key));
        let key = known.unwrap_or_else(|| key.into());
        let theirs = self
            .owners
            .entry(Arc::clone(&key))
            .or_insert_with(|| Owner {
                name: principal.name().into(),
                sessions: Vec::new(),
                seats: 0,
            });
        let name = Arc::clone(&theirs.name);
        (theirs, (name, key))
    }

    fn remove(&mut self, id: &SessionId) -> Option<Arc<LegacySession>> {
        let session = self.sessions.remove(id)?;
        self.change_owner(&session.counts_as, |theirs| {
            theirs.sessions.retain(|other| other.id != *id);
        });
        Some(session)
    }

    /// Changes a principal's entry, and forgets it once it has no session.
    fn change_owner(&mut self, counts_as: &[u8], change: impl FnOnce(&mut Owner)) {
        if let Some(theirs) = self.owners.get_mut(counts_as) {
            change(theirs);
            if theirs.count() == 0 {
                self.owners.remove(counts_as);
            }
        }
    }
}

impl Owner {
    fn count(&self) -> usize {
        self.sessions.len() + self.seats
    }
}

/// The session that has been idle longest, and for `least` milliseconds; else
/// when one may be at the earliest.
fn longest_idle(
    sessions: &[Arc<LegacySession>],
    least: u64,
    now: u64,
) -> Result<Arc<LegacySession>, u64> {
    let mut longest: Option<&Arc<LegacySession>> = None;
    let mut idle_at = u64::MAX;
    for session in sessions {
        // Whether it is idle costs a lock, and so comes last.
        if longest.is_some_and(|longest| longest.last_used() <= session.last_used()) {
            continue;
        }
        match session.idle_since(now) {
            Ok(since) if since + least <= now => longest = Some(session),
            Ok(since) => idle_at = idle_at.min(since + least),
            Err(then) => idle_at = idle_at.min(then),
        }
    }
    longest.cloned().ok_or(idle_at)
}

/// A place among the sessions, until this is dropped.
#[cfg(feature = "sse")]
pub(crate) struct Seat {
    sessions: Arc<Sessions>,
    /// Its name, and what limits count it as.
    owner: (Arc<str>, Arc<[u8]>),
    _counted: OpenSession,
}

#[cfg(feature = "sse")]
impl Seat {
    /// Whether it is the caller's.
    pub(crate) fn is_owned_by(&self, principal: &Principal) -> bool {
        let is_theirs = *self.owner.0 == *principal.name();
        if !is_theirs {
            log_anothers(principal);
        }
        is_theirs
    }

    /// The session that takes it, whose answers go to `sink`.
    pub(crate) fn session(
        &self,
        id: SessionId,
        version: ProtocolVersion,
        sink: Arc<dyn Sink>,
    ) -> Arc<LegacySession> {
        let owner = self.owner.clone();
        // It is counted already.
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

/// Looks after the sessions until there are none, or the server drains.
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
