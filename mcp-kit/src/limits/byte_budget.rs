//! Limits the bytes that clients make the server hold, in total for all
//! clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the bytes that are held.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    most: usize,
    held: AtomicUsize,
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    budget: Arc<ByteBudget>,
    bytes: usize,
}

impl ByteBudget {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
        })
    }

    /// Holds `bytes`, if there is room for them.
    pub(crate) fn claim(self: &Arc<Self>, bytes: usize) -> Option<Claim> {
        let mut claim = self.nothing();
        claim.grow_to(bytes).then_some(claim)
    }

    /// Holds `bytes`, if there is room for them in the budget or in a further
    /// quarter of it that only small messages may use. So many large messages
    /// do not keep small ones out.
    pub(crate) fn claim_small(self: &Arc<Self>, bytes: usize) -> Option<Claim> {
        let mut claim = self.nothing();
        claim.set_small(bytes).then_some(claim)
    }

    /// Whether there is room for `bytes`.
    #[cfg(feature = "sse")]
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.held.load(Ordering::Relaxed).saturating_add(bytes) <= self.most
    }

    /// Holds `bytes`, whether there is room for them or not.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Claim {
        let mut claim = self.nothing();
        claim.grow_to(bytes);
        claim
    }

    /// Whether more than three quarters are held.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.most / 4 * 3
    }

    fn nothing(self: &Arc<Self>) -> Claim {
        Claim {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Claim {
    /// Changes the claim to `bytes` in total, if there is room for them.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        self.change_to(self.bytes.max(bytes)) <= self.budget.most
    }

    /// Changes the claim to exactly `bytes` in total, if there is room for them
    /// by the rule for small messages.
    pub(crate) fn set_small(&mut self, bytes: usize) -> bool {
        let most = self.budget.most;
        let is_more = bytes > self.bytes;
        self.change_to(bytes) <= most.saturating_add(most / 4) || !is_more
    }

    /// Adds the bytes that `other` held; both count against the same budget.
    pub(crate) fn take_in(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Holds `bytes`; returns how many the whole budget then holds.
    fn change_to(&mut self, bytes: usize) -> usize {
        let held = &self.budget.held;
        let before = std::mem::replace(&mut self.bytes, bytes);
        match bytes.checked_sub(before) {
            Some(more) => held.fetch_add(more, Ordering::Relaxed) + more,
            None => held.fetch_sub(before - bytes, Ordering::Relaxed) - (before - bytes),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
