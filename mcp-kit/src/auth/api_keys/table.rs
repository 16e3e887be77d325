//! Known keys in memory: found by a keyed digest, compared in constant time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::error::{ApiKeysError, Problem};
use super::parse::{Key, Parsed};
use super::{KeyDigest, KeyEntry};
use crate::auth::AuthError;
use crate::caller::{Credential, Principal};

/// How many unexpired keys a name may have: an old and a new one.
const KEYS_PER_NAME: usize = 2;

/// Keys by their tags: the HMAC of a key's digest under a secret of this table.
///
/// Without the secret, a caller cannot choose where in the table a guess is
/// looked up, so the time of the search reveals nothing about the keys. A match
/// is compared in full, in constant time; without a match, the comparison is
/// with a tag that no key has.
pub(super) struct Table {
    secret: Hmac<Sha256>,
    keys: HashMap<u128, Known>,
    nobody: Known,
}

struct Known {
    tag: [u8; 32],
    principal: Principal,
    /// Lives as long as the key is known: see [`Table::after`].
    credential: Option<Arc<dyn Credential>>,
}

impl Table {
    /// Creates a table if none of the keys has an error, and logs their
    /// warnings.
    pub(super) fn new(origin: &str, parsed: Parsed) -> Result<Self, ApiKeysError> {
        Self::with(origin, parsed, |_, entry| (entry.principal(), None))
    }

    /// Creates the table that replaces `self`. The credential of a holder with
    /// the same key in both remains valid; those of others expire when this
    /// table is dropped.
    pub(super) fn after(
        &self,
        origin: &str,
        parsed: Parsed,
        credential: impl Fn() -> Arc<dyn Credential>,
    ) -> Result<Self, ApiKeysError> {
        Self::with(origin, parsed, |digest, entry| {
            let principal = entry.principal();
            let before = self.known(&self.tag(digest)).filter(|known| {
                known.principal == principal && known.principal.expiry() == principal.expiry()
            });
            if let Some(known) = before {
                return (known.principal.clone(), known.credential.clone());
            }
            let credential = credential();
            (principal.having_shown(&credential), Some(credential))
        })
    }

    fn with(
        origin: &str,
        mut parsed: Parsed,
        shown: impl Fn(&KeyDigest, &KeyEntry) -> (Principal, Option<Arc<dyn Credential>>),
    ) -> Result<Self, ApiKeysError> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret)
            .map_err(|error| ApiKeysError::whole(origin, format!("no randomness: {error}")))?;
        let secret = Hmac::new_from_slice(&*secret)
            .map_err(|error| ApiKeysError::whole(origin, error.to_string()))?;
        parsed
            .problems
            .extend(conflicts(&parsed.keys, SystemTime::now()));
        if !parsed.problems.is_empty() {
            return Err(ApiKeysError::entries(origin, parsed.problems));
        }
        for Problem { place, what } in parsed.warnings {
            tracing::warn!(target: super::TARGET, "{origin}: {place}: {what}");
        }
        let mut table = Self {
            secret,
            keys: HashMap::with_capacity(parsed.keys.len()),
            nobody: Known {
                tag: [0; 32],
                principal: Principal::new("", [""; 0]),
                credential: None,
            },
        };
        for Key { entry, digest, .. } in parsed.keys {
            let tag = table.tag(&digest);
            let (principal, credential) = shown(&digest, &entry);
            let known = Known {
                tag,
                principal,
                credential,
            };
            table.keys.insert(start(&tag), known);
        }
        Ok(table)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the holder of `key`; `None` if the key is unknown.
    pub(super) fn find(&self, key: &str) -> Result<Option<Principal>, AuthError> {
        let Some(known) = self.known(&self.tag(&KeyDigest::of(key))) else {
            return Ok(None);
        };
        still_valid(known.principal.expiry())?;
        Ok(Some(known.principal.clone()))
    }

    fn known(&self, tag: &[u8; 32]) -> Option<&Known> {
        let known = self.keys.get(&start(tag)).unwrap_or(&self.nobody);
        bool::from(known.tag.ct_eq(tag)).then_some(known)
    }

    fn tag(&self, digest: &KeyDigest) -> [u8; 32] {
        let mut hmac = self.secret.clone();
        hmac.update(digest.as_bytes());
        hmac.finalize().into_bytes().into()
    }
}

/// Refuses an expired key. Only its holder can reach this check, and should
/// learn why the key fails.
pub(super) fn still_valid(expires: Option<SystemTime>) -> Result<(), AuthError> {
    match expires {
        Some(expires) if expires <= SystemTime::now() => {
            Err(AuthError::invalid("the key has expired"))
        }
        _ => Ok(()),
    }
}

/// Returns the part of a tag by which it is looked up.
fn start(tag: &[u8; 32]) -> u128 {
    let mut start = [0; 16];
    start.copy_from_slice(&tag[..16]);
    u128::from_ne_bytes(start)
}

/// Returns the conflicts between keys that are each valid.
fn conflicts(keys: &[Key], now: SystemTime) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut by_digest = HashMap::new();
    let mut by_name: HashMap<_, Vec<&Key>> = HashMap::new();
    for key in keys {
        let place = key.place;
        if let Some(first) = by_digest.insert(*key.digest.as_bytes(), place) {
            let what = format!("the key is also that of {first}; each key may be there once");
            problems.push(Problem { place, what });
            continue;
        }
        let is_active = key.entry.expiry().is_none_or(|expiry| expiry > now);
        if !is_active {
            continue;
        }
        let namesakes = by_name.entry(key.entry.name()).or_default();
        let unnamed = namesakes
            .iter()
            .find(|other| key.is_unnamed || other.is_unnamed);
        if let Some(other) = unnamed {
            let what = format!(
                "the name is also that of {}, and one of them was made of its key; give both a name",
                other.place
            );
            problems.push(Problem { place, what });
        } else if namesakes.len() >= KEYS_PER_NAME {
            let others: Vec<_> = namesakes
                .iter()
                .map(|other| other.place.to_string())
                .collect();
            let what = format!(
                "its name has {KEYS_PER_NAME} active keys already ({}); remove one that is no longer used",
                others.join(" and ")
            );
            problems.push(Problem { place, what });
        } else {
            namesakes.push(key);
        }
    }
    problems
}
