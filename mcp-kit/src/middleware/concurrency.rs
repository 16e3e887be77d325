//! Limits how many calls of a primitive run at once.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{Middleware, Next};
use crate::call::{Call, Error, Reply};

/// Limits how many calls run at once; the others wait, within their time.
///
/// The permit stays with the handler until it has ended: a blocking handler
/// keeps it after its caller has received a timeout. While a handler waits for an
/// answer of its client, other calls may use its permit; it takes one again before
/// it goes on.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit {
    calls: usize,
    permits: Arc<Semaphore>,
}

impl ConcurrencyLimit {
    /// Creates a limit of `calls` at once, and of at least one.
    #[must_use]
    pub fn new(calls: usize) -> Self {
        let calls = calls.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            calls,
            permits: Arc::new(Semaphore::new(calls)),
        }
    }
}

#[async_trait]
impl Middleware for ConcurrencyLimit {
    async fn handle(&self, mut call: Call, next: Next<'_>) -> Result<Reply, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        call.keep_permit(permit);
        next.run(call).await
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("ConcurrencyLimit({})", self.calls))
    }
}
