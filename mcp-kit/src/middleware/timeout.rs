//! Ends calls that take too long.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;

use super::{Middleware, Next};
use crate::call::{Call, ErrorKind, ToolError};
use crate::content::ToolResult;
use crate::server::Limits;

/// Answers a call that has not ended within its time, counted from when its
/// message was read, waiting included. The handler's future is dropped; a
/// blocking handler gets its [`Cancellation`](crate::extract::Cancellation).
///
/// The default is 30 s; `#[tool(timeout = "…")]` and
/// [`ToolOptions::timeout`](crate::registry::ToolOptions::timeout) change it.
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    after: Duration,
}

impl Timeout {
    /// A limit on the time of the whole call.
    #[must_use]
    pub const fn new(after: Duration) -> Self {
        Self { after }
    }

    /// The answer of a call that took longer than `after`.
    pub(crate) fn refusal(after: Duration) -> ToolError {
        ToolError::refusal(
            ErrorKind::Timeout,
            format!(
                "The tool timed out after {}. It may have done part of its work.",
                readable(after)
            ),
        )
    }
}

#[async_trait]
impl Middleware for Timeout {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<ToolResult, ToolError> {
        let context = std::sync::Arc::clone(call.context());
        let deadline = call.received_at() + self.after.min(Limits::LONGEST_TIME);
        match tokio::time::timeout_at(deadline, next.run(call)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                context.cancel();
                Err(Self::refusal(self.after))
            }
        }
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("Timeout({})", readable(self.after)))
    }
}

/// "500 ms", "15 s", "2 min".
pub(crate) fn readable(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        _ if millis.is_multiple_of(60_000) => format!("{} min", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{} s", millis / 1_000),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (millis, text) in [
            (500, "500 ms"),
            (1_500, "1.5 s"),
            (15_000, "15 s"),
            (120_000, "2 min"),
        ] {
            assert_eq!(readable(Duration::from_millis(millis)), text);
        }
    }
}
