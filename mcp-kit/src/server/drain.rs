//! The drain of a server: announced, then begun.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether the server drains, and the tasks that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    ending: AtomicBool,
    draining: AtomicBool,
    started: Notify,
}

impl Drain {
    /// Announces the drain: only the readiness changes.
    #[cfg(feature = "http")]
    pub(crate) fn announce(&self) {
        self.ending.store(true, Ordering::Release);
    }

    /// Whether the drain has begun, or was announced.
    #[cfg(feature = "http")]
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    pub(crate) fn begin(&self) {
        self.ending.store(true, Ordering::Release);
        self.draining.store(true, Ordering::Release);
        self.started.notify_waiters();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Waits until the drain begins.
    pub(crate) async fn started(&self) {
        let started = self.started.notified();
        tokio::pin!(started);
        // Registered before the look, so that a start in between is not missed.
        started.as_mut().enable();
        if !self.is_draining() {
            started.await;
        }
    }
}

/// Ends a server; made by [`Server::drain_handle`](super::Server::drain_handle).
#[derive(Clone)]
pub struct DrainHandle(Arc<Drain>);

impl DrainHandle {
    pub(super) fn new(drain: Arc<Drain>) -> Self {
        Self(drain)
    }

    /// Begins the drain: new calls are refused with an error that names the
    /// reason, calls in flight finish, connections close. If this crate serves
    /// the socket, calls that have not ended after
    /// [`Limits::drain_time`](super::Limits) are answered with the error that
    /// the server shuts down; an application that serves an `http_service()`
    /// limits that time, and ends its own connections. Further calls of this
    /// method change nothing.
    pub fn begin(&self) {
        self.0.begin();
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_draining()
    }
}

impl fmt::Debug for DrainHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainHandle")
            .field("is_draining", &self.is_draining())
            .finish()
    }
}
