//! Counts allocations per call.
//!
//! A benchmark that counts has to install the counting allocator itself, so that
//! no other benchmark pays for it:
//!
//! ```
//! use mcp_kit_benches::allocations::{COUNTING, CountingAllocator, per_call};
//!
//! #[global_allocator]
//! static ALLOCATOR: &CountingAllocator = &COUNTING;
//!
//! let boxed = per_call(100, || drop(std::hint::black_box(Box::new(1_u8))));
//! assert_eq!(boxed.total(), 1.0);
//! ```

use std::alloc::System;

use stats_alloc::{Region, StatsAlloc};

/// The system's allocator with counters around it.
pub type CountingAllocator = StatsAlloc<System>;

/// The allocator that [`per_call`] reads. It counts for the whole process, so
/// that work handed to other threads is counted too.
pub static COUNTING: CountingAllocator = StatsAlloc::system();

/// How often a measurement is repeated. The least counts, since other threads of
/// the process can only add.
const ROUNDS: usize = 5;

/// What one call asks of the allocator, on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerCall {
    /// New blocks.
    pub allocations: f64,
    /// Blocks that were made larger or smaller.
    pub reallocations: f64,
    /// Bytes in new blocks and in what blocks grew by.
    pub bytes: f64,
}

impl PerCall {
    /// New blocks and changed ones: every time that the allocator was asked.
    pub fn total(&self) -> f64 {
        self.allocations + self.reallocations
    }
}

/// Makes `calls` calls, several times over, and says what one of them allocates.
/// What happens only at first, such as filling caches, is left out.
///
/// All zeros without [`COUNTING`] as the global allocator.
pub fn per_call(calls: u32, mut call: impl FnMut()) -> PerCall {
    call();
    let mut least: Option<PerCall> = None;
    for _ in 0..ROUNDS {
        let region = Region::new(&COUNTING);
        for _ in 0..calls {
            call();
        }
        let change = region.change();
        // The counts stay far below the 2^53 that a float holds exactly.
        let average = |count: usize| count as f64 / f64::from(calls.max(1));
        let round = PerCall {
            allocations: average(change.allocations),
            reallocations: average(change.reallocations),
            bytes: average(change.bytes_allocated),
        };
        least = match least {
            Some(least) if least.total() <= round.total() => Some(least),
            _ => Some(round),
        };
    }
    least.unwrap_or(PerCall {
        allocations: 0.0,
        reallocations: 0.0,
        bytes: 0.0,
    })
}
