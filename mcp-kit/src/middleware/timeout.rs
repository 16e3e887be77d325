//! Ends calls that take too long.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::unconstrained;

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
        let context = next.context_of(&call);
        let outcome = {
            let mut running = next.run(call);
            let passed = context
                .deadline
                .passed(self.after.min(Limits::LONGEST_TIME));
            // Also if the handler uses up what its task may do at a time.
            let mut passed = pin!(unconstrained(passed));
            poll_fn(|cx| match running.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending => passed.as_mut().poll(cx).map(|()| None),
            })
            .await
        };
        outcome.unwrap_or_else(|| {
            context.cancel();
            Err(timed_out(context.target.info.kind(), self.after, true))
        })
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("Timeout({})", readable(self.after)))
    }
}
