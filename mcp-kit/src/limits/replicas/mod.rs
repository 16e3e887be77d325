//! Shares state between the replicas of a server: the counts of their limits,
//! and the owners of legacy sessions. One Redis or Valkey keeps both.

mod counts;
mod link;
mod sessions;
/// A store for tests.
#[cfg(test)]
#[path = "../../../tests/replicas/redis.rs"]
pub(crate) mod test_store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use sha2::{Digest as _, Sha256};

pub(crate) use counts::SharedCount;
pub(crate) use sessions::RedisSessions;

use link::{Link, Settings};

/// One Redis or Valkey through which the replicas of a server share the counts
/// of their limits, and the ownership of legacy sessions; set with
/// [`ServerBuilder::shared_limits`](crate::server::ServerBuilder::shared_limits).
///
/// A rate then holds for all replicas together. Each replica also counts for
/// itself: a caller that has used up a budget at one replica is refused there
/// without another request to the store.
///
/// It connects when it is first needed, and again after failures. Every request
/// to the store may take 250 ms. If the store does not answer in that time, one
/// log line reports it, and for the next half second no client request waits
/// for it. Until it answers again, the replicas count for themselves
/// ([`fail_open`]) or refuse what would be counted ([`fail_closed`]).
///
/// Keys are SHA-256 digests, and every entry has an end: a count when its
/// budget is whole again, a session when it has been idle too long. Names of
/// callers, addresses and session ids are not readable there. An IPv4 address
/// can still be found by trying all of them, so keep strangers off the store.
///
/// ```
/// use mcp_kit::limits::RedisLimits;
///
/// let shared = RedisLimits::new("redis://127.0.0.1:6379")?.fail_closed();
/// let server = mcp_kit::Server::builder("search", "1.0.0")
///     .shared_limits(shared)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`fail_open`]: Self::fail_open
/// [`fail_closed`]: Self::fail_closed
#[derive(Clone)]
pub struct RedisLimits {
    link: Arc<Link>,
}

impl RedisLimits {
    /// The variable that [`from_env`](Self::from_env) reads.
    const VARIABLE: &str = "MCP_REDIS_URL";

    /// Creates limits in the store at
    /// `redis://[user[:password]@]host[:port][/database]`, or
    /// `unix:///path/of/the/socket`. Does not connect yet.
    ///
    /// TLS is not supported: use a private network, or a tunnel on this host.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not such a URL.
    pub fn new(url: &str) -> Result<Self, InvalidRedisUrl> {
        let client = redis::Client::open(url).map_err(|_| InvalidRedisUrl {
            wants_tls: url.starts_with("rediss:") || url.starts_with("valkeys:"),
        })?;
        Ok(Self {
            link: Arc::new(Link::new(client, Settings::default())),
        })
    }

    /// Creates limits in the store whose URL is in `MCP_REDIS_URL`. Returns
    /// `None` if the variable is not set or empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the variable holds a URL that [`new`](Self::new)
    /// refuses.
    pub fn from_env() -> Result<Option<Self>, InvalidRedisUrl> {
        match std::env::var(Self::VARIABLE) {
            Ok(url) if !url.is_empty() => Self::new(&url).map(Some),
            Ok(_) | Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(InvalidRedisUrl { wants_tls: false }),
        }
    }

    /// Lets each replica count for itself while the store does not answer: the
    /// rates then hold per replica, and no caller is refused because of the
    /// store. This is the default, because an unavailable store of counts
    /// should not stop the service, and because the rates still limit every
    /// caller meanwhile.
    ///
    /// Sessions of the older revisions are not affected: until the store can
    /// identify their owners, none is opened and none is found (503), in either
    /// mode. Clients of 2026-07-28 have no sessions.
    #[must_use]
    pub fn fail_open(self) -> Self {
        self.change(|settings| settings.fails_closed = false)
    }

    /// Refuses everything that the store would count while the store does not
    /// answer: with 503 and `Retry-After` at the edge of HTTP, with a readable
    /// result from a tool. For rates that must never be exceeded, such as those
    /// that a service behind the tools bills.
    #[must_use]
    pub fn fail_closed(self) -> Self {
        self.change(|settings| settings.fails_closed = true)
    }

    /// Sets the prefix of all keys; `mcp-kit:`. The server's name is part of
    /// every digest, so two servers do not share keys even under the same
    /// prefix.
    #[must_use]
    pub fn key_prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.change(|settings| settings.prefix = prefix)
    }

    /// Sets the time limit of a request to the store, connecting included; 250
    /// ms. Client requests wait for it, so it should be short.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.change(|settings| settings.timeout = timeout)
    }

    /// Sends a ping to the store: at start, or as a readiness check.
    ///
    /// # Errors
    ///
    /// Returns an error if the store did not answer in time, or answered with
    /// an error; the log has the reason.
    pub async fn ping(&self) -> Result<(), StoreUnavailable> {
        self.link.ping().await
    }

    /// Returns the same store for another use, over a connection of its own. What it
    /// holds may be large, so each request may take `timeout`, or longer if the
    /// operator has set more.
    pub(crate) fn apart(&self, timeout: Duration) -> Self {
        self.clone().change(|settings| {
            settings.timeout = settings.timeout.max(timeout);
            settings.fails_closed = true;
        })
    }

    /// Sends a request to the store; `question` may be sent twice.
    pub(crate) async fn ask<T, F>(
        &self,
        question: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, StoreUnavailable>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.link.ask(question).await
    }

    /// Returns the prefix of all keys.
    pub(crate) fn prefix(&self) -> &str {
        &self.link.settings().prefix
    }

    /// Returns the name of a key that all of these parts identify.
    pub(crate) fn key_of(&self, kind: &str, parts: &[&[u8]]) -> String {
        let mut digest = Sha256::new();
        for part in parts {
            digest_part(&mut digest, part);
        }
        self.key(kind, digest)
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        Self {
            link: Arc::new(self.link.changed(change)),
        }
    }

    /// Returns the name of a key.
    fn key(&self, kind: &str, digest: Sha256) -> String {
        // 128 bits: two keys do not collide by chance.
        let digest = digest.finalize();
        let name = URL_SAFE_NO_PAD.encode(&digest[..16]);
        format!("{}{kind}:{name}", self.link.settings().prefix)
    }
}

/// Adds a part to a digest, so that the boundaries between the parts are
/// significant.
fn digest_part(digest: &mut Sha256, part: &[u8]) {
    digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    digest.update(part);
}

/// Omits the URL, which has credentials.
impl fmt::Debug for RedisLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.link.settings();
        f.debug_struct("RedisLimits")
            .field("prefix", &settings.prefix)
            .field("timeout", &settings.timeout)
            .field("fails_closed", &settings.fails_closed)
            .finish_non_exhaustive()
    }
}

/// A text that is not a Redis URL. The text may hold a password, so it is not
/// repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRedisUrl {
    wants_tls: bool,
}

impl fmt::Display for InvalidRedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.wants_tls {
            "the Redis URL requires TLS (rediss://, valkeys://), which is not supported: use redis:// over a private network, or through a TLS tunnel on this host"
        } else {
            "the Redis URL cannot be used: write redis://[user[:password]@]host[:port][/database], with special characters of the password percent-encoded, or unix:///path"
        })
    }
}

impl std::error::Error for InvalidRedisUrl {}

/// The shared store did not answer; the log has the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreUnavailable;

impl fmt::Display for StoreUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shared store did not answer; the server's log has the reason")
    }
}

impl std::error::Error for StoreUnavailable {}
