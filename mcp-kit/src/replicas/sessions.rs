//! Whose legacy sessions are whose, kept by the store: a session that one
//! replica opened is known to the others.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{RedisLimits, StoreUnavailable, digest_part};
use crate::context::Principal;
use crate::protocol::{Era, ProtocolVersion};

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
    ) -> Result<(), StoreUnavailable>;

    /// The session, which then lives for `lifetime` from now; `None` if it
    /// has ended or never was.
    async fn get(
        &self,
        id: &str,
        lifetime: Duration,
    ) -> Result<Option<SessionRecord>, StoreUnavailable>;

    /// Ends the session for all replicas.
    async fn remove(&self, id: &str) -> Result<(), StoreUnavailable>;
}

/// What is known of a session: who opened it, and the version agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    /// A digest of the principal's name: the store need not know names.
    owner: String,
    version: ProtocolVersion,
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

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.version
    }

    fn text(&self) -> String {
        format!("{} {}", self.version, self.owner)
    }

    /// `None` for what another version of this program wrote.
    fn from_text(text: &str) -> Option<Self> {
        let (version, owner) = text.split_once(' ')?;
        Some(Self {
            version: ProtocolVersion::from_name(version)
                .filter(|version| version.era() == Era::Legacy)?,
            owner: owner.to_owned(),
        })
    }
}

fn digest(principal: &Principal) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(principal.name()))
}

/// The sessions of one server's replicas.
pub(crate) struct RedisSessions {
    store: RedisLimits,
    server: String,
}

impl RedisSessions {
    pub(crate) fn new(store: RedisLimits, server: impl Into<String>) -> Self {
        Self {
            store,
            server: server.into(),
        }
    }

    /// Who can read the store cannot take over a session: the id is not in it.
    fn key(&self, id: &str) -> String {
        let mut digest = Sha256::new();
        digest_part(&mut digest, self.server.as_bytes());
        digest_part(&mut digest, id.as_bytes());
        self.store.key("session", digest)
    }
}

#[async_trait]
impl SharedSessions for RedisSessions {
    async fn put(
        &self,
        id: &str,
        record: &SessionRecord,
        lifetime: Duration,
    ) -> Result<(), StoreUnavailable> {
        let mut setting = redis::cmd("SET");
        setting
            .arg(self.key(id))
            .arg(record.text())
            .arg("PX")
            .arg(millis(lifetime));
        let setting = &setting;
        let outcome = self
            .store
            .link
            .ask(|mut store| async move { setting.exec_async(&mut store).await })
            .await;
        match outcome {
            // It is known to this replica alone, as without a store.
            Err(StoreUnavailable) if !self.store.link.settings().fails_closed => Ok(()),
            outcome => outcome,
        }
    }

    async fn get(
        &self,
        id: &str,
        lifetime: Duration,
    ) -> Result<Option<SessionRecord>, StoreUnavailable> {
        let key = self.key(id);
        let mut getting = redis::pipe();
        getting
            .cmd("GET")
            .arg(&key)
            .cmd("PEXPIRE")
            .arg(&key)
            .arg(millis(lifetime))
            .ignore();
        let getting = &getting;
        let (text,): (Option<String>,) = self
            .store
            .link
            .ask(|mut store| async move { getting.query_async(&mut store).await })
            .await?;
        Ok(text.as_deref().and_then(SessionRecord::from_text))
    }

    async fn remove(&self, id: &str) -> Result<(), StoreUnavailable> {
        let mut removing = redis::cmd("DEL");
        removing.arg(self.key(id));
        let removing = &removing;
        self.store
            .link
            .ask(|mut store| async move { removing.exec_async(&mut store).await })
            .await
    }
}

/// At least 1: the store takes no lifetime of zero.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, YEAR_IN_MILLIS)
}

/// The store adds lifetimes to its clock, which has an end.
const YEAR_IN_MILLIS: u64 = 365 * 24 * 3_600 * 1_000;
