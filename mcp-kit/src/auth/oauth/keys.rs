//! Caches an issuer's keys.
//!
//! Any sender of tokens can make the server look for keys. So the issuer is
//! queried rarely, once at a time, and no request makes the server query it
//! more often than the limits below allow.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::algorithm::Algorithm;
use super::issuer::{Issuer, KeysError};
use super::jwk::Key;
use super::token::Token;
use crate::auth::AuthError;
use crate::support::task::Flight;

/// Older keys are fetched again, while the old ones remain in use.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// Older keys are not used: an attacker that can block access to the issuer
/// must not keep a withdrawn key alive.
const USABLE: Duration = Duration::from_secs(60 * 60);

/// The minimum time between two queries of the issuer, whatever tokens contain.
const PAUSE: Duration = Duration::from_secs(10);

/// How many keys are tried for a token that does not identify its key. Several
/// keys have its id while a key is being replaced, or none has an id.
const MOST_TRIED: usize = 8;

pub(super) struct Keys {
    issuer: Issuer,
    state: RwLock<State>,
    fetching: Flight,
}

#[derive(Default)]
struct State {
    keys: Vec<Key>,
    fetched: Option<Instant>,
    /// When the issuer was last queried, and the error of that query.
    asked: Option<(Instant, Option<KeysError>)>,
}

/// The result of checking a token with the present keys.
enum Verdict {
    Good,
    Bad(&'static str),
    /// Its key is not among them; newer keys may include it.
    Unknown(&'static str),
}

const NO_SUCH_KEY: &str = "the token names no key that its issuer publishes";

impl Keys {
    pub(super) fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            state: RwLock::default(),
            fetching: Flight::default(),
        }
    }

    /// Verifies the token's signature, with newly fetched keys if needed.
    pub(super) async fn check(
        self: &Arc<Self>,
        token: &Token<'_>,
        algorithm: Algorithm,
    ) -> Result<(), AuthError> {
        let age = self.age();
        let mut verdict = Verdict::Unknown(NO_SUCH_KEY);
        if age.is_some_and(|age| age <= USABLE) {
            verdict = self.read().judge(token, algorithm);
            if age.is_some_and(|age| age > FRESH) {
                self.fetch_behind();
            }
        }
        if matches!(verdict, Verdict::Unknown(_)) {
            self.fetching
                .join(|| self.may_ask(), || self.spawn_fetch())
                .await;
            if self.age().is_some_and(|age| age <= USABLE) {
                verdict = self.read().judge(token, algorithm);
            }
        }
        match verdict {
            Verdict::Good => Ok(()),
            Verdict::Bad(reason) => Err(AuthError::invalid(reason)),
            Verdict::Unknown(reason) => Err(self.unknown(reason)),
        }
    }

    /// Fetches the keys unless that was just done.
    pub(super) async fn fetch(self: &Arc<Self>) -> Result<(), KeysError> {
        self.fetching
            .join(|| self.may_ask(), || self.spawn_fetch())
            .await;
        match &self.read().asked {
            Some((_, Some(error))) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Returns the error for an unknown key: the token is invalid, unless the
    /// issuer could not be queried.
    fn unknown(&self, reason: &'static str) -> AuthError {
        match &self.read().asked {
            Some((_, Some(error))) => AuthError::unavailable(error.clone()),
            _ => AuthError::invalid(reason),
        }
    }

    fn age(&self) -> Option<Duration> {
        self.read().fetched.map(|fetched| fetched.elapsed())
    }

    fn may_ask(&self) -> bool {
        self.read()
            .asked
            .as_ref()
            .is_none_or(|(at, _)| at.elapsed() >= PAUSE)
    }

    fn fetch_behind(self: &Arc<Self>) {
        if self.may_ask() {
            let keys = Arc::clone(self);
            tokio::spawn(async move {
                keys.fetching
                    .join(|| keys.may_ask(), || keys.spawn_fetch())
                    .await;
            });
        }
    }

    fn spawn_fetch(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let keys = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = keys.issuer.keys().await;
            let now = Instant::now();
            let mut state = keys.write();
            state.asked = Some((now, outcome.as_ref().err().cloned()));
            match outcome {
                Ok(fetched) => {
                    state.keys = fetched;
                    state.fetched = Some(now);
                }
                Err(error) => {
                    drop(state);
                    let error: &(dyn std::error::Error + 'static) = &error;
                    tracing::error!(
                        target: crate::auth::TARGET,
                        error,
                        "the keys of an issuer of tokens cannot be fetched"
                    );
                }
            }
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tries the keys with the id that the token names; if there is none, those
    /// without an id; and all of them if the token names no id.
    fn judge(&self, token: &Token<'_>, algorithm: Algorithm) -> Verdict {
        let id = token.header.kid.as_deref();
        let is_named = id.is_some() && self.keys.iter().any(|key| key.id() == id);
        let may_be_its = |key: &&Key| match id {
            Some(_) if is_named => key.id() == id,
            Some(_) => key.id().is_none(),
            None => true,
        };
        let keys = self.keys.iter().filter(may_be_its);
        let mut fitting = keys.filter(|key| key.fits(algorithm)).peekable();
        if fitting.peek().is_none() && is_named {
            return Verdict::Bad("the token's algorithm is not that of its key");
        }
        let verifies = |key: &Key| key.verifies(algorithm, token.message, &token.signature);
        if fitting.by_ref().take(MOST_TRIED).any(verifies) {
            return Verdict::Good;
        }
        if fitting.next().is_some() {
            return Verdict::Bad("the token does not name its key");
        }
        match id {
            Some(_) if is_named => Verdict::Bad(FORGED),
            Some(_) => Verdict::Unknown(NO_SUCH_KEY),
            None => Verdict::Unknown(FORGED),
        }
    }
}

const FORGED: &str = "the token's signature is not its issuer's";
