//! Keeps the owners of legacy sessions in the store: a session that one replica
//! opened is known to the others.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::limits::replicas::{RedisLimits, StoreUnavailable, digest_part};
use crate::limits::{OwnerUnknown, SessionRecord, SharedSessions};
use crate::protocol::{ClientCapabilities, ClientInfo, Era, ProtocolVersion};

impl SessionRecord {
    fn text(&self) -> String {
        let declared = self.capabilities.bits();
        let info = self.info.as_ref().map(ClientInfo::to_json);
        let info = URL_SAFE_NO_PAD.encode(info.unwrap_or_default());
        let mut text = format!("{} {} {declared} {info}", self.version, self.owner);
        for extension in &self.extensions {
            text.push(' ');
            text.push_str(extension);
        }
        text
    }

    /// Returns `None` for text that another version of this program wrote.
    fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (version, owner) = (parts.next()?, parts.next()?);
        let declared = parts.next()?.parse().ok()?;
        let info = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let info = String::from_utf8(info).ok()?;
        Some(Self {
            version: ProtocolVersion::from_name(version)
                .filter(|version| version.era() == Era::Legacy)?,
            owner: owner.to_owned(),
            info: ClientInfo::from_json(&info),
            capabilities: ClientCapabilities::from_bits(declared),
            extensions: parts.map(Into::into).collect(),
        })
    }
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

    /// A reader of the store cannot take over a session: the key does not
    /// contain the id.
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
    ) -> Result<(), OwnerUnknown> {
        let mut setting = redis::cmd("SET");
        setting
            .arg(self.key(id))
            .arg(record.text())
            .arg("PX")
            .arg(millis(lifetime));
        let setting = &setting;
        // Whether or not counts fail open: every later request of the session
        // would be refused, since its owner would be unknown.
        self.store
            .link
            .ask(|mut store| async move { setting.exec_async(&mut store).await })
            .await
            .map_err(|StoreUnavailable| OwnerUnknown)
    }

    async fn get(
        &self,
        id: &str,
        lifetime: Duration,
    ) -> Result<Option<SessionRecord>, OwnerUnknown> {
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
            .await
            .map_err(|StoreUnavailable| OwnerUnknown)?;
        Ok(text.as_deref().and_then(SessionRecord::from_text))
    }

    async fn remove(&self, id: &str) -> Result<(), OwnerUnknown> {
        let mut removing = redis::cmd("DEL");
        removing.arg(self.key(id));
        let removing = &removing;
        self.store
            .link
            .ask(|mut store| async move { removing.exec_async(&mut store).await })
            .await
            .map_err(|StoreUnavailable| OwnerUnknown)
    }
}

/// Returns at least 1: the store accepts no lifetime of zero.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, YEAR_IN_MILLIS)
}

/// The limit of a lifetime, since the store adds it to its clock, which has an
/// end.
const YEAR_IN_MILLIS: u64 = 365 * 24 * 3_600 * 1_000;
