//! Telling a handler that its caller has given up.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use super::FromContext;
use crate::tool::{CallContext, ToolCall, ToolError};

/// Whether the caller still waits.
///
/// An `async` handler is dropped when its call is cancelled or runs out of
/// time, and needs this only to clean up elsewhere. A `blocking` one cannot be
/// stopped from outside: look at [`is_cancelled`](Self::is_cancelled) between
/// steps.
///
/// A test that calls the function itself takes one from
/// `testing::cancellation` (feature `testing`).
#[derive(Clone)]
pub struct Cancellation(Source);

#[derive(Clone)]
enum Source {
    Call(Arc<CallContext>),
    #[cfg(feature = "testing")]
    Test(Arc<Cancelled>),
}

/// Whether something was cancelled; can be checked and waited for.
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

impl Cancellation {
    /// For tests of handlers, which have no call.
    #[cfg(feature = "testing")]
    pub(crate) fn of(cancelled: Arc<Cancelled>) -> Self {
        Self(Source::Test(cancelled))
    }

    /// Whether the caller cancelled, left, or was told that time is up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled_flag().is_set()
    }

    /// Waits until the caller no longer waits.
    pub async fn cancelled(&self) {
        self.cancelled_flag().wait().await;
    }

    fn cancelled_flag(&self) -> &Cancelled {
        match &self.0 {
            Source::Call(call) => &call.cancelled,
            #[cfg(feature = "testing")]
            Source::Test(cancelled) => cancelled,
        }
    }
}

impl FromContext for Cancellation {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        Ok(Self(Source::Call(Arc::clone(call.context()))))
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}
