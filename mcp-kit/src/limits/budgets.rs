//! A rate and the remaining budget of each key, and the storage of a server's
//! budgets.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Rate;
#[cfg(feature = "redis")]
use crate::limits::replicas::{RedisLimits, SharedCount, StoreUnavailable};
use crate::limits::table::Table;
use crate::support::lock::Lock;

/// Identifies a budget: caller, kind and name; or an address alone.
pub(crate) type Key<'a> = [&'a [u8]; 3];

/// Keeps a budget of `rate` for each key.
///
/// The number of keys is limited: the least recently seen keys are forgotten
/// first.
pub(crate) struct Budgets {
    rate: Rate,
    /// Keys are stored as hashes with a secret. The keys themselves are not
    /// kept, and a client cannot construct two that collide. By chance a full
    /// table has such two once in billions of times.
    hasher: RandomState,
    table: Lock<Table>,
    #[cfg(feature = "redis")]
    shared: Option<SharedCount>,
}

/// Why a budget refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The budget is used up.
    Wait(Duration),
    /// The store that counts for all replicas does not answer.
    #[cfg(feature = "redis")]
    Unavailable,
}

impl Budgets {
    /// Budgets for at most `entries` keys at a time.
    pub(crate) fn new(rate: Rate, entries: usize) -> Self {
        Self {
            rate,
            hasher: RandomState::new(),
            table: Lock::new(Table::new(entries)),
            #[cfg(feature = "redis")]
            shared: None,
        }
    }

    /// Creates budgets that `store` counts for all replicas under `names`.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(mut self, store: RedisLimits, names: [&str; 2]) -> Self {
        let rate = self.rate.to_string();
        // A changed rate starts a new count.
        let names = [names[0], names[1], &rate];
        let count = SharedCount::new(store, &names, self.rate.each(), self.rate.burst());
        self.shared = Some(count);
        self
    }

    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one from the key's budget. If the budgets are kept in this
    /// process, the future is ready at once and allocates nothing.
    pub(crate) async fn take(&self, key: Key<'_>) -> Result<(), Refused> {
        self.reserve(key)?;
        self.confirm(key).await
    }

    /// Takes one from the key's budget in this process only, until it is known
    /// whether it counts: then it is [confirmed](Self::confirm) or [given
    /// back](Self::give_back).
    pub(crate) fn reserve(&self, key: Key<'_>) -> Result<(), Refused> {
        self.take_here(self.hashed(key))
    }

    /// Gives back what was taken from the key's budget in this process.
    #[cfg(feature = "http")]
    pub(crate) fn give_back(&self, key: Key<'_>) {
        let hashed = self.hashed(key);
        self.table.lock().give_back(hashed, self.rate);
    }

    /// Confirms what was taken from the key's budget in this process. If
    /// replicas share the budget, it then counts for all of them.
    pub(crate) async fn confirm(&self, key: Key<'_>) -> Result<(), Refused> {
        #[cfg(feature = "redis")]
        if let Some(count) = &self.shared {
            // Boxed, so that a server without a shared store has no room for it
            // in its own future.
            return Box::pin(self.take_shared(count, key, self.hashed(key))).await;
        }
        let _ = key;
        Ok(())
    }

    /// Like [`take`](Self::take), without a future. Returns `None` if other
    /// replicas must be asked.
    pub(crate) fn try_take(&self, key: Key<'_>) -> Option<Result<(), Refused>> {
        #[cfg(feature = "redis")]
        if self.shared.is_some() {
            return None;
        }
        Some(self.take_here(self.hashed(key)))
    }

    /// Counts in this process.
    fn take_here(&self, hashed: u64) -> Result<(), Refused> {
        let taken = self.table.lock().take(hashed, self.rate, Instant::now());
        taken.map_err(Refused::Wait)
    }

    /// Counts for all replicas what passed the count of this one. So this
    /// process has its own count if the store is unavailable, and a caller that
    /// must wait does not cause another request to the store.
    #[cfg(feature = "redis")]
    async fn take_shared(
        &self,
        count: &SharedCount,
        key: Key<'_>,
        hashed: u64,
    ) -> Result<(), Refused> {
        match count.take(key).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(wait)) => {
                self.table
                    .lock()
                    .put_off(hashed, wait, self.rate, Instant::now());
                Err(Refused::Wait(wait))
            }
            Err(StoreUnavailable) if count.fails_closed() => Err(Refused::Unavailable),
            Err(StoreUnavailable) => Ok(()),
        }
    }

    fn hashed(&self, key: Key<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for part in key {
            // Makes the boundaries between the parts significant.
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl Refused {
    /// Whether the count is unavailable, rather than the budget used up: over
    /// HTTP that is 503 instead of 429.
    #[cfg(feature = "http")]
    pub(crate) fn is_unavailable(self) -> bool {
        match self {
            Self::Wait(_) => false,
            #[cfg(feature = "redis")]
            Self::Unavailable => true,
        }
    }

    /// Whole seconds until another try can succeed; at least 1. It is the value
    /// of `Retry-After` (RFC 9110, section 10.2.3).
    pub(crate) fn retry_after_seconds(self) -> u64 {
        match self {
            Self::Wait(wait) => (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1),
            #[cfg(feature = "redis")]
            Self::Unavailable => 1,
        }
    }
}

/// Keeps a server's budgets.
#[derive(Clone)]
pub(crate) struct Ledger {
    entries: usize,
    /// The store that counts for all replicas, and the server's name.
    #[cfg(feature = "redis")]
    shared: Option<(RedisLimits, String)>,
}

impl Ledger {
    /// Keeps budgets in this process, with at most `entries` keys per rate.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            entries,
            #[cfg(feature = "redis")]
            shared: None,
        }
    }

    /// Also counts in a store, for all replicas of the server.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(mut self, store: Option<RedisLimits>, server: &str) -> Self {
        self.shared = store.map(|store| (store, server.to_owned()));
        self
    }

    /// Creates budgets of `rate`. `what` names their purpose, which
    /// distinguishes them in a store.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables))]
    pub(crate) fn budgets(&self, what: &'static str, rate: Rate) -> Budgets {
        let budgets = Budgets::new(rate, self.entries);
        #[cfg(feature = "redis")]
        if let Some((store, server)) = &self.shared {
            return budgets.shared(store.clone(), [server, what]);
        }
        budgets
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_has_a_budget_of_its_own() {
        let budgets = Budgets::new(Rate::per_second(2), 100);
        let [add, sub, other]: [Key<'_>; 3] = [
            [b"alice", b"tool", b"add"],
            [b"alice", b"tool", b"sub"],
            [b"bob", b"tool", b"add"],
        ];
        let wait = Err(Refused::Wait(Duration::from_millis(500)));
        assert_eq!(budgets.take(add).await, Ok(()));
        assert_eq!(budgets.take(add).await, Ok(()));
        assert_eq!(budgets.take(add).await, wait);
        assert_eq!(budgets.take(sub).await, Ok(()));
        assert_eq!(budgets.take(other).await, Ok(()));
        // The boundary between the parts makes a difference.
        assert_eq!(budgets.take([b"alice", b"toola", b"dd"]).await, Ok(()));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(budgets.take(add).await, Ok(()));
        assert_eq!(budgets.take(add).await, wait);
    }

    #[test]
    fn counting_in_this_process_waits_for_nothing() {
        let budgets = Budgets::new(Rate::per_second(1), 100);
        for expected in [true, false] {
            let taking = std::pin::pin!(budgets.take([b"alice", b"", b""]));
            let mut context = Context::from_waker(Waker::noop());
            let Poll::Ready(outcome) = taking.poll(&mut context) else {
                panic!("it waits");
            };
            assert_eq!(outcome.is_ok(), expected);
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            let refused = Refused::Wait(Duration::from_millis(millis));
            assert_eq!(refused.retry_after_seconds(), seconds, "{millis} ms");
        }
    }
}
