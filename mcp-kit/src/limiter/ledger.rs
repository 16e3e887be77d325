//! Where a server's budgets are kept.

use super::{Budgets, Rate};

/// Where a server's budgets are kept.
#[derive(Clone)]
pub(crate) struct Ledger {
    entries: usize,
}

impl Ledger {
    /// In this process, with at most `entries` keys per rate.
    pub(crate) fn new(entries: usize) -> Self {
        Self { entries }
    }

    /// Budgets of `rate`. `what` is what they are for.
    pub(crate) fn budgets(&self, _what: &'static str, rate: Rate) -> Budgets {
        Budgets::new(rate, self.entries)
    }
}
