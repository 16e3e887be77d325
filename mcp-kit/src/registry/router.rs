//! Routers: groups of primitives with a policy.

use std::borrow::Cow;
use std::fmt;

use super::registration::Layers;
use super::{IntoRegistration, Registration, Via, adding_methods};
use crate::call::Middleware;
use crate::prompt::PromptFn;
use crate::resource::ResourceFn;
use crate::tool::ToolFn;

/// A group of tools, prompts and resources with the middlewares, the scope and the prefix that
/// they share.
///
/// A library crate returns one, so that its tools come with their policy; a server
/// takes it with [`ServerBuilder::merge`](crate::server::ServerBuilder::merge) or
/// [`nest`](crate::server::ServerBuilder::nest). State is the server's: `build()`
/// reports what a router's tools require and the server was not given.
///
/// Layers, scope and prefix apply to everything in the router: what is merged into it
/// included, whether it was added before or after. (In axum a layer wraps only the
/// routes that were there before it.) Middlewares run from the outside to the inside:
/// the server's, those of the router, those of the routers in it, the tool's own.
///
/// ```
/// use mcp_kit::middleware::{RateLimit, from_fn};
/// use mcp_kit::limits::Rate;
/// use mcp_kit::{Router, Server, tool};
///
/// /// Lists the open tickets.
/// #[tool(read_only)]
/// async fn tickets() -> &'static str {
///     "none"
/// }
///
/// /// Closes all tickets.
/// #[tool(destructive, scope = "tickets:write")]
/// async fn close_all() -> &'static str {
///     "done"
/// }
///
/// /// What a library crate exports.
/// fn desk() -> Router {
///     Router::new()
///         .tool::<tickets>()
///         .tool_with::<close_all>(|tool| tool.concurrency(1))
///         .layer(RateLimit::new(Rate::per_minute(30)))
///         .scope("tickets")
/// }
///
/// let server = Server::builder("office", "1.0.0").nest("desk_", desk()).build()?;
/// let names: Vec<_> = server.tools().iter().map(|tool| tool.name().to_owned()).collect();
/// assert_eq!(names, ["desk_tickets", "desk_close_all"]);
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[derive(Default)]
#[must_use = "a router serves nothing until a server merges it"]
pub struct Router {
    registrations: Vec<Registration>,
    layers: Layers,
    scopes: Vec<Cow<'static, str>>,
    prefix: String,
}

impl Router {
    /// Creates an empty router.
    pub fn new() -> Self {
        Self::default()
    }

    adding_methods! { (self), self -> Self;
        tool, tool_with: ToolFn;
        prompt, prompt_with: PromptFn;
        resource, resource_with: ResourceFn;
        ///
        /// ```
        /// # use mcp_kit::{Router, tool};
        /// # /// A report.
        /// # #[tool] async fn report() -> String { String::new() }
        /// let reports = Router::new()
        ///     .tool_with::<report>(|tool| tool.result_bytes(4 << 20).concurrency(2));
        /// ```
    }

    /// Adds a primitive that is known only at run time, or any [`Registration`].
    #[expect(clippy::should_implement_trait, reason = "routers are not numbers")]
    pub fn add<M: Via>(mut self, primitive: impl IntoRegistration<M>) -> Self {
        self.registrations.push(primitive.into_registration());
        self
    }

    /// Adds a middleware around everything in the router, before validation. The one
    /// added first is outermost.
    pub fn layer(mut self, middleware: impl Middleware) -> Self {
        self.layers.push(middleware);
        self
    }

    /// Adds a middleware around everything in the router, after validation: it sees
    /// only calls whose arguments are right.
    pub fn layer_after_validation(mut self, middleware: impl Middleware) -> Self {
        self.layers.push_after_validation(middleware);
        self
    }

    /// Requires a scope for everything in the router, in addition to the scopes that
    /// the tools themselves require. Several calls add up.
    pub fn scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Puts `prefix` in front of every name, as it is: `"desk_"` makes
    /// `desk_tickets` of `tickets`. URIs of resources are not changed, since
    /// clients and contents refer to them. The prefix of a second call goes in front of the
    /// first one.
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix.insert_str(0, prefix.as_ref());
        self
    }

    /// Adds everything in another router, with its layers, scope and prefix.
    pub fn merge(mut self, router: Self) -> Self {
        self.registrations.extend(router.into_registrations());
        self
    }

    /// Returns its contents, with its layers, scope and prefix.
    pub(crate) fn into_registrations(self) -> Vec<Registration> {
        let Self {
            mut registrations,
            layers,
            scopes,
            prefix,
        } = self;
        for registration in &mut registrations {
            registration.layers.wrap_in(&layers);
            registration.scopes.splice(..0, scopes.iter().cloned());
            if !prefix.is_empty() {
                registration.definition.add_prefix(&prefix);
            }
        }
        registrations
    }

    /// Returns its contents without its layers, and its layers.
    pub(crate) fn into_parts(mut self) -> (Vec<Registration>, Layers) {
        let layers = std::mem::take(&mut self.layers);
        (self.into_registrations(), layers)
    }

    pub(crate) fn len(&self) -> usize {
        self.registrations.len()
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("primitives", &self.len())
            .field("scopes", &self.scopes)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
