//! One rate, and what is left of it for each of many.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Rate;
#[cfg(feature = "redis")]
use crate::limits::replicas::{RedisLimits, SharedCount, StoreUnavailable};
use crate::limits::table::Table;
use crate::support::lock::Lock;

/// Whose budget it is: of a caller, a kind and a name; of an address alone.
pub(crate) type Key<'a> = [&'a [u8]; 3];

/// A budget of `rate` for each key.
///
/// What is kept is bounded: the least recently seen keys are forgotten first.
pub(crate) struct Budgets {
    rate: Rate,
    /// A hash with a secret stands for a key: nothing of it is kept, nobody can
    /// find two that collide, and by chance a full table has such two once in
    /// billions of times.
    hasher: RandomState,
    table: Lock<Table>,
    #[cfg(feature = "redis")]
    shared: Option<SharedCount>,
}

/// Why something may not be done now.
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

    /// The same, counted for all replicas by `store` under `names`.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(mut self, store: RedisLimits, names: [&str; 2]) -> Self {
        let rate = self.rate.to_string();
        // A rate that is changed begins anew.
        let names = [names[0], names[1], &rate];
        let count = SharedCount::new(store, &names, self.rate.each(), self.rate.burst());
        self.shared = Some(count);
        self
    }

    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one from the key's budget. It is ready at once and allocates
    /// nothing where the budgets are kept in this process.
    pub(crate) async fn take(&self, key: Key<'_>) -> Result<(), Refused> {
        self.reserve(key)?;
        self.confirm(key).await
    }

    /// Takes one from the key's budget in this process alone, until it is known
    /// whether it counts: then it is [confirmed](Self::confirm) or
    /// [given back](Self::give_back).
    pub(crate) fn reserve(&self, key: Key<'_>) -> Result<(), Refused> {
        self.take_here(self.hashed(key))
    }

    /// What was taken from the key's budget in this process does not count.
    #[cfg(feature = "http")]
    pub(crate) fn give_back(&self, key: Key<'_>) {
        let hashed = self.hashed(key);
        self.table.lock().give_back(hashed, self.rate);
    }

    /// What was taken from the key's budget in this process counts: where
    /// replicas share the budget, for all of them.
    pub(crate) async fn confirm(&self, key: Key<'_>) -> Result<(), Refused> {
        #[cfg(feature = "redis")]
        if let Some(count) = &self.shared {
            // Boxed, so that whoever does not share has no room for it in its
            // own future.
            return Box::pin(self.take_shared(count, key, self.hashed(key))).await;
        }
        let _ = key;
        Ok(())
    }

    /// As [`take`](Self::take), without a future; `None` where other replicas
    /// have to be asked.
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

    /// Counts for all replicas what passed the count of this one. So this one
    /// has a count of its own where the store's is not to be had, and whoever
    /// is to wait does not make it ask again.
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
            // So that it matters where one part ends and the next begins.
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl Refused {
    /// Whether it is the count that cannot be had, and not the budget that is
    /// used up: over HTTP that is 503, and not 429.
    #[cfg(feature = "http")]
    pub(crate) fn is_unavailable(self) -> bool {
        match self {
            Self::Wait(_) => false,
            #[cfg(feature = "redis")]
            Self::Unavailable => true,
        }
    }

    /// Whole seconds until it is worth another try; at least 1. It is the
    /// value of `Retry-After` (RFC 9110, section 10.2.3).
    pub(crate) fn retry_after_seconds(self) -> u64 {
        match self {
            Self::Wait(wait) => (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1),
            #[cfg(feature = "redis")]
            Self::Unavailable => 1,
        }
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
        // Where one part ends and the next begins makes a difference.
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
