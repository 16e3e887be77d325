//! Ends calls that take too long.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;

use super::{Middleware, Next};
use crate::call::{Call, Error, Reply, readable, timed_out};
use crate::limits::Limits;

/// Answers a call that has not ended within its time, counted from when its
/// message was read, waiting included. The handler's future is dropped; a
/// blocking handler gets its [`Cancellation`](crate::extract::Cancellation).
///
/// The default is 30 s; `#[tool(timeout = "…")]` and
/// [`Registration::timeout`](crate::registry::Registration::timeout) change it.
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    after: Duration,
}

impl Timeout {
    /// Creates a limit on the time of the whole call.
    #[must_use]
    pub const fn new(after: Duration) -> Self {
        Self { after }
    }
}

#[async_trait]
impl Middleware for Timeout {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        let context = std::sync::Arc::clone(call.context());
        let deadline = call.received_at() + self.after.min(Limits::LONGEST_TIME);
        match tokio::time::timeout_at(deadline, next.run(call)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                context.cancel();
                Err(timed_out(context.target.info.kind(), self.after, true))
            }
        }
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("Timeout({})", readable(self.after)))
    }
}
