//! The server: its tools, its policy, and how calls reach them.

mod builder;
mod call;
mod dispatch;
mod drain;
pub(crate) mod methods;
mod subscriptions;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

pub use crate::limits::Limits;
#[cfg(all(feature = "cli", feature = "http", feature = "metrics"))]
pub(crate) use builder::NO_METRICS;
pub use builder::{BuildError, ServerBuilder};
pub use call::CallError;
pub(crate) use dispatch::{Routed, Session};
pub use drain::DrainHandle;
pub(crate) use subscriptions::Subscription;

#[cfg(feature = "http")]
use crate::call::PrincipalPermits;
use crate::call::{StateMap, Ticker};
use crate::caller::Principal;
use crate::limits::Ledger;
#[cfg(feature = "http")]
use crate::limits::{EdgeLimits, EdgeRates, Rate, SharedSessions};
#[cfg(feature = "redis")]
use crate::limits::{RedisLimits, RedisSessions};
#[cfg(feature = "http")]
use crate::middleware::RateLimit;
#[cfg(any(feature = "metrics", feature = "http"))]
use crate::observe::Meter;
#[cfg(feature = "metrics")]
use crate::observe::metrics::Metrics;
use crate::primitive::{ToolDefinition, WarningCode};
use crate::registry::ToolEntry;
use drain::Drain;

/// A server: tools, policy and state, ready to be served. Cloning is cheap and
/// gives the same server.
///
/// ```
/// use mcp_kit::{Server, tool};
///
/// /// Says hello.
/// #[tool]
/// async fn hello() -> &'static str {
///     "Hello!"
/// }
///
/// let server = Server::builder("greeter", "1.0.0").tool::<hello>().build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Server {
    pub(crate) inner: Arc<ServerInner>,
}

#[derive(Clone)]
pub(crate) struct ServerInner {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) limits: Limits,
    /// In the order in which they were registered.
    pub(crate) tools: Vec<Arc<ToolEntry>>,
    /// `tools` by name: positions, sorted.
    by_name: Vec<usize>,
    states: Arc<StateMap>,
    #[cfg_attr(
        not(any(feature = "stdio", feature = "testing")),
        expect(dead_code, reason = "nothing else has a caller without credentials")
    )]
    pub(crate) local: Principal,
    /// One for each call that may run at once.
    permits: Arc<Semaphore>,
    /// And of each principal, over HTTP.
    #[cfg(feature = "http")]
    pub(crate) principal_permits: Arc<PrincipalPermits>,
    pub(crate) drain: Arc<Drain>,
    /// Ticks while calls are open, on every transport.
    pub(crate) ticker: Ticker,
    identity: Arc<Identity>,
    pub(crate) accepted_warnings: Box<[WarningCode]>,
    #[cfg(feature = "http")]
    pub(crate) http: crate::transport::http::HttpOptions,
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "only HTTP has a rate by default")
    )]
    ledger: Ledger,
    /// The store that the replicas of this server share.
    #[cfg(feature = "redis")]
    shared: Option<RedisLimits>,
    #[cfg(any(feature = "metrics", feature = "http"))]
    pub(crate) meter: Meter,
}

/// What the server says of itself, as JSON that is written as it is.
struct Identity {
    /// `{"name":…,"version":…}`
    info: String,
    /// The members that follow in `initialize` and `server/discover`.
    instructions: Option<String>,
}

impl Server {
    /// Starts to build a server. `name` and `version` are what clients see of
    /// it; `env!("CARGO_PKG_VERSION")` is a good version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ServerBuilder {
        ServerBuilder::new(name.into(), version.into())
    }

    /// The server's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The definitions of all tools, in the order in which they are listed.
    pub fn tools(&self) -> impl Iterator<Item = &ToolDefinition> {
        self.inner.tools.iter().map(|entry| entry.definition())
    }

    /// The metrics that the server was given.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(&self) -> Option<&Metrics> {
        self.inner.meter.metrics()
    }

    /// A handle that ends the server: it refuses new calls, lets the ones in
    /// flight finish within the drain time, and closes.
    #[must_use]
    pub fn drain_handle(&self) -> DrainHandle {
        DrainHandle::new(Arc::clone(&self.inner.drain))
    }

    /// The same server with other options for HTTP.
    #[cfg(all(feature = "cli", feature = "http"))]
    pub(crate) fn with_http(&self, http: crate::transport::http::HttpOptions) -> Self {
        Self {
            inner: Arc::new(ServerInner {
                http,
                ..(*self.inner).clone()
            }),
        }
    }

    pub(crate) fn inner(&self) -> &Arc<ServerInner> {
        &self.inner
    }
}

impl ServerInner {
    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        let found = self
            .by_name
            .binary_search_by(|&at| self.tools[at].name().cmp(name))
            .ok()?;
        self.tools.get(*self.by_name.get(found)?)
    }

    /// The same server for a transport with a rate of its own: `rate` bounds
    /// the tools for which no rate was set. All else is shared.
    #[cfg(feature = "http")]
    pub(crate) fn with_default_rate(&self, rate: Rate) -> Arc<Self> {
        let limit = RateLimit::of_calls(&self.ledger, rate);
        let limited = |entry: &Arc<ToolEntry>| match entry.limited(&limit) {
            Some(limited) => Arc::new(limited),
            None => Arc::clone(entry),
        };
        Arc::new(Self {
            tools: self.tools.iter().map(limited).collect(),
            ..self.clone()
        })
    }

    /// What the replicas of this server know of each other's sessions, where
    /// they share a store.
    #[cfg(feature = "http")]
    pub(crate) fn shared_sessions(&self) -> Option<Arc<dyn SharedSessions>> {
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            return Some(Arc::new(RedisSessions::new(shared.clone(), &self.name)));
        }
        None
    }

    /// The limits of a transport's edge.
    #[cfg(feature = "http")]
    pub(crate) fn edge_limits(&self, rates: &EdgeRates) -> EdgeLimits {
        EdgeLimits::new(rates, &self.ledger)
    }

    pub(crate) fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name())
            .field("tools", &self.inner.tools.len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ToolError;
    use crate::testing::Client;
    use crate::tool::from_fn;

    #[tokio::test(start_paused = true)]
    async fn a_transports_rate_is_for_the_tools_without_one() {
        let tool = |name: &'static str| {
            from_fn(ToolDefinition::new(name, "Does nothing."), async |_| {
                Ok::<_, ToolError>("done")
            })
        };
        let server = Server::builder("test", "1")
            .runtime_tool(tool("plain"))
            .runtime_tool_with(tool("rated"), |tool| tool.rate_limit(Rate::per_minute(3)))
            .build()
            .unwrap();
        let over_http = Server {
            inner: server.inner.with_default_rate(Rate::per_minute(1)),
        };
        let layers: Vec<Vec<_>> = over_http
            .policies()
            .map(|policy| policy.layers().collect())
            .collect();
        assert_eq!(
            layers,
            [
                ["RateLimit(1/min)", "Timeout(30 s)", "Validate"],
                ["RateLimit(3/min)", "Timeout(30 s)", "Validate"],
            ]
        );

        let stdio = Client::new(&server).await;
        let http = Client::new(&over_http).await;
        assert!(!http.call("plain", json!({})).await.is_error());
        let refused = http.call("plain", json!({})).await;
        assert_eq!(
            refused.text(),
            "Rate limit of 1/min reached for this tool. Try again in 60 seconds."
        );
        for _ in 0..10 {
            assert!(!stdio.call("plain", json!({})).await.is_error());
        }
        // The tool's own rate is one budget, whichever way the calls come.
        for client in [&stdio, &http, &stdio] {
            assert!(!client.call("rated", json!({})).await.is_error());
        }
        assert!(http.call("rated", json!({})).await.is_error());
        // The end of one is the end of both.
        server.drain_handle().begin();
        assert!(over_http.drain_handle().is_draining());
    }
}
