//! The data of a key other than the key: its holder, and what the holder may
//! do.

use std::time::SystemTime;

use crate::caller::{Extensions, Principal};

/// The holder of a key: a name, scopes and an expiry.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use mcp_kit::auth::KeyEntry;
///
/// let next_month = SystemTime::now() + Duration::from_secs(30 * 24 * 3600);
/// let entry = KeyEntry::new("alice").scopes(["files:read"]).expires(next_month);
/// assert_eq!(entry.name(), "alice");
/// assert!(entry.named_scopes().eq(["files:read"]));
/// assert_eq!(entry.expiry(), Some(next_month));
/// ```
#[derive(Clone, Debug)]
pub struct KeyEntry {
    name: String,
    scopes: Vec<String>,
    expires: Option<SystemTime>,
    extensions: Extensions,
}

impl KeyEntry {
    /// Creates a holder without scopes whose key never expires.
    ///
    /// The name is the principal's. It has 1 to 64 letters, digits and `._@-`,
    /// all of ASCII, and is neither `anonymous` nor `local`, which are callers
    /// without a key. It is checked when the entry is used.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scopes: Vec::new(),
            expires: None,
            extensions: Extensions::default(),
        }
    }

    /// Sets the scopes of the principal, in place of any before.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the time from which the key is refused.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// Adds a value that belongs to the holder, such as the id and the tenant
    /// that a [`KeyStore`](super::KeyStore) has found with the key. The
    /// principal carries it: see [`Principal::with_extension`]. It is in no log
    /// and no `Debug`, and is ignored when entries are compared.
    #[must_use]
    pub fn with_extension<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Returns the holder's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the scopes of the principal, as they were set.
    pub fn named_scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Returns the time from which the key is refused; `None` for a key that
    /// never expires.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expires
    }

    pub(super) fn principal(&self) -> Principal {
        let principal = Principal::new(self.name.as_str(), self.named_scopes());
        let principal = principal.with_extensions(&self.extensions);
        match self.expires {
            Some(expires) => principal.with_expiry(expires),
            None => principal,
        }
    }

    /// Describes what is wrong with the entry, without repeating any of it: a
    /// key in the wrong place looks like a name.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let is_in_names = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        // A scope token of OAuth 2.0 (RFC 6749, section 3.3), as tools name
        // scopes.
        let is_in_scopes = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
        if self.name.is_empty() {
            Some("the name is empty")
        } else if self.name.len() > 64 {
            Some("the name has more than 64 characters")
        } else if !self.name.bytes().all(is_in_names) {
            Some("the name may hold letters, digits, `.`, `_`, `@` and `-` of ASCII only")
        } else if matches!(self.name.as_str(), "anonymous" | "local") {
            Some("`anonymous` and `local` are the names of callers without a key; choose another")
        } else if self.scopes.iter().any(String::is_empty) {
            Some(
                "a scope is empty; separate scopes by one `+`, and leave out the last `:` where there are none",
            )
        } else if !self
            .scopes
            .iter()
            .all(|scope| scope.bytes().all(is_in_scopes))
        {
            Some(
                "a scope is one word such as `files:read`: printable ASCII without spaces, `\"` and `\\`",
            )
        } else {
            None
        }
    }
}

/// Compares entries by their written parts.
impl PartialEq for KeyEntry {
    fn eq(&self, other: &Self) -> bool {
        let is_same = self.name == other.name && self.scopes == other.scopes;
        is_same && self.expires == other.expires
    }
}

impl Eq for KeyEntry {}

/// Creates a holder without scopes whose key never expires.
impl From<&str> for KeyEntry {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// Creates a holder without scopes whose key never expires.
impl From<String> for KeyEntry {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}
