//! Bounds how often a caller may call a tool.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Middleware, Next};
use crate::limiter::Table;
use crate::tool::{ErrorKind, ToolCall, ToolError, ToolResult};

/// How many calls in how much time: `5/s`, `60/min`, `1000/h`.
///
/// All of them may come at once (the burst); after that one more is let
/// through each time its share of the period has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    period: Duration,
}

impl Rate {
    /// `calls` per second; at least one.
    #[must_use]
    pub const fn per_second(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(1))
    }

    /// `calls` per minute; at least one.
    #[must_use]
    pub const fn per_minute(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(60))
    }

    /// `calls` per hour; at least one.
    #[must_use]
    pub const fn per_hour(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(3_600))
    }

    const fn new(calls: u32, period: Duration) -> Self {
        Self {
            calls: if calls == 0 { 1 } else { calls },
            period,
        }
    }

    pub(crate) fn calls(self) -> u32 {
        self.calls
    }

    pub(crate) fn period(self) -> Duration {
        self.period
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidRate(text.to_owned());
        let (calls, unit) = text.split_once('/').ok_or_else(invalid)?;
        let calls = calls.trim().parse().map_err(|_| invalid())?;
        if calls == 0 {
            return Err(invalid());
        }
        match unit.trim() {
            "s" => Ok(Self::per_second(calls)),
            "min" | "m" => Ok(Self::per_minute(calls)),
            "h" => Ok(Self::per_hour(calls)),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.period.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.calls)
    }
}

/// A text that is no [`Rate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRate(String);

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no rate: write a whole number of calls from 1, a slash and s, min or h, such as \"60/min\"",
            self.0
        )
    }
}

impl std::error::Error for InvalidRate {}

/// Bounds how often each caller may call each tool (GCRA). Whoever calls too
/// often reads how many seconds to wait; nobody else notices.
///
/// State is kept for at most `limiter_entries` pairs of caller and tool
/// ([`Limits`](crate::server::Limits)); the least recently seen go first.
/// Clones share their state.
#[derive(Clone)]
pub struct RateLimit {
    shared: Arc<Shared>,
}

struct Shared {
    rate: Rate,
    /// Two keyed hashes name a pair: no strings are kept, and a collision
    /// would take 2^64 pairs.
    hashers: [RandomState; 2],
    table: Mutex<Table<(u64, u64)>>,
}

impl RateLimit {
    /// A limit of `rate` for each pair of caller and tool, with state for at
    /// most 100,000 pairs.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self::with_entries(rate, 100_000)
    }

    /// A limit with state for at most `entries` pairs.
    #[must_use]
    pub fn with_entries(rate: Rate, entries: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                rate,
                hashers: [RandomState::new(), RandomState::new()],
                table: Mutex::new(Table::new(entries)),
            }),
        }
    }

    /// Counts a call, or says how long to wait.
    fn take(&self, caller: &str, tool: &str) -> Result<(), Duration> {
        let shared = &*self.shared;
        let [first, second] = &shared.hashers;
        let key = (
            first.hash_one((caller, tool)),
            second.hash_one((caller, tool)),
        );
        shared
            .table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(key, shared.rate, Instant::now())
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("rate", &self.shared.rate)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Middleware for RateLimit {
    async fn handle(&self, call: ToolCall, next: Next<'_>) -> Result<ToolResult, ToolError> {
        match self.take(call.principal().name(), call.tool()) {
            Ok(()) => next.run(call).await,
            Err(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let plural = if seconds == 1 { "" } else { "s" };
                Err(ToolError::refusal(
                    ErrorKind::RateLimited,
                    format!(
                        "Rate limit of {} reached for this tool. Try again in {seconds} second{plural}.",
                        self.shared.rate
                    ),
                ))
            }
        }
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("RateLimit({})", self.shared.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for text in ["5/s", "60/min", "1000/h"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["", "5", "5/day", "0/s", "-1/s", "x/s"] {
            let message = text.parse::<Rate>().unwrap_err().to_string();
            assert!(message.contains("60/min"), "{message}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn callers_and_tools_have_a_budget_each() {
        let limit = RateLimit::new(Rate::per_second(2));
        assert!(limit.take("alice", "add").is_ok());
        assert!(limit.take("alice", "add").is_ok());
        assert_eq!(limit.take("alice", "add"), Err(Duration::from_millis(500)));
        assert!(limit.take("bob", "add").is_ok());
        assert!(limit.take("alice", "sub").is_ok());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert!(limit.take("alice", "add").is_ok());
        assert!(limit.take("alice", "add").is_err());
    }
}
