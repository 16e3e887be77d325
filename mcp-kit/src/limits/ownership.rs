//! Whose legacy sessions are whose, as the replicas of a server know it of
//! each other.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::caller::Principal;
use crate::protocol::ProtocolVersion;

/// What replicas know of each other's sessions. An answer that cannot be had
/// is an error, and never a guess: whose session it is does not fail open.
#[async_trait]
pub(crate) trait SharedSessions: Send + Sync {
    /// Tells of a session that was opened, for `lifetime` from now. An error
    /// means that it must not be opened.
    async fn put(
        &self,
        id: &str,
        record: &SessionRecord,
        lifetime: Duration,
    ) -> Result<(), OwnerUnknown>;

    /// The session, which then lives for `lifetime` from now; `None` if it
    /// has ended or never was.
    async fn get(
        &self,
        id: &str,
        lifetime: Duration,
    ) -> Result<Option<SessionRecord>, OwnerUnknown>;

    /// Ends the session for all replicas.
    async fn remove(&self, id: &str) -> Result<(), OwnerUnknown>;
}

/// Who knows did not answer; the log has why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerUnknown;

/// What is known of a session: who opened it, and the version agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    /// A digest of the principal's name: nobody else need know names.
    pub(crate) owner: String,
    pub(crate) version: ProtocolVersion,
}

impl SessionRecord {
    pub(crate) fn new(owner: &Principal, version: ProtocolVersion) -> Self {
        Self {
            owner: digest(owner),
            version,
        }
    }

    pub(crate) fn is_owned_by(&self, principal: &Principal) -> bool {
        self.owner == digest(principal)
    }
}

fn digest(principal: &Principal) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(principal.name()))
}
