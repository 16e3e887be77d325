//! A task as the code that reads it has found it.

use std::sync::{Arc, Weak};

use super::store::StoredTask;
use super::task::Task;
use crate::server::subscriptions::Feed;

/// A task, and where it was found.
#[derive(Clone)]
pub(in crate::server) enum KnownTask {
    /// This process runs it.
    Here(Arc<Task>),
    /// In the store, in this state: it has ended, or another process runs it.
    Elsewhere(StoredTask),
}

impl KnownTask {
    /// Returns its state.
    pub(in crate::server) fn state(&self) -> StoredTask {
        match self {
            Self::Here(task) => task.stored(),
            Self::Elsewhere(stored) => stored.clone(),
        }
    }

    /// Whether the state that this has will not change by itself.
    pub(in crate::server) fn has_own_state(&self) -> bool {
        match self {
            Self::Here(task) => task.has_ended(),
            Self::Elsewhere(_) => true,
        }
    }

    /// Whether the store must be asked for its next state.
    pub(in crate::server) fn runs_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere(stored) if !stored.is_finished())
    }

    /// Notifies a client of its changes, if it runs here.
    pub(in crate::server) fn follow(&self, feed: &Weak<Feed>) {
        if let Self::Here(task) = self {
            task.follow(feed);
        }
    }
}
