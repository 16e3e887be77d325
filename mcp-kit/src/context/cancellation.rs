//! Telling a handler that its caller has given up.

use std::fmt;
use std::sync::Arc;

use super::FromContext;
use crate::tool::{CallContext, ToolCall, ToolError};

/// Whether the caller still waits.
///
/// An `async` handler is dropped when its call is cancelled or runs out of
/// time, and needs this only to clean up elsewhere. A `blocking` one cannot be
/// stopped from outside: look at [`is_cancelled`](Self::is_cancelled) between
/// steps.
#[derive(Clone)]
pub struct Cancellation(Arc<CallContext>);

impl Cancellation {
    /// Whether the caller cancelled, left, or was told that time is up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the caller no longer waits.
    pub async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}

impl FromContext for Cancellation {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        Ok(Self(Arc::clone(call.context())))
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation")
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}
