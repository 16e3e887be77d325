//! The generic cell rate algorithm over a bounded table of keys.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

/// When each key's budget is whole again.
///
/// Two generations bound the table: once the young one is half the bound, it
/// becomes the old one, and what the old one still held, the least recently
/// seen, is forgotten.
pub(crate) struct Table<K> {
    start: Option<Instant>,
    generation: usize,
    young: HashMap<K, Duration>,
    old: HashMap<K, Duration>,
}

impl<K: Eq + Hash> Table<K> {
    /// A table for at most `entries` keys.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            start: None,
            generation: (entries / 2).max(1),
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    /// Takes one call from the key's budget, or says how long to wait for it.
    pub(crate) fn take(&mut self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let now = now.duration_since(*self.start.get_or_insert(now));
        let known = self
            .old
            .remove(&key)
            .or_else(|| self.young.get(&key).copied());
        let whole_at = known.map_or(now, |whole_at| whole_at.max(now));
        let wait = whole_at.saturating_sub(now + rate.burst());
        let (whole_at, outcome) = if wait.is_zero() {
            (whole_at + rate.each(), Ok(()))
        } else {
            (whole_at, Err(wait))
        };
        self.insert(key, whole_at);
        outcome
    }

    /// Lets the key wait for as long as somebody else said that it must.
    #[cfg(feature = "redis")]
    pub(crate) fn put_off(&mut self, key: K, wait: Duration, rate: Rate, now: Instant) {
        let now = now.duration_since(*self.start.get_or_insert(now));
        self.old.remove(&key);
        self.insert(key, now + rate.burst() + wait);
    }

    fn insert(&mut self, key: K, whole_at: Duration) {
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
            // Seen again and again: never forgotten, however many others come.
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
                table.take((), rate, now).is_ok()
            })
            .count();
        // Ten seconds at 5/s, and a burst of 5 at the start.
        assert!((50..=55).contains(&passed), "{passed}");
    }
}
