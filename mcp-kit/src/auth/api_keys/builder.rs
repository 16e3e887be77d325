//! API keys that are set in code.

use std::fmt;

use super::error::{ApiKeysError, Place, Problem};
use super::parse::{self, Key, Parsed};
use super::table::Table;
use super::{ApiKeys, KeyDigest, KeyEntry, Source};

/// Collects keys; made by [`ApiKeys::builder`].
#[must_use = "keys are made by `.build()`"]
#[derive(Default)]
pub struct ApiKeysBuilder {
    count: usize,
    parsed: Parsed,
}

impl ApiKeysBuilder {
    /// Adds a key and its holder: a [`KeyEntry`], or a name alone for one
    /// without scopes. A name may have two keys, so that an old one can be
    /// replaced.
    ///
    /// The key itself is not kept.
    pub fn key(mut self, holder: impl Into<KeyEntry>, key: &str) -> Self {
        let place = self.next();
        let problem = |what: &str| Problem {
            place,
            what: what.to_owned(),
        };
        self.parsed
            .warnings
            .extend(parse::key_warning(key).map(problem));
        match parse::key_problem(key) {
            Some(what) => {
                self.parsed.problems.push(problem(what));
                self
            }
            None => self.push(place, holder.into(), KeyDigest::of(key)),
        }
    }

    /// Adds a key of which only the digest is known.
    pub fn digest(mut self, holder: impl Into<KeyEntry>, digest: KeyDigest) -> Self {
        let place = self.next();
        self.push(place, holder.into(), digest)
    }

    /// Returns the keys, ready to authenticate.
    ///
    /// # Errors
    ///
    /// Returns an error for each entry that cannot be used, by its number: a
    /// key that is empty or that no header could carry, an invalid name or
    /// scope, a key that appears twice, a third active key of one name.
    pub fn build(self) -> Result<ApiKeys, ApiKeysError> {
        let table = Table::new("API keys", self.parsed)?;
        Ok(ApiKeys(Source::Fixed(Box::new(table))))
    }

    fn next(&mut self) -> Place {
        self.count += 1;
        Place::Entry(self.count)
    }

    fn push(mut self, place: Place, entry: KeyEntry, digest: KeyDigest) -> Self {
        match entry.problem() {
            Some(what) => self.parsed.problems.push(Problem {
                place,
                what: what.to_owned(),
            }),
            None => self.parsed.keys.push(Key {
                place,
                entry,
                digest,
                is_unnamed: false,
            }),
        }
        self
    }
}

impl fmt::Debug for ApiKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeysBuilder")
            .field("keys", &self.count)
            .finish_non_exhaustive()
    }
}
