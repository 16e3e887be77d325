//! A flag for whether a call was cancelled.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

/// Records whether a call was cancelled. A handler that takes it has it as a value of
/// its own, so that it does not keep the call.
#[derive(Default)]
pub(crate) struct CallCancelled {
    is_set: AtomicBool,
    shared: OnceLock<Arc<Cancelled>>,
}

impl CallCancelled {
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        // Either this sees the flag that is shared, or `shared` sees that it is set.
        fence(Ordering::SeqCst);
        if let Some(shared) = self.shared.get() {
            shared.set();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Returns the flag for a handler.
    pub(crate) fn shared(&self) -> Arc<Cancelled> {
        let shared = Arc::clone(self.shared.get_or_init(Arc::default));
        fence(Ordering::SeqCst);
        if self.is_set() {
            shared.set();
        }
        shared
    }
}

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
