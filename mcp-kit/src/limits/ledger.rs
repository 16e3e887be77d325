//! The storage of a server's budgets.

#[cfg(feature = "redis")]
use crate::limits::replicas::RedisLimits;
use crate::limits::{Budgets, Rate};

/// Keeps a server's budgets.
#[derive(Clone)]
pub(crate) struct Ledger {
    entries: usize,
    /// The store that counts for all replicas, and the server's name.
    #[cfg(feature = "redis")]
    shared: Option<(RedisLimits, String)>,
}

impl Ledger {
    /// Keeps budgets in this process, with at most `entries` keys per rate.
    pub(crate) fn new(entries: usize) -> Self {
        Self {
            entries,
            #[cfg(feature = "redis")]
            shared: None,
        }
    }

    /// Also counts in a store, for all replicas of the server.
    #[cfg(feature = "redis")]
    pub(crate) fn shared(mut self, store: Option<RedisLimits>, server: &str) -> Self {
        self.shared = store.map(|store| (store, server.to_owned()));
        self
    }

    /// Creates budgets of `rate`. `what` names their purpose, which
    /// distinguishes them in a store.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables))]
    pub(crate) fn budgets(&self, what: &'static str, rate: Rate) -> Budgets {
        let budgets = Budgets::new(rate, self.entries);
        #[cfg(feature = "redis")]
        if let Some((store, server)) = &self.shared {
            return budgets.shared(store.clone(), [server, what]);
        }
        budgets
    }
}
