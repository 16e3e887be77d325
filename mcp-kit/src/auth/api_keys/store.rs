//! API keys in a database.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;

use super::table::still_valid;
use super::{KeyDigest, KeyEntry};
use crate::auth::AuthError;
use crate::caller::Principal;

/// Looks up keys that mcp-kit does not hold itself, such as in a table of a
/// database; see [`ApiKeys::from_store`](super::ApiKeys::from_store).
///
/// ```
/// use std::error::Error;
/// use mcp_kit::async_trait;
/// use mcp_kit::auth::{ApiKeys, KeyDigest, KeyEntry, KeyStore};
/// # struct Database;
/// # impl Database {
/// #     async fn query(&self, _: &str, _: &[u8]) -> Result<Option<String>, std::io::Error> {
/// #         Ok(None)
/// #     }
/// # }
///
/// #[async_trait]
/// impl KeyStore for Database {
///     async fn find(
///         &self,
///         digest: &KeyDigest,
///     ) -> Result<Option<KeyEntry>, Box<dyn Error + Send + Sync>> {
///         let holder = self.query("SELECT holder FROM keys WHERE sha256 = $1", digest.as_bytes());
///         Ok(holder.await?.map(KeyEntry::new))
///     }
/// }
///
/// let keys = ApiKeys::from_store(Database);
/// ```
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Returns the holder of the key with this SHA-256 digest; `None` if there
    /// is none. Called for every request that carries a key, valid or not, so
    /// the lookup should have an index and a time limit, and may have its own
    /// cache.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot answer. The request is refused with
    /// 503, and the error is logged.
    async fn find(
        &self,
        digest: &KeyDigest,
    ) -> Result<Option<KeyEntry>, Box<dyn Error + Send + Sync>>;
}

pub(super) async fn find(store: &dyn KeyStore, key: &str) -> Result<Option<Principal>, AuthError> {
    let digest = KeyDigest::of(key);
    let Some(entry) = store.find(&digest).await.map_err(AuthError::unavailable)? else {
        return Ok(None);
    };
    if let Some(problem) = entry.problem() {
        return Err(AuthError::unavailable(BadEntry(problem)));
    }
    still_valid(entry.expiry())?;
    Ok(Some(entry.principal()))
}

/// An entry of a store that cannot become a principal.
#[derive(Debug)]
struct BadEntry(&'static str);

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the key store gave an entry that cannot be used: {}",
            self.0
        )
    }
}

impl Error for BadEntry {}
