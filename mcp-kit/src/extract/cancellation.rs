//! Lets a handler see that its caller has given up.

use std::fmt;
use std::sync::Arc;

use super::{FromCall, Requirements};
use crate::call::{Call, Cancelled, Error};

/// Reports whether the caller still waits.
///
/// An `async` handler is dropped when its call is cancelled or runs out of
/// time, and needs this only to clean up elsewhere. A `blocking` one cannot be
/// stopped from outside: check [`is_cancelled`](Self::is_cancelled) between
/// steps.
///
/// A test that calls the function itself creates one with
/// `testing::cancellation` (feature `testing`).
#[derive(Clone)]
pub struct Cancellation(Arc<Cancelled>);

impl Cancellation {
    /// For tests of handlers, which have no call.
    #[cfg(feature = "testing")]
    pub(crate) fn of(cancelled: Arc<Cancelled>) -> Self {
        Self(cancelled)
    }

    /// Whether the call was cancelled, its client left, or its time is up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_set()
    }

    /// Waits until the caller no longer waits.
    pub async fn cancelled(&self) {
        self.0.wait().await;
    }
}

impl FromCall for Cancellation {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        Ok(Self(call.context().cancelled.shared()))
    }

    fn requires(_: &mut Requirements) {}
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}
