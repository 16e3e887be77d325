//! A flag for whether a call was cancelled.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Records whether something was cancelled; can be checked and awaited.
#[derive(Default)]
pub(crate) struct Cancelled {
    is_set: AtomicBool,
    changed: Notify,
}

impl Cancelled {
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    pub(crate) async fn wait(&self) {
        let notified = self.changed.notified();
        tokio::pin!(notified);
        // Registered before the look, so that a cancel in between is not missed.
        notified.as_mut().enable();
        if !self.is_set() {
            notified.await;
        }
    }
}
