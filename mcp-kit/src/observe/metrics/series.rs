//! One primitive's numbers. A call touches a handful of atomics, and no lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::call::{CallInfo, Ending, Observer, Outcome};

/// The upper limits of the histogram's buckets, in microseconds. The last
/// bucket has none.
const BOUNDS: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 30_000_000,
];

/// The counts of one primitive's calls.
#[derive(Debug, Default)]
pub(crate) struct CallSeries {
    outcomes: [AtomicU64; Outcome::ALL.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
    running: AtomicU64,
    normalised: AtomicU64,
}

impl CallSeries {
    pub(super) fn normalised(&self) -> u64 {
        self.normalised.load(Ordering::Relaxed)
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Outcome::ALL.into_iter().map(|outcome| {
            let count = self.outcomes[outcome.index()].load(Ordering::Relaxed);
            (outcome.as_str(), count)
        })
    }

    pub(super) fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }

    /// Returns the sum in seconds, the count, and the count of each bucket with
    /// its upper limit in seconds.
    pub(super) fn durations(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e6);
        let buckets: Vec<_> = bounds
            .chain([f64::INFINITY])
            .zip(&self.buckets)
            .map(|(bound, count)| (bound, count.load(Ordering::Relaxed)))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let seconds = self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        (seconds, count, buckets)
    }
}

impl Observer for CallSeries {
    fn started(&self, _: &CallInfo<'_>) {
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
        self.outcomes[how.outcome().index()].fetch_add(1, Ordering::Relaxed);
        if call.normalised() > 0 {
            self.normalised.fetch_add(1, Ordering::Relaxed);
        }
        // Time spent waiting alone would hide how long handlers take.
        if how.has_begun() {
            self.running.fetch_sub(1, Ordering::Relaxed);
            let nanoseconds = u64::try_from(how.duration().as_nanos()).unwrap_or(u64::MAX);
            let bucket = BOUNDS
                .iter()
                .position(|bound| nanoseconds <= bound * 1_000)
                .unwrap_or(BOUNDS.len());
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
            self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }
}
