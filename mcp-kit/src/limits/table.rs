//! The generic cell rate algorithm over a table with a limited number of keys.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Rate;

/// Records when each key's budget is whole again.
///
/// Two generations limit the table: once the young one holds half the limit, it
/// becomes the old one. What the old one still held, the least recently seen
/// keys, is forgotten.
///
/// Keys are hashes already, made with a secret.
pub(crate) struct Table {
    start: Option<Instant>,
    generation: usize,
    young: Whole,
    old: Whole,
}

type Whole = HashMap<u64, Duration, BuildHasherDefault<AsItIs>>;

/// Returns the key, which is a hash already, as its hash.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Table {
    /// Creates a table for at most `entries` keys.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            start: None,
            generation: (entries / 2).max(1),
            young: Whole::default(),
            old: Whole::default(),
        }
    }

    /// Takes one call from the key's budget, or returns how long to wait for
    /// it.
    pub(crate) fn take(&mut self, key: u64, rate: Rate, now: Instant) -> Result<(), Duration> {
        let now = now.duration_since(*self.start.get_or_insert(now));
        if let Some(whole_at) = self.young.get_mut(&key) {
            return count(whole_at, rate, now);
        }
        let mut whole_at = self.old.remove(&key).unwrap_or(now);
        let outcome = count(&mut whole_at, rate, now);
        self.insert(key, whole_at);
        outcome
    }

    /// Gives back one call that was taken from the key's budget.
    #[cfg(feature = "http")]
    pub(crate) fn give_back(&mut self, key: u64, rate: Rate) {
        let place = match self.young.get_mut(&key) {
            Some(young) => Some(young),
            None => self.old.get_mut(&key),
        };
        // A budget that was forgotten meanwhile is whole again.
        if let Some(whole_at) = place {
            *whole_at = whole_at.saturating_sub(rate.each());
        }
    }

    /// Makes the key wait as long as the shared store requires.
    #[cfg(feature = "redis")]
    pub(crate) fn put_off(&mut self, key: u64, wait: Duration, rate: Rate, now: Instant) {
        let now = now.duration_since(*self.start.get_or_insert(now));
        self.old.remove(&key);
        self.insert(key, now + rate.burst() + wait);
    }

    fn insert(&mut self, key: u64, whole_at: Duration) {
        if self.young.len() >= self.generation && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, whole_at);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

/// Takes one from a budget that is whole again at `whole_at`.
fn count(whole_at: &mut Duration, rate: Rate, now: Duration) -> Result<(), Duration> {
    *whole_at = now.max(*whole_at);
    let wait = whole_at.saturating_sub(now + rate.burst());
    if wait.is_zero() {
        *whole_at += rate.each();
        Ok(())
    } else {
        Err(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stays_within_its_bound_and_forgets_the_least_recent() {
        let mut table = Table::new(100);
        let now = Instant::now();
        let rate = Rate::per_hour(1);
        table.take(0, rate, now).unwrap();
        for key in 1..10_000 {
            table.take(key, rate, now).unwrap();
            assert!(table.len() <= 100);
            // Seen repeatedly, so never forgotten, however many other keys
            // come.
            assert!(table.take(0, rate, now).is_err());
        }
    }

    #[test]
    fn a_long_run_never_exceeds_rate_and_burst() {
        let rate = Rate::per_second(5);
        let start = Instant::now();
        let mut table = Table::new(10);
        let passed = (0..10_000u64)
            .filter(|step| {
                let now = start + Duration::from_millis(*step);
                table.take(0, rate, now).is_ok()
            })
            .count();
        // Ten seconds at 5/s, and a burst of 5 at the start.
        assert!((50..=55).contains(&passed), "{passed}");
    }
}
