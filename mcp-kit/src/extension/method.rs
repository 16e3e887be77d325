//! A method or notification of an extension: a primitive of its own kind.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::MethodHandler;
use super::handler::Innermost;
use crate::call::{
    Call, Definition, Error, Handler, KindRow, Middleware, Next, Reply, as_protocol_error,
};
use crate::extract::Requirements;
use crate::handler::FunctionSpec;
use crate::limits::Rate;
use crate::primitive::{CommonDefinition, Kind, PrimitiveInfo, Scopes, WarningCode};
use crate::protocol::{Era, RpcError};
use crate::registry::{Layers, Registration};

static METHODS: KindRow = KindRow {
    kind: Kind::Method,
    has_text_arguments: false,
    write,
    failure: as_protocol_error,
    unknown: |_, _, name| RpcError::method_not_found(name),
    completing: None,
};

static NOTIFICATIONS: KindRow = KindRow {
    kind: Kind::Notification,
    ..METHODS
};

/// A method of an extension, or a notification that its clients send, with its policy;
/// [`ProtocolExtension::method_with`](super::ProtocolExtension::method_with) passes one
/// to a closure.
///
/// It is a primitive: what the server sets for all primitives holds for it (limits,
/// rates, layers, the log, observers), and it has the settings that a tool has.
///
/// ```
/// use std::time::Duration;
///
/// use mcp_kit::extension::ProtocolExtension;
/// use mcp_kit::limits::Rate;
///
/// async fn purge() {}
///
/// let notes = ProtocolExtension::new("com.example/notes").method_with("notes/purge", purge, |method| {
///     method
///         .scope("notes:write")
///         .rate_limit(Rate::per_minute(2))
///         .timeout(Duration::from_secs(60))
///         .concurrency(1)
/// });
/// ```
#[must_use = "an extension adds it with `.method_with(…)`"]
pub struct ExtensionMethod {
    common: CommonDefinition,
    kind: Kind,
    handler: Arc<dyn Handler>,
    requirements: Requirements,
    scopes: Scopes,
    layers: Layers,
    is_strict: bool,
    is_for_every_client: bool,
    pub(super) name_parameter: Option<String>,
}

impl ExtensionMethod {
    pub(super) fn new<M: 'static, H: MethodHandler<M>>(kind: Kind, name: &str, handler: H) -> Self {
        let mut spec = FunctionSpec::new();
        H::describe(&mut spec);
        spec.common.name = name.to_owned().into();
        Self {
            common: spec.common,
            kind,
            handler: Arc::new(Innermost::new(handler)),
            requirements: spec.requirements,
            scopes: Scopes::new(),
            layers: Layers::default(),
            is_strict: false,
            is_for_every_client: kind == Kind::Notification,
            name_parameter: None,
        }
    }

    /// Requires a scope. For a caller without it the method does not exist. Calls add
    /// up.
    pub fn scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Sets the time limit, waiting included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.common.limits.timeout = Some(timeout);
        self
    }

    /// Sets the largest result, in bytes of JSON.
    pub fn result_bytes(mut self, bytes: usize) -> Self {
        self.common.limits.result_bytes = Some(bytes);
        self
    }

    /// Limits how many requests run at once; the others wait, within their time.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.common.limits.concurrency = Some(calls);
        self
    }

    /// Limits how often each caller may send it.
    pub fn rate_limit(mut self, rate: Rate) -> Self {
        self.common.limits.rate = Some(rate);
        self
    }

    /// Accepts only arguments that their schema admits; see
    /// [`ServerBuilder::strict_arguments`](crate::server::ServerBuilder::strict_arguments).
    pub fn strict_arguments(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Adds a middleware around this method alone, inside those of the server.
    pub fn layer(mut self, middleware: impl Middleware) -> Self {
        self.layers.push(middleware);
        self
    }

    /// Also answers clients that have not declared the extension. By default such a
    /// client receives an error: -32021 with the extension in `requiredCapabilities`
    /// (2026-07-28), or -32603 with the `data.reason` `missing_capability` (older
    /// versions).
    ///
    /// Has no effect on notifications, which are handled for every client.
    pub fn for_every_client(mut self) -> Self {
        self.is_for_every_client = true;
        self
    }

    /// Sets the parameter that the `Mcp-Name` header must repeat (2026-07-28 over
    /// HTTP). If the request has this parameter as a JSON string, a request without
    /// the header, or with another value in it, is refused.
    ///
    /// Has no effect on notifications.
    pub fn name_parameter(mut self, parameter: impl Into<String>) -> Self {
        self.name_parameter = Some(parameter.into());
        self
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn name(&self) -> &str {
        &self.common.name
    }

    /// Returns the registration, as a part of the extension with this identifier.
    pub(super) fn registration(self, identifier: &Arc<str>) -> Registration {
        let definition = MethodDefinition {
            common: self.common,
            kind: self.kind,
            required: (!self.is_for_every_client).then(|| Arc::clone(identifier)),
        };
        Registration::new(Box::new(definition), self.handler, self.requirements).within(
            self.layers,
            self.scopes,
            self.is_strict,
        )
    }
}

impl fmt::Debug for ExtensionMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionMethod")
            .field("kind", &self.kind)
            .field("name", &self.name())
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct MethodDefinition {
    common: CommonDefinition,
    kind: Kind,
    /// The extension that a client must have declared.
    required: Option<Arc<str>>,
}

impl Definition for MethodDefinition {
    fn row(&self) -> &'static KindRow {
        match self.kind {
            Kind::Notification => &NOTIFICATIONS,
            _ => &METHODS,
        }
    }

    fn common(&self) -> &CommonDefinition {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonDefinition {
        &mut self.common
    }

    /// It is in no list.
    fn listing(&self, _: &PrimitiveInfo, _: Era) -> String {
        String::new()
    }

    fn layers(&self) -> Vec<Arc<dyn Middleware>> {
        let required = self.required.iter();
        required
            .map(|identifier| Arc::new(RequireExtension(Arc::clone(identifier))) as _)
            .collect()
    }

    fn problems(&self) -> Vec<String> {
        let (kind, name) = (self.kind, &self.common.name);
        let others = self.common.problems.iter();
        others
            .map(|problem| format!("{kind} \"{name}\": {problem}"))
            .collect()
    }

    fn warnings(&self, _: &PrimitiveInfo, _: Duration) -> Vec<(WarningCode, String)> {
        Vec::new() // neither models nor hosts see it
    }
}

fn write(out: &mut Vec<u8>, _: Era, reply: &Reply) {
    if let Reply::Method(result) = reply {
        out.extend_from_slice(result.members().as_bytes());
    }
}

/// Refuses clients that have not declared the extension.
#[derive(Debug)]
struct RequireExtension(Arc<str>);

#[async_trait]
impl Middleware for RequireExtension {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        if !call.context().declares_extension(&self.0) {
            return Err(Error::missing_extension(&self.0));
        }
        next.run(call).await
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(format!("RequireExtension({})", self.0))
    }
}
