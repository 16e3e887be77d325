//! The server: its tools, its policy, and how calls reach them.

mod builder;
mod dispatch;
mod drain;
mod entry;
mod limits;
mod lint;
mod lists;
mod permit;
mod policy;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

pub use builder::{BuildError, ServerBuilder, ToolOptions};
pub use drain::DrainHandle;
pub use limits::Limits;
pub use lint::Warning;
pub use policy::ToolPolicy;

pub(crate) use dispatch::{PendingCall, Running, Session, error_result};
pub(crate) use entry::ToolEntry;
pub(crate) use permit::{RunPermit, Share, ShareGiver};

use crate::context::{Principal, StateMap};
#[cfg(any(feature = "metrics", feature = "http"))]
use crate::telemetry::Meter;
#[cfg(feature = "metrics")]
use crate::telemetry::metrics::Metrics;
use crate::tool::ToolDefinition;
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
    inner: Arc<ServerInner>,
}

pub(crate) struct ServerInner {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) limits: Limits,
    /// In the order in which they were registered.
    pub(crate) tools: Vec<Arc<ToolEntry>>,
    /// `tools` by name: positions, sorted.
    by_name: Vec<usize>,
    states: StateMap,
    pub(crate) local: Principal,
    /// One for each call that may run at once.
    permits: Arc<Semaphore>,
    pub(crate) drain: Drain,
    #[cfg(any(feature = "metrics", feature = "http"))]
    pub(crate) meter: Meter,
    identity: Identity,
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

    /// The bounds in force.
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
        DrainHandle::new(Arc::clone(&self.inner))
    }

    pub(crate) fn inner(&self) -> &Arc<ServerInner> {
        &self.inner
    }
}

impl ServerInner {
    pub(crate) fn state<T: 'static>(&self) -> Option<&T> {
        self.states.get()
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ToolEntry>> {
        let found = self
            .by_name
            .binary_search_by(|&at| self.tools[at].definition().name().cmp(name))
            .ok()?;
        self.tools.get(*self.by_name.get(found)?)
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
