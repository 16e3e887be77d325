//! The sessions of each principal, and the choice of the session that ends when
//! another is opened and there is no room for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::id::SessionId;
use super::session::LegacySession;
use crate::caller::Principal;

/// A session that was used less than so many milliseconds ago does not end for
/// another caller's.
const IN_USE: u64 = 1_000;

/// After a search for an idle session found none, the next one begins so many
/// milliseconds later at the earliest, since it checks every session.
const SEARCH_PAUSE: u64 = 100;

/// The limits on sessions.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) sessions: usize,
    pub(super) per_principal: usize,
    /// How long a session may go unused, in milliseconds.
    pub(super) idle: u64,
}

/// The open sessions, by id and by owner.
#[derive(Default)]
pub(super) struct Table {
    pub(super) sessions: HashMap<SessionId, Arc<LegacySession>>,
    /// By the identity that limits count a principal as.
    owners: HashMap<Arc<[u8]>, Owner>,
    /// Sessions that are counted here, and stored elsewhere.
    pub(super) seats: usize,
    /// The last search among all sessions, if it found no idle one.
    search: Option<FailedSearch>,
    pub(super) is_swept: bool,
}

/// The sessions of a principal.
pub(super) struct Owner {
    name: Arc<str>,
    pub(super) sessions: Vec<Arc<LegacySession>>,
    /// Those of its sessions that are stored elsewhere.
    pub(super) seats: usize,
}

#[derive(Clone, Copy)]
struct FailedSearch {
    at: u64,
    /// When a session may be idle at the earliest.
    idle_at: u64,
}

/// Why no session can be opened, and in how many seconds the first may be idle.
pub(super) enum NoRoom {
    ForPrincipal(u64),
    ForAnybody(u64),
}

impl Table {
    /// Makes room for a session of `owner`: if a limit is reached, removes the
    /// session that ends for it.
    ///
    /// At its own limit a caller's longest idle session ends. At the server's
    /// limit, the longest idle session of the caller with the most sessions
    /// ends, so that no caller's sessions replace those of callers with fewer.
    pub(super) fn make_room(
        &mut self,
        room: Room,
        owner: &[u8],
        now: u64,
    ) -> Result<Option<Arc<LegacySession>>, NoRoom> {
        let seconds = |then: u64| {
            // The end of a stream of the older transport is not known.
            let then = then.min(now.saturating_add(room.idle));
            then.saturating_sub(now).div_ceil(1_000).max(1)
        };
        let theirs = self.owners.get(owner);
        let idle = if let Some(theirs) = theirs
            && theirs.count() >= room.per_principal
        {
            longest_idle(&theirs.sessions, 0, now)
                .map_err(|then| NoRoom::ForPrincipal(seconds(then)))?
        } else if self.sessions.len() + self.seats >= room.sessions {
            self.longest_idle_of_all(owner, now)
                .map_err(|then| NoRoom::ForAnybody(seconds(then)))?
        } else {
            return Ok(None);
        };
        Ok(self.remove(&idle.id))
    }

    /// Returns the longest idle session of the caller with the most; otherwise
    /// when one may be idle at the earliest. The session that `owner` is about
    /// to open counts as one of its own.
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

    /// Returns a principal's entry, the principal's name, and the identity that
    /// limits count it as.
    pub(super) fn owner(&mut self, principal: &Principal) -> (&mut Owner, (Arc<str>, Arc<[u8]>)) {
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

    pub(super) fn remove(&mut self, id: &SessionId) -> Option<Arc<LegacySession>> {
        let session = self.sessions.remove(id)?;
        self.change_owner(&session.counts_as, |theirs| {
            theirs.sessions.retain(|other| other.id != *id);
        });
        Some(session)
    }

    /// Changes a principal's entry, and forgets it once it has no session.
    pub(super) fn change_owner(&mut self, counts_as: &[u8], change: impl FnOnce(&mut Owner)) {
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

/// Returns the session that has been idle longest, and for at least `least`
/// milliseconds; otherwise when one may be at the earliest.
fn longest_idle(
    sessions: &[Arc<LegacySession>],
    least: u64,
    now: u64,
) -> Result<Arc<LegacySession>, u64> {
    let mut longest: Option<&Arc<LegacySession>> = None;
    let mut idle_at = u64::MAX;
    for session in sessions {
        // Checking whether it is idle takes a lock, so it comes last.
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
