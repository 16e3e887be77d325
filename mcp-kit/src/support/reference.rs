//! References: an id that the client receives in place of an internal error,
//! and that the log records with the error itself.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// 16 hexadecimal digits that differ from call to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference(u64);

impl Reference {
    pub(crate) fn new() -> Self {
        // One random start per process, then a counter put through a bijection
        // (SplitMix64's finaliser): no two are equal, and two servers that log
        // to one place do not collide.
        static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
            AtomicU64::new(getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()) << 32))
        });
        let mut mixed = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(mixed ^ (mixed >> 31))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
