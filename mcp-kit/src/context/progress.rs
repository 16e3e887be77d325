//! Telling the client how far a call has come.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::FromContext;
use crate::tool::{CallContext, ToolCall, ToolError};

/// Sends progress to the client, if it asked for it.
///
/// Reports cost nothing where the client did not ask. They may be dropped
/// where it does not read.
#[derive(Clone)]
pub struct Progress(Arc<Inner>);

struct Inner {
    call: Arc<CallContext>,
    /// The specification wants every report to be larger than the last.
    last: Mutex<f64>,
}

impl Progress {
    /// Reports `progress` of `total`, in any unit, with a message for people.
    ///
    /// A report that is not larger than the last one, or not finite, is not
    /// sent.
    pub fn report(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let call = &self.0.call;
        let (Some(token), Some(outbound)) = (&call.progress_token, &call.outbound) else {
            return;
        };
        if call.is_cancelled() || !progress.is_finite() {
            return;
        }
        // Held while sending, so that two reports cannot overtake each other.
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if progress <= *last {
            return;
        }
        *last = progress;
        let mut params = json!({"progressToken": token, "progress": progress});
        if let Some(total) = total.filter(|total| total.is_finite()) {
            params["total"] = json!(total);
        }
        if let Some(message) = message {
            params["message"] = json!(message);
        }
        outbound.notify(call, "notifications/progress", &params);
    }
}

impl FromContext for Progress {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        Ok(Self(Arc::new(Inner {
            call: Arc::clone(call.context()),
            last: Mutex::new(f64::NEG_INFINITY),
        })))
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
