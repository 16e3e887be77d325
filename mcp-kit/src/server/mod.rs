//! The server: its tools, its policy, and the path of calls to them.

#[cfg(test)]
mod asking;
mod builder;
mod call;
mod dispatch;
mod drain;
mod extensions;
mod handshake;
mod identity;
mod listings;
mod messages;
pub(crate) mod methods;
mod network;
mod resources;
mod session;
mod subscriptions;
mod tasks;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

#[cfg(feature = "http")]
use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

pub use crate::limits::Limits;
pub use crate::registry::updates::ResourceUpdates;
pub use builder::{BuildError, ServerBuilder};
pub use call::CallError;
pub(crate) use dispatch::Routed;
pub use drain::DrainHandle;
#[cfg(feature = "http")]
pub(crate) use network::NetworkOptions;
pub(crate) use session::Session;
pub(crate) use subscriptions::{Feed, Listener, Subscription};
#[cfg(feature = "redis")]
pub use tasks::RedisTasks;
pub use tasks::{MemoryTasks, StoredTask, TaskKey, TaskMessage, TaskStore, TaskStoreError};

#[cfg(feature = "http")]
use crate::call::PrincipalPermits;
use crate::call::{AskPeer, OpenQuestions, Outbound, Peer, RoundSettings, ServerKeys, Ticker};
use crate::caller::Principal;
#[cfg(feature = "http")]
use crate::limits::{EdgeLimits, EdgeRates, Ledger, SharedSessions};
#[cfg(feature = "redis")]
use crate::limits::{RedisLimits, RedisSessions};
#[cfg(any(feature = "metrics", feature = "http"))]
use crate::observe::Meter;
#[cfg(feature = "metrics")]
use crate::observe::metrics::Metrics;
use crate::registry::Store;
use drain::Drain;
use extensions::OfferedExtensions;
use identity::Identity;
pub(crate) use messages::EnteredMessages;
use messages::Messages;
use tasks::Tasks;

/// A server: tools, policy and state, ready to be served. Cloning is cheap and
/// returns the same server.
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

pub(crate) struct ServerInner {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) limits: Limits,
    /// The primitives that it offers.
    pub(crate) registry: Arc<Store>,
    /// Announces updates of resources.
    updates: ResourceUpdates,
    #[cfg_attr(
        not(any(feature = "stdio", feature = "testing")),
        expect(dead_code, reason = "nothing else has a caller without credentials")
    )]
    pub(crate) local: Principal,
    /// One for each call that may run at once.
    permits: Arc<Semaphore>,
    /// The permits of each principal, over HTTP.
    #[cfg(feature = "http")]
    pub(crate) principal_permits: Arc<PrincipalPermits>,
    pub(crate) drain: Arc<Drain>,
    /// Those to clients of the legacy era.
    pub(crate) questions: OpenQuestions,
    /// The middlewares around every message.
    messages: Option<Box<Messages>>,
    /// What it adds to the protocol.
    extensions: Option<Box<dyn OfferedExtensions>>,
    /// One for each notification of extensions that may be handled at once, on all
    /// transports but HTTP.
    notification_permits: Arc<Semaphore>,
    pub(crate) tasks: Tasks,
    /// Ticks while calls are open, on every transport.
    pub(crate) ticker: Ticker,
    identity: Arc<Identity>,
    /// Seal the state of rounds and cursors.
    pub(super) keys: ServerKeys,
    /// The settings of calls that ask their client.
    pub(super) rounds: RoundSettings,
    /// How long a client may keep a list.
    list_ttl: Duration,
    /// The command line replaces the options of `build()`.
    #[cfg(feature = "http")]
    network: ArcSwap<Box<dyn NetworkOptions>>,
    #[cfg(feature = "http")]
    ledger: Ledger,
    /// The store that the replicas of this server share.
    #[cfg(feature = "redis")]
    shared: Option<RedisLimits>,
    #[cfg(any(feature = "metrics", feature = "http"))]
    pub(crate) meter: Meter,
}

impl Server {
    /// Starts to build a server. Clients see `name` and `version`;
    /// `env!("CARGO_PKG_VERSION")` is a good version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ServerBuilder {
        ServerBuilder::new(name.into(), version.into())
    }

    /// Returns the server's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns the server's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Returns the limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Returns the metrics of the server, if it has any.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(&self) -> Option<&Metrics> {
        self.inner.meter.metrics()
    }

    /// Returns a handle that ends the server: it refuses new calls, lets those
    /// in flight finish within the drain time, and closes.
    #[must_use]
    pub fn drain_handle(&self) -> DrainHandle {
        DrainHandle::new(Arc::clone(&self.inner.drain))
    }

    pub(crate) fn inner(&self) -> &Arc<ServerInner> {
        &self.inner
    }
}

impl ServerInner {
    /// Returns the shared owners of sessions, if the replicas share a store.
    #[cfg(feature = "http")]
    pub(crate) fn shared_sessions(&self) -> Option<Arc<dyn SharedSessions>> {
        #[cfg(feature = "redis")]
        if let Some(shared) = &self.shared {
            return Some(Arc::new(RedisSessions::new(shared.clone(), &self.name)));
        }
        None
    }

    /// Returns the limits of a transport's edge.
    #[cfg(feature = "http")]
    pub(crate) fn edge_limits(&self, rates: &EdgeRates) -> EdgeLimits {
        EdgeLimits::new(rates, &self.ledger)
    }

    /// Returns the client of a connection or session, as calls ask it.
    pub(crate) fn ask_peer(
        self: &Arc<Self>,
        peer: Peer,
        outbound: Arc<dyn Outbound>,
        feed: &Arc<Feed>,
    ) -> AskPeer {
        let follower: Weak<Feed> = Arc::downgrade(feed);
        AskPeer {
            home: Arc::clone(self) as _,
            peer,
            outbound,
            follower,
        }
    }

    pub(crate) fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name())
            .field("primitives", &self.inner.registry.current().len())
            .finish_non_exhaustive()
    }
}
