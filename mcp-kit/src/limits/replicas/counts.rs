//! The counts of limits, kept by the store.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use sha2::{Digest as _, Sha256};

use crate::limits::Key;
use crate::limits::replicas::{RedisLimits, StoreUnavailable, digest_part};

/// Atomic, and by the store's clock, so replicas need not agree on the time.
static GCRA: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("gcra.lua")));

/// The budgets of one rate, kept by the store.
pub(crate) struct SharedCount {
    store: RedisLimits,
    /// The digest of the common part of all keys.
    common: Sha256,
    /// The cost of one, in microseconds.
    each: f64,
    /// The cost of all but one.
    burst: f64,
}

impl SharedCount {
    /// Creates budgets that `names` distinguish from others. One costs `each`,
    /// and all but one cost `burst`.
    pub(crate) fn new(store: RedisLimits, names: &[&str], each: Duration, burst: Duration) -> Self {
        let mut common = Sha256::new();
        for name in names {
            digest_part(&mut common, name.as_bytes());
        }
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        Self {
            store,
            common,
            each: micros(each),
            burst: micros(burst),
        }
    }

    /// Takes one from the key's budget, or returns how long to wait for it.
    pub(crate) async fn take(
        &self,
        key: Key<'_>,
    ) -> Result<Result<(), Duration>, StoreUnavailable> {
        let mut digest = self.common.clone();
        for part in key {
            digest_part(&mut digest, part);
        }
        let mut taking = GCRA.key(self.store.key("rate", digest));
        taking.arg(self.each).arg(self.burst);
        let taking = &taking;
        let wait: u64 = self
            .store
            .link
            .ask(|mut store| async move { taking.invoke_async(&mut store).await })
            .await?;
        Ok(match wait {
            0 => Ok(()),
            micros => Err(Duration::from_micros(micros)),
        })
    }

    /// Whether requests that cannot be counted are refused.
    pub(crate) fn fails_closed(&self) -> bool {
        self.store.link.settings().fails_closed
    }
}
