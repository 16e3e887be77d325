//! The keys of a server, for what its clients carry between requests: the state of calls
//! that ask, and the cursors of lists.

mod cursor;

use std::fmt;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::Error;
use crate::support::random;

/// The keys of a server.
pub(crate) struct ServerKeys {
    /// The server's name: another server that has the same key opens nothing of this one.
    pub(super) server: Box<str>,
    /// The first one seals.
    keys: StateKeys,
    /// The key of a server that was given none.
    own: OnceLock<Zeroizing<[u8; 32]>>,
}

/// The keys that an operator sets: all of them open, and the first one also seals.
#[derive(Clone, Default)]
pub(crate) struct StateKeys(Vec<Zeroizing<Vec<u8>>>);

impl StateKeys {
    const LEAST_BYTES: usize = 32;

    /// Adds a key in front of the others, which seals from now on.
    pub(crate) fn set_current(&mut self, key: &[u8]) {
        self.0.insert(0, Zeroizing::new(key.to_vec()));
    }

    /// Adds a key that only opens.
    pub(crate) fn add_previous(&mut self, key: &[u8]) {
        self.0.push(Zeroizing::new(key.to_vec()));
    }

    /// Returns what is wrong with the keys, for `build()` to report.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let short = (self.0.iter()).filter(|key| key.len() < Self::LEAST_BYTES);
        short.map(|key| {
            format!(
                "a state key has {} bytes; it must have at least {}: `openssl rand -hex 32` makes one",
                key.len(),
                Self::LEAST_BYTES
            )
        })
    }
}

impl ServerKeys {
    pub(crate) fn new(server: &str, keys: StateKeys) -> Self {
        Self {
            server: server.into(),
            keys,
            own: OnceLock::new(),
        }
    }

    /// Returns the key that seals.
    pub(super) fn key(&self) -> Result<&[u8], Error> {
        match self.keys.0.first() {
            Some(key) => Ok(key),
            None => self.own_key(),
        }
    }

    /// Returns the keys that open.
    pub(super) fn keys(&self) -> Result<impl Iterator<Item = &[u8]>, Error> {
        let own = match self.keys.0.is_empty() {
            true => Some(self.own_key()?),
            false => None,
        };
        Ok(self.keys.0.iter().map(|key| key.as_slice()).chain(own))
    }

    fn own_key(&self) -> Result<&[u8], Error> {
        if let Some(key) = self.own.get() {
            return Ok(&**key);
        }
        let mut key = Zeroizing::new([0; 32]);
        random::fill(&mut *key).ok_or_else(|| Error::internal("the system has no randomness"))?;
        Ok(&**self.own.get_or_init(|| key))
    }
}

/// Omits the keys.
impl fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateKeys({})", self.0.len())
    }
}
