//! Configures a server.

mod build;

pub use build::BuildError;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::extensions::{self, OfferedExtensions};
use super::identity::About;
use super::messages::{CODE, MessageCode};
use super::network::{NetworkOptions, NoNetwork};
use super::tasks::TaskStore;
use super::{Limits, ResourceUpdates};
use crate::call::{Middleware, Observer, StateKeys, StateMap};
use crate::caller::Principal;
use crate::extension::{ExtensionParts, MessageMiddleware, ProtocolExtension};
use crate::limits::Rate;
#[cfg(feature = "redis")]
use crate::limits::RedisLimits;
use crate::observe::Meter;
#[cfg(feature = "metrics")]
use crate::observe::metrics::Metrics;
use crate::primitive::{Annotations, Icon, WarningCode};
use crate::prompt::PromptFn;
use crate::registry::{IntoRegistration, Router, Via, adding_methods};
use crate::resource::ResourceFn;
use crate::tool::ToolFn;

/// Configures a server; made by [`Server::builder`](super::Server::builder).
#[must_use = "a server is made by `.build()`"]
pub struct ServerBuilder {
    name: String,
    version: String,
    about: About,
    instructions: Option<String>,
    limits: Limits,
    states: StateMap,
    state_keys: StateKeys,
    pub(super) router: Router,
    observers: Vec<Arc<dyn Observer>>,
    rate_limit: Option<Rate>,
    task_store: Option<Arc<dyn TaskStore>>,
    extensions: Option<Box<dyn OfferedExtensions>>,
    /// The middlewares around messages, with the code that runs them.
    message_layers: Option<(&'static MessageCode, Vec<Arc<dyn MessageMiddleware>>)>,
    #[cfg(feature = "redis")]
    shared: Option<RedisLimits>,
    local: Principal,
    log_calls: bool,
    strict_arguments: bool,
    ignored_arguments: Vec<String>,
    pub(super) default_hints: Annotations,
    pub(super) accepted_warnings: Vec<WarningCode>,
    pub(super) updates: ResourceUpdates,
    network: Box<dyn NetworkOptions>,
    meter: Meter,
    list_ttl: Duration,
}

impl ServerBuilder {
    pub(super) fn new(name: String, version: String) -> Self {
        Self {
            name,
            version,
            about: About::default(),
            instructions: None,
            limits: Limits::default(),
            states: StateMap::default(),
            state_keys: StateKeys::default(),
            router: Router::new(),
            observers: Vec::new(),
            rate_limit: None,
            task_store: None,
            extensions: None,
            message_layers: None,
            #[cfg(feature = "redis")]
            shared: None,
            local: Principal::unrestricted("local"),
            log_calls: true,
            strict_arguments: false,
            ignored_arguments: Vec::new(),
            default_hints: Annotations::default(),
            accepted_warnings: Vec::new(),
            updates: ResourceUpdates::default(),
            network: Box::new(NoNetwork),
            meter: Meter::default(),
            list_ttl: Duration::ZERO,
        }
    }

    /// Sets the server's name for people. (Since 2025-06-18.)
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.about.title = Some(title.into());
        self
    }

    /// Sets a description of the server, for people who choose among servers.
    /// [`instructions`](Self::instructions) are for models. (Since 2025-11-25.)
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.about.description = Some(description.into());
        self
    }

    /// Sets the address of the server's website, such as
    /// `https://example.com`. (Since 2025-11-25.)
    pub fn website_url(mut self, url: impl Into<String>) -> Self {
        self.about.website_url = Some(url.into());
        self
    }

    /// Adds an icon of the server. (Since 2025-11-25.)
    pub fn icon(mut self, icon: impl Into<Icon>) -> Self {
        self.about.icons.push(icon.into());
        self
    }

    /// Sets the instructions for models: what they should know about the server
    /// as a whole.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Adds a value to the server's state, which handlers receive as
    /// [`State<T>`](crate::extract::State). One of each type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// Sets the key that seals what clients carry from one request to the next: the
    /// state of calls that ask their client ([`Client`](crate::extract::Client)), and the
    /// cursors of lists. At least 32 random bytes. Without it the process makes a random
    /// key.
    ///
    /// In the modern era (2026-07-28) a client carries the state of its call from
    /// one round to the next, and any replica may get the next round: replicas need
    /// the same key, and so does a server that restarts while a question is open. Replicas
    /// with a list of more than one page ([`Limits::page_items`], or a
    /// [`ResourceProvider`](crate::resource::ResourceProvider) with pages) also need it.
    ///
    /// To change the key without losing calls, give every replica the new key with
    /// [`previous_state_key`](Self::previous_state_key) first, then set it here and
    /// the old one there, and remove the old one once its states have expired
    /// ([`Limits::question_time`]). A cursor has no expiry: with an unknown key it is
    /// refused, and the client reads the list from its start.
    ///
    /// ```no_run
    /// let key = std::fs::read("/run/secrets/state-key")?;
    /// let server = mcp_kit::Server::builder("travel", "1.0.0")
    ///     .state_key(key)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.state_keys.set_current(key.as_ref());
        self
    }

    /// Adds a key that opens the state of calls and seals none; see
    /// [`state_key`](Self::state_key), without which it has no effect. Calls add up.
    pub fn previous_state_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.state_keys.add_previous(key.as_ref());
        self
    }

    /// Changes the server's limits.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Limits how often each caller may call each tool. Without it stdio has no
    /// such limit, and HTTP has 60 calls per minute.
    pub fn rate_limit(mut self, rate: Rate) -> Self {
        self.rate_limit = Some(rate);
        self
    }

    /// Counts every limit in a Redis or Valkey, for all replicas of this
    /// server together, and lets them know each other's legacy sessions.
    ///
    /// This covers the rates of the server, of its tools and of its transports.
    /// A [`RateLimit`](crate::middleware::RateLimit) that is added with [`layer`](Self::layer) counts only in
    /// this process.
    ///
    /// ```no_run
    /// use mcp_kit::limits::RedisLimits;
    ///
    /// let server = mcp_kit::Server::builder("search", "1.0.0")
    ///     .shared_limits(RedisLimits::from_env()?) // MCP_REDIS_URL, if it is set
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "redis")]
    pub fn shared_limits(mut self, store: impl Into<Option<RedisLimits>>) -> Self {
        self.shared = store.into();
        self
    }

    /// Sets where tasks are kept; in the memory of the process
    /// ([`MemoryTasks`](super::MemoryTasks)) by default. Replicas need a store that
    /// they share, such as `RedisTasks` (feature `redis`). See
    /// [the guide](crate::guide::tasks).
    pub fn task_store(mut self, store: impl TaskStore) -> Self {
        self.task_store = Some(Arc::new(store));
        self
    }

    /// Offers an extension of the protocol: its methods, its notifications, and what
    /// its router has. See [the guide](crate::guide::extensions).
    pub fn extension(mut self, extension: impl Into<ProtocolExtension>) -> Self {
        let ExtensionParts {
            declared,
            router,
            methods,
            layers,
        } = extension.into().into_parts();
        for layer in layers {
            self.add_message_layer(layer);
        }
        self.extensions
            .get_or_insert_with(extensions::none)
            .add(declared);
        self.router = self.router.merge(router);
        for method in methods {
            self.router = self.router.add(method);
        }
        self
    }

    /// Adds a middleware around every message, whatever its method; see
    /// [`MessageMiddleware`]. The one added first, here or by an
    /// [extension](Self::extension), is outermost.
    pub fn message_layer(mut self, middleware: impl MessageMiddleware) -> Self {
        self.add_message_layer(Arc::new(middleware));
        self
    }

    fn add_message_layer(&mut self, middleware: Arc<dyn MessageMiddleware>) {
        let start = || (&CODE, Vec::new());
        self.message_layers
            .get_or_insert_with(start)
            .1
            .push(middleware);
    }

    /// Adds a middleware around every primitive, before validation. The one added first
    /// is outermost.
    pub fn layer(mut self, middleware: impl Middleware) -> Self {
        self.router = self.router.layer(middleware);
        self
    }

    /// Adds a middleware around every primitive, after validation: it sees only calls
    /// whose arguments are right.
    pub fn layer_after_validation(mut self, middleware: impl Middleware) -> Self {
        self.router = self.router.layer_after_validation(middleware);
        self
    }

    /// Adds an observer, such as an audit: it sees the end of every call,
    /// including those that no middleware sees. May be called several times.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Accepts only arguments that the published schema admits. Without it,
    /// arguments that hosts write differently are
    /// [normalised](crate::args#arguments-as-hosts-send-them) if they have one
    /// reading: `"5"` for a number, JSON text for a list or an object, `null`
    /// for an optional argument. `5.0` for an integer is always accepted: JSON
    /// Schema admits it.
    ///
    /// [`Registration::strict_arguments`](crate::registry::Registration::strict_arguments) does this for one tool.
    pub fn strict_arguments(mut self) -> Self {
        self.strict_arguments = true;
        self
    }

    /// Ignores these arguments, which some hosts add to every call, at every
    /// tool that does not declare them: tools without arguments and tools known
    /// only at run time included. A tool that takes any name does not get them
    /// either. Only members at the top of the arguments are meant, and of
    /// doubled ones only the first.
    ///
    /// | host | names that it has added |
    /// |---|---|
    /// | n8n, MCP Client Tool of an AI Agent | `toolCallId`; some releases also `sessionId`, `action`, `chatInput` |
    /// | Gemini CLI | `wait_for_previous` |
    ///
    /// Calls add up. Without it a call with an unknown argument is refused, and
    /// the answer names the argument.
    ///
    /// ```
    /// # use mcp_kit::{Server, tool};
    /// # /// A report.
    /// # #[tool] async fn report() -> String { String::new() }
    /// Server::builder("reports", "1.0.0")
    ///     .ignore_arguments(["toolCallId", "sessionId", "wait_for_previous"])
    ///     .tool::<report>()
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn ignore_arguments<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.ignored_arguments
            .extend(names.into_iter().map(Into::into));
        self
    }

    /// Writes no event per call. Failures for which a client receives a
    /// reference are still logged.
    pub fn without_call_log(mut self) -> Self {
        self.log_calls = false;
        self
    }

    /// Counts calls, and everything else that [`Metrics`] lists.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, metrics: &Metrics) -> Self {
        self.meter = Meter::of(Some(metrics.clone()));
        self
    }

    /// Restricts the caller over stdio to these scopes; without it `local`
    /// holds every scope.
    pub fn local_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.local = Principal::new("local", scopes);
        self
    }

    /// Sets how long a client may keep a list, and what `server/discover`
    /// returned, without a further request (`ttlMs` of 2026-07-28). The default
    /// is zero: such a copy is stale at once. Shared caches keep only what is
    /// the same for every caller: a list with scopes,
    /// `readable_by` or a provider has the `cacheScope` `private`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let server = mcp_kit::Server::builder("reports", "1.0.0")
    ///     .list_ttl(Duration::from_secs(300))
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.list_ttl = ttl;
        self
    }

    /// Accepts a kind of warning for the server and all of its tools; see
    /// [`Registration::accept_warning`](crate::registry::Registration::accept_warning).
    pub fn accept_warning(mut self, code: WarningCode) -> Self {
        self.accepted_warnings.push(code);
        self
    }

    /// Sets the hints of every tool that does not set them itself.
    ///
    /// A default that contradicts a tool's own hint is not applied: a tool that
    /// is declared `destructive` is not made read-only, and the reverse.
    ///
    /// ```
    /// # use mcp_kit::{Server, tool};
    /// # /// Lists the tickets of a project.
    /// # #[tool(read_only)] async fn tickets() -> String { String::new() }
    /// // A closed world: no tool reaches the web.
    /// let server = Server::builder("desk", "1.0.0")
    ///     .default_hints(|hints| hints.open_world = Some(false))
    ///     .tool::<tickets>()
    ///     .build()?;
    /// assert_eq!(server.warnings(), []);
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn default_hints(mut self, change: impl FnOnce(&mut Annotations)) -> Self {
        change(&mut self.default_hints);
        self
    }

    /// Changes the options of a network transport, which the server carries.
    #[cfg(feature = "http")]
    pub(crate) fn network<T: NetworkOptions + Default>(
        mut self,
        change: impl FnOnce(T) -> T,
    ) -> Self {
        let options = (self.network as Box<dyn std::any::Any>)
            .downcast()
            .unwrap_or_default();
        self.network = Box::new(change(*options));
        self
    }
}

impl ServerBuilder {
    adding_methods! { (self), self -> Self;
        tool, tool_with: ToolFn;
        prompt, prompt_with: PromptFn;
        resource, resource_with: ResourceFn;
        ///
        /// ```
        /// # use mcp_kit::{Server, tool};
        /// # /// A report.
        /// # #[tool] async fn report() -> String { String::new() }
        /// Server::builder("reports", "1.0.0")
        ///     .tool_with::<report>(|tool| tool.result_bytes(4 << 20).concurrency(2))
        ///     .build()?;
        /// # Ok::<(), mcp_kit::server::BuildError>(())
        /// ```
    }

    /// Adds a primitive that is known only at run time, or any
    /// [`Registration`](crate::registry::Registration), which has its own limits and
    /// middlewares.
    #[expect(clippy::should_implement_trait, reason = "builders are not numbers")]
    pub fn add<M: Via>(mut self, primitive: impl IntoRegistration<M>) -> Self {
        self.router = self.router.add(primitive);
        self
    }

    /// Adds everything in a router, with its layers, scope and prefix. The server's
    /// own layers are around those of the router.
    pub fn merge(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("name", &self.name)
            .field("primitives", &self.router.len())
            .finish_non_exhaustive()
    }
}
