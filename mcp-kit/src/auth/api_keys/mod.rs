//! API keys: from the environment, a file, code or a database.

mod builder;
mod digest;
mod entry;
mod error;
mod file;
mod parse;
mod store;
mod table;
mod time;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

pub use builder::ApiKeysBuilder;
pub use digest::KeyDigest;
pub use entry::KeyEntry;
pub use error::ApiKeysError;
pub use store::KeyStore;

use super::chain::PLAIN_CHALLENGE;
use super::{AuthError, Authenticator, Credentials, TARGET};
use crate::caller::Principal;
use file::FileKeys;
use table::Table;

/// The variable that [`ApiKeys::from_env`] reads.
const VARIABLE: &str = "MCP_API_KEYS";

/// Authenticates callers by API keys, sent as `X-API-Key: <key>` or
/// `Authorization: Bearer <key>`.
///
/// # Entries
///
/// `MCP_API_KEYS` holds entries separated by commas; a file has one in each
/// line:
///
/// ```text
/// alice:5kq0tW2mZr8eYx4v                    # no scopes
/// bob:Qd7cTn1uXo9aLs3b:files:read+admin     # two scopes
/// bob:sha256=<64 hexadecimal digits>        # the digest of a key in its place
/// ci:Vw6pHj2gEz0iRk8y expires=2027-01-31    # refused from 00:00 UTC of that day
/// ci:Nf4yMb7sKt5xUq1d expires=2027-01-31T18:00:00+02:00
/// Jc3oGl9hPv2wDz6a                          # named after its digest: key-3f9a2c41
/// ```
///
/// - A **name** has 1 to 64 letters, digits and `._@-`. It is the principal's
///   name in logs, limits and sessions. It may have two keys that have not
///   expired, so that a key can be replaced: add the new one, let callers change
///   over, remove the old one.
/// - A **key** has visible ASCII characters other than `,`, `:` and `;`. It
///   should be random and long: `openssl rand -hex 32`. One of fewer than 16
///   characters is accepted with a warning. Entries that look like a mistake
///   are refused: `alice=<key>`, a key in quotes, a digest of another kind.
/// - `sha256=` takes the **digest** of a key, so that the file holds no usable
///   key: `printf %s "$KEY" | sha256sum`.
/// - **Scopes** are separated by `+`. The principal has exactly these.
/// - **`expires=`** takes a date or a time of RFC 3339. An expired key is
///   refused with that reason.
/// - `#` at the beginning of a word begins a comment.
///
/// # What is kept
///
/// Keys are digested when they are read, and the memory they were read into is
/// overwritten. The environment of the process cannot be overwritten, so a file
/// is the better place. A key is looked up by an HMAC under a random secret and
/// compared in constant time: the time reveals nothing about the keys, or their
/// number.
///
/// # Streams
///
/// A stream on which a client only listens ends when the key that opened it
/// expires, or within half a minute after its entry was removed from the file
/// or changed. For the keys of a [`KeyStore`] only the expiry is known.
///
/// # What callers receive
///
/// An unknown key is left to the next authenticator. If none knows it, the
/// answer is 401 with `error="invalid_token"`; without a key it is 401 with
/// instructions to send one. The challenge is `Bearer realm="mcp"` (RFC 6750,
/// section 3), the registered scheme that keys may be sent with; there is none
/// for `X-API-Key`.
///
/// ```
/// use mcp_kit::auth::{ApiKeys, KeyEntry};
///
/// let keys = ApiKeys::builder()
///     .key("alice", "5kq0tW2mZr8eYx4v")
///     .key(KeyEntry::new("bob").scopes(["admin"]), "Qd7cTn1uXo9aLs3b")
///     .build()?;
/// # Ok::<(), mcp_kit::auth::ApiKeysError>(())
/// ```
pub struct ApiKeys(Source);

enum Source {
    Fixed(Box<Table>),
    File(Arc<FileKeys>),
    Store(Box<dyn KeyStore>),
}

impl ApiKeys {
    /// Reads keys from the environment variable `MCP_API_KEYS`, separated by
    /// commas.
    ///
    /// # Errors
    ///
    /// Returns an error if the variable is not set or holds no keys, or for
    /// each entry that cannot be used, by its number.
    pub fn from_env() -> Result<Self, ApiKeysError> {
        let list = std::env::var_os(VARIABLE).map(std::ffi::OsString::into_string);
        match list {
            Some(Ok(list)) => Self::fixed(VARIABLE, &Zeroizing::new(list)),
            Some(Err(list)) => {
                drop(Zeroizing::new(list.into_encoded_bytes()));
                Err(ApiKeysError::whole(VARIABLE, "this is not UTF-8"))
            }
            None => Err(ApiKeysError::whole(VARIABLE, "the variable is not set")),
        }
    }

    /// Reads keys from a list in the format of `MCP_API_KEYS`.
    ///
    /// # Errors
    ///
    /// Returns an error if the list has no keys, or for each entry that cannot
    /// be used, by its number.
    pub fn from_list(list: &str) -> Result<Self, ApiKeysError> {
        Self::fixed("list of API keys", list)
    }

    /// Reads keys from a file, and reads it again when it changes: a request is
    /// checked against a state of the file that is at most one second old.
    ///
    /// A new file with a mistake in it is logged, and the keys read before
    /// remain valid. While the file cannot be read (it is gone, is not a
    /// regular file, or the file system does not answer), they remain valid
    /// until a minute after it was last read; then requests are refused with
    /// 503 until it can be read again. The file is read on separate threads, so
    /// it never waits for a tool.
    ///
    /// Replace the file in one step (`mv new keys`): a file that is written in
    /// place may be read half. Only its owner should be able to read it;
    /// otherwise a warning is logged. A file without keys admits no caller,
    /// with a warning. Requests need a tokio runtime with time.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, is not a regular one, is
    /// larger than 8 MiB or is not UTF-8, or for each entry that cannot be
    /// used, by its line.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, ApiKeysError> {
        Ok(Self(Source::File(FileKeys::open(path.into())?)))
    }

    /// Returns a builder for keys that are set in code.
    pub fn builder() -> ApiKeysBuilder {
        ApiKeysBuilder::default()
    }

    /// Looks keys up in a database, which holds their digests.
    pub fn from_store(store: impl KeyStore) -> Self {
        Self(Source::Store(Box::new(store)))
    }

    fn fixed(origin: &str, list: &str) -> Result<Self, ApiKeysError> {
        let parsed = parse::list(list);
        if parsed.keys.is_empty() && parsed.problems.is_empty() {
            let what = "there are no keys in it; set it to entries such as `alice:<key>`";
            return Err(ApiKeysError::whole(origin, what));
        }
        let table = Table::new(origin, parsed)?;
        Ok(Self(Source::Fixed(Box::new(table))))
    }
}

#[async_trait]
impl Authenticator for ApiKeys {
    async fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<Principal>, AuthError> {
        let Some(key) = credentials.api_key().or(credentials.bearer()) else {
            return Ok(None);
        };
        match &self.0 {
            Source::Fixed(table) => table.find(key),
            Source::File(file) => file.find(key).await,
            // Boxed: keys that are in memory need no room for it.
            Source::Store(store) => Box::pin(store::find(&**store, key)).await,
        }
    }

    fn challenge(&self) -> Option<String> {
        Some(PLAIN_CHALLENGE.to_owned())
    }

    fn expects(&self) -> Option<Cow<'static, str>> {
        Some("an API key, as \"X-API-Key: …\" or \"Authorization: Bearer …\"".into())
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, keys) = match &self.0 {
            Source::Fixed(table) => ("fixed", Some(table.len())),
            Source::File(file) => ("file", Some(file.len())),
            Source::Store(_) => ("store", None),
        };
        f.debug_struct("ApiKeys")
            .field("source", &source)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}
