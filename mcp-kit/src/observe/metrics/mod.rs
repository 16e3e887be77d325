//! Prometheus metrics.
//!
//! | metric | labels | meaning |
//! |---|---|---|
//! | `mcp_calls_total` | `kind`, `name`, `outcome` | calls that ended, by the log's word for how |
//! | `mcp_call_duration_seconds` | `kind`, `name` | histogram of the time from reading a call to its end |
//! | `mcp_calls_in_flight` | `kind`, `name` | calls that run now |
//! | `mcp_calls_normalised_total` | `kind`, `name` | calls whose arguments were [normalised](crate::args#arguments-as-hosts-send-them) |
//! | `mcp_http_requests_refused_total` | `reason` | requests that were refused before they were a call (feature `http`) |
//! | `mcp_sessions_open` | | sessions of protocol versions until 2025-11-25 (feature `http`) |
//!
//! The outcomes are `ok`, `error_result`, `input_required`, `user_error`, `invalid_arguments`,
//! `missing_capability`, `invalid_state`, `timeout`, `cancelled`, `forbidden`, `rate_limited`, `busy`,
//! `not_found`, `result_too_large`, `internal_error` and `panic`. Every series is there from
//! the start, with zero, so that the first panic raises an alert.
//!
//! A primitive that is removed while the server runs is left out of the text, as soon
//! as the last of its calls has ended. If it comes back after that, it counts from zero.
//!
//! No label is under a client's control: a name that does not exist is counted
//! nowhere, and no principal, address or session is a label.
//!
//! ```
//! use mcp_kit::prelude::*;
//! use mcp_kit::observe::metrics::Metrics;
//!
//! /// Says hello.
//! #[tool]
//! async fn hello() -> &'static str {
//!     "Hello!"
//! }
//!
//! let metrics = Metrics::new();
//! let server = Server::builder("greeter", "1.0.0")
//!     .tool::<hello>()
//!     .metrics(&metrics)
//!     .build()?;
//! let text = metrics.encode();
//! assert!(text.contains(r#"mcp_calls_total{kind="tool",name="hello",outcome="ok"} 0"#));
//! # Ok::<(), mcp_kit::server::BuildError>(())
//! ```

mod collect;
#[cfg(feature = "http")]
mod listen;
mod series;

use std::collections::BTreeMap;
use std::fmt;

use crate::support::lock::Lock;
#[cfg(feature = "http")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, Weak};

#[cfg(feature = "metrics-registry")]
pub use prometheus_client;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

#[cfg(feature = "http")]
pub use listen::MetricsListener;
pub(crate) use series::CallSeries;

#[cfg(feature = "http")]
use crate::observe::Refusal;
use crate::primitive::Kind;
use collect::Collected;

/// A server's metrics; set with
/// [`ServerBuilder::metrics`](crate::server::ServerBuilder::metrics).
///
/// Cloning is cheap and returns the same metrics. Servers that share them are
/// counted together.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Lock<Registry>,
    numbers: Arc<Numbers>,
}

/// The numbers of each primitive, by its kind and name.
type Primitives = BTreeMap<(Kind, String), Counted>;

/// The numbers of one primitive.
#[derive(Debug)]
enum Counted {
    /// A server has it.
    Registered(Arc<CallSeries>),
    /// It was removed; calls of it may run still, and another server may have it.
    Removed(Weak<CallSeries>),
}

impl Counted {
    fn series(&self) -> Option<Arc<CallSeries>> {
        match self {
            Self::Registered(series) => Some(Arc::clone(series)),
            Self::Removed(series) => series.upgrade(),
        }
    }
}

/// The counts of mcp-kit itself.
#[derive(Debug, Default)]
struct Numbers {
    /// In order, so that every text has the same.
    primitives: Lock<Primitives>,
    #[cfg(feature = "http")]
    refused: [AtomicU64; Refusal::ALL.len()],
    #[cfg(feature = "http")]
    sessions: AtomicU64,
}

impl Metrics {
    /// The content type of [`encode`](Self::encode)'s text.
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Creates metrics with nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let numbers = Arc::<Numbers>::default();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Collected(Arc::clone(&numbers))));
        Self(Arc::new(Inner {
            registry: Lock::new(registry),
            numbers,
        }))
    }

    /// Adds metrics of the program's own (feature `metrics-registry`).
    ///
    /// `prometheus_client` is [re-exported](prometheus_client), so that both are
    /// of one version. Its versions are 0.x, and a new one is a breaking change of
    /// this method: that is why it has a feature of its own.
    ///
    /// ```
    /// use mcp_kit::observe::metrics::Metrics;
    /// use mcp_kit::observe::metrics::prometheus_client::metrics::counter::Counter;
    ///
    /// let searches = Counter::<u64>::default();
    /// let metrics = Metrics::new();
    /// metrics.register(|registry| {
    ///     registry.register("searches", "Searches sent to the provider", searches.clone());
    /// });
    /// searches.inc();
    /// assert!(metrics.encode().contains("searches_total 1"));
    /// ```
    #[cfg(feature = "metrics-registry")]
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry());
    }

    /// Returns all metrics as text: OpenMetrics 1.0, which Prometheus requests,
    /// and which readers of its older text format also accept.
    ///
    /// A server over stdio has no address to scrape; it can write this to a
    /// file from time to time, or listen with `MetricsListener` (feature
    /// `http`).
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing into a `String` cannot fail, but a collector of the program's
        // own may: what it wrote so far is dropped with it.
        if text::encode(&mut text, &self.registry()).is_err() {
            tracing::warn!(target: "mcp_kit::metrics", "a registered collector failed: metrics are incomplete");
        }
        text
    }

    /// The metrics of one primitive, made when they are first needed.
    pub(crate) fn series(&self, kind: Kind, name: &str) -> Arc<CallSeries> {
        let mut primitives = self.0.numbers.primitives();
        let key = (kind, name.to_owned());
        let known = primitives.get(&key).and_then(Counted::series);
        let series = known.unwrap_or_default();
        primitives.insert(key, Counted::Registered(Arc::clone(&series)));
        series
    }

    /// Removes the series of these primitives, once none of their calls runs.
    pub(crate) fn forget(&self, gone: impl Iterator<Item = (Kind, String)>) {
        let mut primitives = self.0.numbers.primitives();
        for key in gone {
            if let Some(counted) = primitives.get_mut(&key)
                && let Counted::Registered(series) = counted
            {
                *counted = Counted::Removed(Arc::downgrade(series));
            }
        }
        primitives.retain(|_, counted| match counted {
            Counted::Registered(_) => true,
            Counted::Removed(series) => series.strong_count() > 0,
        });
    }

    #[cfg(feature = "http")]
    pub(crate) fn refused(&self, reason: Refusal) {
        self.0.numbers.refused[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "http")]
    pub(crate) fn session_opened(&self) {
        self.0.numbers.sessions.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "http")]
    pub(crate) fn session_closed(&self) {
        self.0.numbers.sessions.fetch_sub(1, Ordering::Relaxed);
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.registry.lock()
    }
}

impl Numbers {
    /// The numbers of each primitive that is still there, in order.
    fn shown(&self) -> Vec<(Kind, String, Arc<CallSeries>)> {
        let primitives = self.primitives();
        let shown = primitives
            .iter()
            .filter_map(|((kind, name), counted)| Some((*kind, name.clone(), counted.series()?)));
        shown.collect()
    }

    fn primitives(&self) -> MutexGuard<'_, Primitives> {
        self.primitives.lock()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
