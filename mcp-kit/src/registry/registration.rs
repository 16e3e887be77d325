//! A primitive for registration, and the settings that its server changes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::resources::{RESOURCE_CODE, ResourceCode};
use crate::call::{
    ASK_CODE, AskCode, Definition, ErasedCompleter, Handler, Middleware, ReadableBy, ResourceUri,
    StateMap,
};
use crate::caller::Principal;
use crate::completion::{Completer, erase};
use crate::extract::Requirements;
use crate::limits::{Limits, Rate};
use crate::primitive::{Icon, Kind, OwnLimits, Scopes, WarningCode};
use crate::prompt::{self, Prompt, PromptFn};
use crate::resource::{self, Resource, ResourceFn, ResourceProvider};
use crate::tool::{self, Tool, ToolFn};

/// Middlewares around primitives, the outermost first.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    before_validation: Vec<Arc<dyn Middleware>>,
    after_validation: Vec<Arc<dyn Middleware>>,
    /// Asks the client, which a middleware may, once there is one.
    ask_code: Option<&'static AskCode>,
}

impl Layers {
    pub(crate) fn push(&mut self, middleware: impl Middleware) {
        self.before_validation.push(Arc::new(middleware));
        self.ask_code = Some(&ASK_CODE);
    }

    pub(crate) fn push_after_validation(&mut self, middleware: impl Middleware) {
        self.after_validation.push(Arc::new(middleware));
        self.ask_code = Some(&ASK_CODE);
    }

    /// Takes all of them.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Arc<dyn Middleware>> {
        let before = self.before_validation.drain(..);
        before.chain(self.after_validation.drain(..))
    }

    /// Wraps these in `outer`.
    pub(super) fn wrap_in(&mut self, outer: &Self) {
        let before = outer.before_validation.iter().cloned();
        self.before_validation.splice(..0, before);
        let after = outer.after_validation.iter().cloned();
        self.after_validation.splice(..0, after);
        self.ask_code = self.ask_code.or(outer.ask_code);
    }

    pub(super) fn ask_code(&self) -> Option<&'static AskCode> {
        self.ask_code
    }

    pub(super) fn before_validation(&self) -> &[Arc<dyn Middleware>] {
        &self.before_validation
    }

    pub(super) fn after_validation(&self) -> &[Arc<dyn Middleware>] {
        &self.after_validation
    }
}

/// A primitive for registration: its definition, its handler, and its limits
/// and middlewares at this server.
///
/// [`ServerBuilder::tool_with`](crate::server::ServerBuilder::tool_with) hands
/// one to a closure. If a value is required, such as in
/// [`Router::add`](super::Router::add), [`tool`](Self::tool),
/// [`prompt`](Self::prompt), [`of_tool`](Self::of_tool) and
/// [`of_prompt`](Self::of_prompt) make one.
///
/// ```
/// use mcp_kit::registry::Registration;
/// # use mcp_kit::{Server, tool};
/// # /// A report.
/// # #[tool] async fn report() -> String { String::new() }
///
/// let server = Server::builder("reports", "1.0.0")
///     .add(Registration::tool::<report>().concurrency(2))
///     .build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[must_use = "it is registered by `.add(…)`"]
pub struct Registration {
    pub(super) definition: Box<dyn Definition>,
    pub(super) readable_by: Option<ReadableBy>,
    pub(super) handler: Arc<dyn Handler>,
    /// The code of resources, if it is one.
    pub(super) resource_code: Option<&'static ResourceCode>,
    requirements: Requirements,
    pub(super) completers: Vec<(String, ErasedCompleter)>,
    limits: OwnLimits,
    pub(super) strict_arguments: bool,
    pub(super) accepted_warnings: Vec<WarningCode>,
    pub(super) layers: Layers,
    /// The scopes of the routers that it was in, the outermost first.
    pub(super) scopes: Scopes,
}

impl Registration {
    /// Registers a `#[tool]` function.
    pub fn tool<NameOfFunction: ToolFn>() -> Self {
        let (definition, requirements, handler) = tool::describe::<NameOfFunction>();
        Self::new(Box::new(definition), Arc::new(handler), requirements)
    }

    /// Registers a tool that is known only at run time.
    ///
    /// ```
    /// use mcp_kit::Server;
    /// use mcp_kit::call::Call;
    /// use mcp_kit::registry::Registration;
    /// use mcp_kit::tool::{ToolDefinition, from_fn};
    ///
    /// let definition = ToolDefinition::new("motd", "The message of the day.");
    /// let motd = from_fn(definition, async |_: Call| "All systems are up.");
    /// let server = Server::builder("status", "1.0.0")
    ///     .add(Registration::of_tool(motd).concurrency(4))
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn of_tool(tool: impl Tool) -> Self {
        let definition = Box::new(tool.definition().clone());
        let handler = Arc::new(tool::RuntimeHandler(tool));
        Self::new(definition, handler, Requirements::unknown())
    }

    /// Registers a `#[prompt]` function.
    pub fn prompt<NameOfFunction: PromptFn>() -> Self {
        let (definition, requirements, handler) = prompt::describe::<NameOfFunction>();
        Self::new(Box::new(definition), Arc::new(handler), requirements)
    }

    /// Registers a prompt that is known only at run time.
    ///
    /// ```
    /// use mcp_kit::Server;
    /// use mcp_kit::call::Call;
    /// use mcp_kit::prompt::{PromptDefinition, from_fn};
    /// use mcp_kit::registry::Registration;
    ///
    /// let definition = PromptDefinition::new("standup", "Prepares the daily stand-up.");
    /// let standup = from_fn(definition, async |_: Call| "List what changed since yesterday.");
    /// let server = Server::builder("team", "1.0.0")
    ///     .add(Registration::of_prompt(standup).concurrency(4))
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn of_prompt(prompt: impl Prompt) -> Self {
        let definition = Box::new(prompt.definition().clone());
        let handler = Arc::new(prompt::RuntimeHandler(prompt));
        Self::new(definition, handler, Requirements::unknown())
    }

    /// Registers a `#[resource]` function.
    pub fn resource<NameOfFunction: ResourceFn>() -> Self {
        let (definition, requirements, handler) = resource::describe::<NameOfFunction>();
        Self::new(Box::new(definition), Arc::new(handler), requirements).with_resource_code()
    }

    /// Registers a resource or a template that is known only at run time.
    pub fn of_resource(resource: impl Resource) -> Self {
        let definition = resource.definition().clone();
        let handler = Arc::new(resource::RuntimeHandler::new(resource));
        Self::new(Box::new(definition), handler, Requirements::default()).with_resource_code()
    }

    /// Registers a provider of resources.
    pub fn of_provider(provider: impl ResourceProvider) -> Self {
        let definition = resource::provided(&provider);
        let handler = resource::ProviderHandler::new(provider, definition.clone());
        let handler = Arc::new(handler);
        Self::new(Box::new(definition), handler, Requirements::default()).with_resource_code()
    }

    fn with_resource_code(mut self) -> Self {
        self.resource_code = Some(&RESOURCE_CODE);
        self
    }

    /// Registers a primitive of any kind.
    pub(crate) fn new(
        definition: Box<dyn Definition>,
        handler: Arc<dyn Handler>,
        requirements: Requirements,
    ) -> Self {
        Self {
            definition,
            readable_by: None,
            handler,
            resource_code: None,
            requirements,
            completers: Vec::new(),
            limits: OwnLimits::default(),
            strict_arguments: false,
            accepted_warnings: Vec::new(),
            layers: Layers::default(),
            scopes: Scopes::new(),
        }
    }

    /// Returns the name under which clients call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// Returns the kind of primitive that it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.definition.row().kind
    }

    /// Sets the time limit of a call, waiting included; overrides the macro's
    /// `timeout` and [`Limits::call_time`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = Some(timeout);
        self
    }

    /// Sets the largest result, in bytes of JSON; overrides the macro's
    /// `result_bytes` and [`Limits::result_bytes`].
    pub fn result_bytes(mut self, bytes: usize) -> Self {
        self.limits.result_bytes = Some(bytes);
        self
    }

    /// Limits how many of its calls run at once; the others wait, within their
    /// time. Overrides the macro's `concurrency`; without either there is no
    /// such limit.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.limits.concurrency = Some(calls);
        self
    }

    /// Limits how often each caller may call it; overrides the macro's `rate`
    /// and
    /// [`ServerBuilder::rate_limit`](crate::server::ServerBuilder::rate_limit).
    pub fn rate_limit(mut self, rate: Rate) -> Self {
        self.limits.rate = Some(rate);
        self
    }

    /// Suggests values for an argument of a prompt, or a variable of a resource
    /// template, by a function; see [`completion`](crate::completion). A later
    /// function for the same argument replaces the earlier one. An argument
    /// that is not declared is an error of `build()`.
    pub fn complete<M: 'static, C: Completer<M>>(
        mut self,
        argument: impl Into<String>,
        completer: C,
    ) -> Self {
        C::requires(&mut self.requirements);
        let argument = argument.into();
        self.completers.retain(|(other, _)| *other != argument);
        self.completers.push((argument, erase(completer)));
        self
    }

    /// Accepts only arguments that the published schema admits; see
    /// [`ServerBuilder::strict_arguments`](crate::server::ServerBuilder::strict_arguments).
    pub fn strict_arguments(mut self) -> Self {
        self.strict_arguments = true;
        self
    }

    /// Accepts a kind of warning for this primitive:
    /// [`Server::warnings`](crate::Server::warnings) and `check` no longer list it.
    /// Has no effect if there is no such warning.
    ///
    /// In the attribute it is `#[tool(allow(long_timeout))]`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mcp_kit::registry::WarningCode;
    /// # use mcp_kit::{Server, tool};
    /// # /// Builds the whole index anew.
    /// # #[tool(destructive = false, open_world = false)]
    /// # async fn reindex() -> String { String::new() }
    ///
    /// let server = Server::builder("index", "1.0.0")
    ///     .tool_with::<reindex>(|tool| {
    ///         tool.timeout(Duration::from_secs(600))
    ///             .accept_warning(WarningCode::LongTimeout)
    ///     })
    ///     .build()?;
    /// assert_eq!(server.warnings(), []);
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn accept_warning(mut self, code: WarningCode) -> Self {
        self.accepted_warnings.push(code);
        self
    }

    /// Adds an icon, which hosts may show beside the primitive.
    ///
    /// ```
    /// use mcp_kit::primitive::Icon;
    /// # use mcp_kit::{Server, tool};
    /// # /// A report.
    /// # #[tool] async fn report() -> String { String::new() }
    /// let server = Server::builder("reports", "1.0.0")
    ///     .tool_with::<report>(|tool| {
    ///         tool.icon(Icon::new("https://example.com/report.png").with_size("48x48"))
    ///             .meta("example.com/team", "finance")
    ///     })
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    ///
    /// In the attribute it is `#[tool(icon = "https://example.com/report.png")]`.
    pub fn icon(mut self, icon: impl Into<Icon>) -> Self {
        self.definition.common_mut().icons.push(icon.into());
        self
    }

    /// Sets a member of the primitive's `_meta` in lists, and replaces an
    /// earlier one of the same key. The specification ("General fields:
    /// `_meta`") asks for a prefix with a domain of yours:
    /// `example.com/team`.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let meta = &mut self.definition.common_mut().meta;
        meta.insert(key.into(), value.into());
        self
    }

    /// Decides which callers may read a resource, or which URIs of a template or
    /// provider, in addition to its scope. For a caller for whom `allowed` returns
    /// false the URI does not exist: it is in no list, reading it is answered like
    /// an unknown URI, and it cannot be watched. It must be quick, since lists and
    /// requests wait for it. A panic in it counts as false.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    /// use mcp_kit::resource::ResourceUri;
    /// # use garde::Validate;
    /// # use schemars::JsonSchema;
    /// # use serde::Deserialize;
    /// # #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
    /// # struct Note { #[garde(skip)] owner: String }
    ///
    /// /// The notes of one person.
    /// #[resource(uri = "notes://{owner}")]
    /// async fn notes(note: Note) -> String {
    ///     format!("The notes of {}", note.owner)
    /// }
    ///
    /// let own = |principal: &Principal, uri: &ResourceUri| {
    ///     uri.value("owner") == Some(principal.name())
    /// };
    /// let server = Server::builder("notes", "1.0.0")
    ///     .resource_with::<notes>(|notes| notes.readable_by(own))
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn readable_by(
        mut self,
        allowed: impl Fn(&Principal, &ResourceUri) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.readable_by = Some(Arc::new(allowed));
        self
    }

    /// Adds a middleware around this primitive alone, inside those of its routers and
    /// of the server.
    pub fn layer(mut self, middleware: impl Middleware) -> Self {
        self.layers.push(middleware);
        self
    }

    /// Adds a middleware around this primitive alone that runs after validation.
    pub fn layer_after_validation(mut self, middleware: impl Middleware) -> Self {
        self.layers.push_after_validation(middleware);
        self
    }

    /// Adds middlewares of the primitive alone, and settings of its registration.
    pub(crate) fn within(mut self, layers: Layers, scopes: Scopes, strict: bool) -> Self {
        self.layers = layers;
        self.scopes = scopes;
        self.strict_arguments = strict;
        self
    }

    pub(super) fn limits(&self) -> OwnLimits {
        self.limits.or(self.definition.common().limits)
    }

    /// Returns the code of asking, if its handler may ask the client.
    pub(super) fn ask_code(&self) -> Option<&'static AskCode> {
        self.requirements.ask_code()
    }

    /// Whether its handler decides when a call becomes a task.
    pub(super) fn begins_task(&self) -> bool {
        self.requirements.begins_task()
    }

    /// Returns everything that is wrong with it, each with the fix.
    pub(super) fn problems(&self, states: &StateMap) -> Vec<String> {
        let mut problems = self.definition.problems();
        let named = format!("{} \"{}\"", self.kind(), self.name());
        let limits = self.limits();
        let icons = self.definition.common().icons.iter();
        let of_icons = icons.filter_map(Icon::problem);
        problems.extend(of_icons.map(|problem| format!("{named}: {problem}")));
        let has_completion = self.definition.row().completing.is_some();
        let names = self.definition.common().arguments.declared_names();
        for (argument, _) in &self.completers {
            if !has_completion {
                problems.push(format!(
                    "{named} completes \"{argument}\"; only prompts and resource templates have completion"
                ));
            } else if !names.contains(&argument.as_str()) {
                problems.push(format!(
                    "{named} completes \"{argument}\", which is not one of its arguments ({})",
                    names.join(", ")
                ));
            }
        }
        if limits.timeout.is_some_and(|timeout| timeout.is_zero()) {
            problems.push(format!(
                "{named}: its timeout is zero; every call would time out"
            ));
        }
        if limits.concurrency == Some(0) {
            problems.push(format!(
                "{named}: its concurrency is 0; it must be at least 1"
            ));
        }
        if self.readable_by.is_some() && self.kind().capability() != Kind::Resource {
            problems.push(format!(
                "{named}: `readable_by` is for resources; require a scope instead"
            ));
        }
        let least = Limits::LEAST_RESULT_BYTES;
        if let Some(bytes) = limits.result_bytes.filter(|bytes| *bytes < least) {
            problems.push(format!(
                "{named}: its result_bytes is {bytes}; it must be at least {least}"
            ));
        }
        if self.begins_task() && self.definition.task().is_none() {
            problems.push(format!(
                "{named} takes a `Task`, but its calls never become tasks; add the key `task` to its attribute"
            ));
        }
        #[cfg(feature = "http")]
        if let Err(problem) = self.definition.param_headers() {
            problems.push(format!("{named}: {problem}"));
        }
        problems.extend(self.requirements.missing(states).map(|missing| {
            format!(
                "{named} needs State<{missing}>, but no such state was added; add .state(…) with a value of that type"
            )
        }));
        problems
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
