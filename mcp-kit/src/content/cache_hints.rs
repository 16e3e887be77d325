//! How long, and by whom, a result may be kept. (2026-07-28, "Caching".)

use std::time::Duration;

use crate::protocol::encode;

/// Who may use a kept result of reading a resource. (2026-07-28: `cacheScope`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheScope {
    /// Any client, also through a cache that several callers share: all of them
    /// read the same.
    Public,
    /// The caller that has read it.
    Private,
}

/// The hints that an author has set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheHints {
    pub(crate) ttl: Option<Duration>,
    pub(crate) scope: Option<CacheScope>,
}

impl CacheHints {
    /// Returns these hints, with `other`'s for those that are not set.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            ttl: self.ttl.or(other.ttl),
            scope: self.scope.or(other.scope),
        }
    }

    /// Writes them as further members of a result: without a time the result must not
    /// be kept, and without a scope only its caller may keep it.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let is_private = self.scope != Some(CacheScope::Public);
        write_cache_hints(out, self.ttl.unwrap_or_default(), is_private);
    }
}

/// Writes how long, and by whom, a result may be kept, as further members of it.
pub(crate) fn write_cache_hints(out: &mut Vec<u8>, ttl: Duration, is_private: bool) {
    out.extend_from_slice(br#","ttlMs":"#);
    encode::json(out, &ttl.as_millis().min(u128::from(u32::MAX)));
    out.extend_from_slice(br#","cacheScope":"#);
    encode::string(out, if is_private { "private" } else { "public" });
}
