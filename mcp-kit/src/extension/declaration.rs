//! The value that declares an extension.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::declared::{Declared, DeclaredMethod};
use super::{ExtensionMethod, MessageMiddleware, MethodHandler};
use crate::primitive::Kind;
use crate::protocol::encode;
use crate::registry::{Registration, Router};

/// An extension of the protocol that a server offers: an identifier, settings, methods,
/// notifications, and primitives.
///
/// [`ServerBuilder::extension`](crate::server::ServerBuilder::extension) takes it; a
/// library crate can export one. Mistakes in it are errors of
/// [`build`](crate::server::ServerBuilder::build). It adds to the protocol: the methods
/// and notifications of the specification cannot be declared.
///
/// (The extractor [`Extension`](crate::Extension) is something else: a value that a
/// middleware attached to a call.)
#[must_use = "a server offers it with `.extension(…)`"]
pub struct ProtocolExtension {
    identifier: Arc<str>,
    settings: Value,
    is_legacy: bool,
    router: Router,
    methods: Vec<ExtensionMethod>,
    sends: Vec<String>,
    layers: Vec<Arc<dyn MessageMiddleware>>,
    problems: Vec<String>,
}

/// The parts of an extension, as a server builder takes them.
pub(crate) struct ExtensionParts {
    pub(crate) declared: Declared,
    pub(crate) router: Router,
    pub(crate) methods: Vec<Registration>,
    pub(crate) layers: Vec<Arc<dyn MessageMiddleware>>,
}

impl ProtocolExtension {
    /// Creates an empty extension. `identifier` is a reverse domain name that you
    /// control, a slash and a name, such as `com.example/notes`; at most 256 bytes.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into().into(),
            settings: Value::Object(serde_json::Map::new()),
            is_legacy: false,
            router: Router::new(),
            methods: Vec::new(),
            sends: Vec::new(),
            layers: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Sets the settings that clients see beside the identifier: a value that
    /// serialises to a JSON object; an empty one by default. They are in the
    /// `extensions` of the server's capabilities, which `server/discover` returns.
    pub fn settings(mut self, settings: impl Serialize) -> Self {
        match serde_json::to_value(settings) {
            Ok(settings) if settings.is_object() => self.settings = settings,
            _ => self
                .problems
                .push("its settings must serialise to a JSON object".to_owned()),
        }
        self
    }

    /// Also offers the extension to clients of the versions before 2026-07-28: it is
    /// among the capabilities of the answer to `initialize`, and its methods and
    /// notifications are accepted after it. What its [`router`](Self::router) has is
    /// offered to every client in any case.
    pub fn legacy(mut self) -> Self {
        self.is_legacy = true;
        self
    }

    /// Adds a method: a request of this name runs `handler`, with the request's
    /// `params` as arguments, without `_meta`.
    ///
    /// The name has 1 to 128 characters of `A–Z a–z 0–9 _ . / -`, does not begin with
    /// `notifications/` or `rpc.`, and does not belong to the protocol.
    ///
    /// The arguments are validated, and their failures reported, as those of a tool
    /// are. Every failure is a JSON-RPC error: -32602 for invalid arguments and for
    /// [`Error::not_found`](crate::Error::not_found), -32601 if the caller lacks the
    /// scope, -32021 if the client has not declared the extension (2026-07-28), and
    /// -32603 otherwise. `data.reason` is the outcome, such as `timeout`; internal
    /// errors and panics have only a reference.
    ///
    /// In 2026-07-28 a method cannot ask its client, since only `tools/call`,
    /// `prompts/get` and `resources/read` have results that ask. A question
    /// ([`Client::elicit`](crate::Client::elicit), `sample`, `roots`) returns an error
    /// of the kind
    /// [`ErrorKind::MissingCapability`](crate::call::ErrorKind::MissingCapability).
    pub fn method<M: 'static, H: MethodHandler<M>>(
        self,
        name: impl AsRef<str>,
        handler: H,
    ) -> Self {
        self.method_with(name, handler, |method| method)
    }

    /// Adds a method with its own policy.
    pub fn method_with<M: 'static, H: MethodHandler<M>>(
        mut self,
        name: impl AsRef<str>,
        handler: H,
        change: impl FnOnce(ExtensionMethod) -> ExtensionMethod,
    ) -> Self {
        let method = ExtensionMethod::new(Kind::Method, name.as_ref(), handler);
        self.methods.push(change(method));
        self
    }

    /// Handles a notification that clients send; its name begins with `notifications/`.
    ///
    /// `handler` receives the notification's `params`, without `_meta`, as its
    /// arguments. It runs within the limits of calls. A notification has no answer: one
    /// that is not valid or fails is reported to the log and to observers, and one for
    /// which the server has no room is dropped, which is also reported.
    pub fn notification<M: 'static, H: MethodHandler<M>>(
        self,
        name: impl AsRef<str>,
        handler: H,
    ) -> Self {
        self.notification_with(name, handler, |notification| notification)
    }

    /// Handles a notification with its own policy.
    pub fn notification_with<M: 'static, H: MethodHandler<M>>(
        mut self,
        name: impl AsRef<str>,
        handler: H,
        change: impl FnOnce(ExtensionMethod) -> ExtensionMethod,
    ) -> Self {
        let method = ExtensionMethod::new(Kind::Notification, name.as_ref(), handler);
        self.methods.push(change(method));
        self
    }

    /// Declares a notification that handlers of the server send to clients with
    /// [`Client::notify`](crate::Client::notify); its name begins with
    /// `notifications/`.
    pub fn sends(mut self, notification: impl Into<String>) -> Self {
        self.sends.push(notification.into());
        self
    }

    /// Adds tools, prompts and resources, with the layers, scope and prefix of their
    /// router. Calls add up.
    pub fn router(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }

    /// Adds a middleware around every message of the server, whatever its method and
    /// whether it belongs to the extension; see [`MessageMiddleware`].
    pub fn message_layer(mut self, middleware: impl MessageMiddleware) -> Self {
        self.layers.push(Arc::new(middleware));
        self
    }

    pub(crate) fn into_parts(self) -> ExtensionParts {
        let mut settings = Vec::new();
        encode::json(&mut settings, &self.settings);
        let methods = self.methods.iter().map(|method| DeclaredMethod {
            kind: method.kind(),
            name: method.name().to_owned(),
            name_parameter: method.name_parameter.clone(),
        });
        let declared = Declared {
            settings: String::from_utf8(settings).unwrap_or_default(),
            is_legacy: self.is_legacy,
            methods: methods.collect(),
            sends: self.sends,
            problems: self.problems,
            identifier: Arc::clone(&self.identifier),
        };
        let methods = self.methods.into_iter();
        ExtensionParts {
            declared,
            router: self.router,
            layers: self.layers,
            methods: methods
                .map(|method| method.registration(&self.identifier))
                .collect(),
        }
    }
}

impl fmt::Debug for ProtocolExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtocolExtension")
            .field("identifier", &self.identifier)
            .field("methods", &self.methods)
            .field("sends", &self.sends)
            .finish_non_exhaustive()
    }
}
