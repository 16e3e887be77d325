//! Limits how often a caller may call a primitive.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use super::{Middleware, Next};
use crate::call::{Call, Error, ErrorKind, Reply};
use crate::limits::{Budgets, Key, Ledger, Rate, Refused};
use crate::primitive::Kind;

/// Limits how often each caller may call each primitive (GCRA). A caller above
/// the rate reads how many seconds to wait; other callers are not affected.
/// Over HTTP, unauthenticated callers count by their address, as far as it is
/// known.
///
/// State is kept for at most `limiter_entries` pairs of caller and primitive
/// ([`Limits`](crate::server::Limits)); the least recently seen are forgotten
/// first. Clones share their state.
#[derive(Clone)]
pub struct RateLimit {
    budgets: Arc<Budgets>,
}

impl RateLimit {
    /// Creates a limit of `rate` for each pair of caller and primitive, with state for at
    /// most 100,000 pairs.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self::with_entries(rate, 100_000)
    }

    /// Creates a limit with state for at most `entries` pairs.
    #[must_use]
    pub fn with_entries(rate: Rate, entries: usize) -> Self {
        Self::of(Budgets::new(rate, entries))
    }

    /// A limit for the calls of a server, counted in its ledger.
    pub(crate) fn of_calls(ledger: &Ledger, rate: Rate) -> Self {
        Self::of(ledger.budgets("call", rate))
    }

    fn of(budgets: Budgets) -> Self {
        Self {
            budgets: Arc::new(budgets),
        }
    }

    fn refusal(&self, refused: Refused, kind: Kind) -> Error {
        let seconds = refused.retry_after_seconds();
        #[cfg(feature = "redis")]
        if refused == Refused::Unavailable {
            return Error::refusal(
                ErrorKind::Busy,
                "The server cannot count this call at the moment. Try again in a few seconds.",
            );
        }
        let plural = if seconds == 1 { "" } else { "s" };
        let rate = self.budgets.rate();
        Error::refusal(
            ErrorKind::RateLimited,
            format!(
                "Rate limit of {rate} reached for this {kind}. Try again in {seconds} second{plural}."
            ),
        )
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("rate", &self.budgets.rate())
            .finish_non_exhaustive()
    }
}

// `#[async_trait]` written out: if the count is available at once, the rest of
// the chain is passed on as it is.
impl Middleware for RateLimit {
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        call: Call,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        'next: 'async_trait,
        Self: 'async_trait,
    {
        match self.budgets.try_take(key(&call)) {
            Some(Ok(())) => next.run(call),
            Some(Err(refused)) => Box::pin(ready(Err(self.refusal(refused, call.kind())))),
            None => Box::pin(async move {
                match self.budgets.take(key(&call)).await {
                    Ok(()) => next.run(call).await,
                    Err(refused) => Err(self.refusal(refused, call.kind())),
                }
            }),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("RateLimit({})", self.budgets.rate()))
    }
}

/// A budget's key: the caller, the kind and the name.
fn key(call: &Call) -> Key<'_> {
    [
        call.principal().limit_key(),
        call.kind().as_str().as_bytes(),
        call.name().as_bytes(),
    ]
}
