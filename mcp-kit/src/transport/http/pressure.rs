//! Bytes that many clients hold together, and when there are too many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What has fewer bytes is not counted: it leaves at once, or with what is
/// large.
pub(super) const LARGE: usize = 16 * 1024;

/// Counts bytes that are held against a bound.
#[derive(Debug)]
pub(super) struct Pressure {
    most: usize,
    held: AtomicUsize,
}

/// Bytes that are held until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    pressure: Arc<Pressure>,
    bytes: usize,
}

impl Pressure {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
        })
    }

    /// Holds `bytes`, if there is room for them.
    pub(super) fn claim(self: &Arc<Self>, bytes: usize) -> Option<Claim> {
        let mut claim = Claim {
            pressure: Arc::clone(self),
            bytes: 0,
        };
        claim.grow_to(bytes).then_some(claim)
    }

    /// Whether there is room for `bytes`.
    #[cfg(feature = "sse")]
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.held.load(Ordering::Relaxed).saturating_add(bytes) <= self.most
    }

    /// Holds `bytes`, whether there is room for them or not.
    #[cfg(feature = "sse")]
    pub(super) fn hold(self: &Arc<Self>, bytes: usize) -> Claim {
        let mut claim = Claim {
            pressure: Arc::clone(self),
            bytes: 0,
        };
        claim.grow_to(bytes);
        claim
    }

    /// Whether room is short.
    pub(super) fn is_high(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.most / 4 * 3
    }
}

impl Claim {
    /// Holds `bytes` in all, if there is room for them.
    pub(super) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let held = self.pressure.held.fetch_add(more, Ordering::Relaxed) + more;
        self.bytes += more;
        held <= self.pressure.most
    }

    /// Holds what `other` held, too; both count against the same bound.
    pub(super) fn take_in(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.pressure.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
