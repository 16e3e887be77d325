//! Records which principal owns each legacy session, as the replicas of a
//! server share it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::caller::Principal;
use crate::protocol::{ClientCapabilities, ClientDetails, ClientInfo, ProtocolVersion};

/// Shares the owners of legacy sessions between replicas. An unavailable answer
/// is an error, never a guess: the check of a session's owner does not fail
/// open.
#[async_trait]
pub(crate) trait SharedSessions: Send + Sync {
    /// Records a session that was opened, for `lifetime` from now. On an error
    /// the session must not be opened.
    async fn put(
        &self,
        id: &str,
        record: &SessionRecord,
        lifetime: Duration,
    ) -> Result<(), OwnerUnknown>;

    /// Returns the session, which then lives for `lifetime` from now; `None` if
    /// it has ended or never existed.
    async fn get(
        &self,
        id: &str,
        lifetime: Duration,
    ) -> Result<Option<SessionRecord>, OwnerUnknown>;

    /// Ends the session for all replicas.
    async fn remove(&self, id: &str) -> Result<(), OwnerUnknown>;
}

/// The store did not answer; the log has the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerUnknown;

/// A session's owner, its negotiated version, and what its client has declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    /// A digest of the principal's name, so that names do not leave the
    /// process.
    pub(crate) owner: String,
    pub(crate) version: ProtocolVersion,
    /// What the client has sent about itself, at most 256 bytes for each text.
    pub(crate) info: Option<ClientInfo>,
    pub(crate) capabilities: ClientCapabilities,
    /// The identifiers of the server's extensions that the client has declared.
    pub(crate) extensions: Vec<Arc<str>>,
}

impl SessionRecord {
    pub(crate) fn new(
        owner: &Principal,
        version: ProtocolVersion,
        client: Option<&ClientDetails>,
    ) -> Self {
        let client = client.cloned().unwrap_or_default();
        Self {
            owner: digest(owner),
            version,
            info: client.info,
            capabilities: client.capabilities,
            extensions: client.extensions,
        }
    }

    /// Returns what is known of the client.
    pub(crate) fn client(&self) -> ClientDetails {
        ClientDetails {
            info: self.info.clone(),
            capabilities: self.capabilities,
            extensions: self.extensions.clone(),
        }
    }

    pub(crate) fn is_owned_by(&self, principal: &Principal) -> bool {
        self.owner == digest(principal)
    }
}

fn digest(principal: &Principal) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(principal.name()))
}
