//! The generic cell rate algorithm over a bounded table of keys.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

/// When each key's budget is whole again.
///
/// Two generations bound the table: once the young one is half the bound, it
/// becomes the old one, and what the old one still held, the least recently
/// seen, is forgotten.
pub(crate) struct Table<K, S = RandomState> {
    start: Option<Instant>,
    generation: usize,
    young: HashMap<K, Duration, S>,
    old: HashMap<K, Duration, S>,
}

impl<K: Eq + Hash, S: BuildHasher + Default> Table<K, S> {
    /// A table for at most `entries` keys.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            start: None,
            generation: (entries / 2).max(1),
            young: HashMap::default(),
            old: HashMap::default(),
        }
    }

    /// Takes one call from the key's budget, or says how long to wait for it.
    pub(crate) fn take(&mut self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let now = now.duration_since(*self.start.get_or_insert(now));
        // Most keys are seen again before a generation has passed.
        if let Some(whole_at) = self.young.get_mut(&key) {
            return take(whole_at, rate, now);
        }
        let mut whole_at = self.old.remove(&key).unwrap_or(now);
        let outcome = take(&mut whole_at, rate, now);
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

/// Takes one call from the budget that will be whole at `whole_at`.
fn take(whole_at: &mut Duration, rate: Rate, now: Duration) -> Result<(), Duration> {
    let from = (*whole_at).max(now);
    let wait = from.saturating_sub(now + rate.burst());
    if !wait.is_zero() {
        return Err(wait);
    }
    *whole_at = from + rate.each();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stays_within_its_bound_and_forgets_the_least_recent() {
        let mut table: Table<_> = Table::new(100);
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
        let mut table: Table<_> = Table::new(10);
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
