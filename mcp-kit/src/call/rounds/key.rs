//! The keys by which a client returns the answers to the questions of a round.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::canonical::{Digest, short};

/// The key of a question: the name that the handler gave it, or else made of its
/// content and of how often that was asked before. Questions that run beside each
/// other so have the same keys in whatever order they run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Key(String);

/// Begins the name of a question; no digest begins so.
const NAME: &str = "=";

impl Key {
    pub(super) fn named(name: &str) -> Self {
        Self(format!("{NAME}{name}"))
    }

    pub(super) fn of_content(digest: &Digest, ordinal: u32) -> Self {
        Self(format!("{}-{ordinal}", short(digest)))
    }

    /// Returns the key as the client sees it. One without a name begins with its
    /// position in the round: clients that sort the keys show the questions in their
    /// order.
    pub(super) fn on_wire(&self, at: usize) -> Cow<'_, str> {
        match self.0.strip_prefix(NAME) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("{:02}-{}", at + 1, self.0)),
        }
    }

    /// Returns the keys that a client's key can mean.
    pub(super) fn from_wire(key: &str) -> impl Iterator<Item = Self> {
        let content = key.split_once('-').map(|(_, key)| key);
        let content = content.filter(|key| !key.starts_with(NAME));
        std::iter::once(Self::named(key)).chain(content.map(|key| Self(key.to_owned())))
    }
}
