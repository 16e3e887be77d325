//! A call in the chain, as middlewares and handlers receive it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::lent::HeldPermit;
use super::{
    CallContext, CompletionRequest, Error, ErrorKind, RequestInfo, ResourceUri, RunPermit, Subject,
};
use crate::args::{Decoded, Violations};
use crate::caller::Principal;
use crate::primitive::{Kind, PrimitiveInfo};

/// A call: the caller, the primitive, the arguments, and when it arrived.
///
/// Middlewares receive it, may read it and attach values, and pass it on.
pub struct Call(Box<Inner>);

struct Inner {
    context: Arc<CallContext>,
    /// Made when it is first asked for.
    request: OnceLock<RequestInfo>,
    decoded: Option<Decoded>,
    /// The text that was decoded, if it is not the client's.
    rewritten: Option<Box<str>>,
    extensions: Option<HashMap<TypeId, Box<dyn Any + Send + Sync>>>,
    /// Dropped when the handler ends, on whatever thread.
    guards: Vec<Box<dyn Any + Send>>,
    _permit: HeldPermit,
}

impl Call {
    pub(super) fn new(context: Arc<CallContext>, permit: Option<RunPermit>) -> Self {
        Self(Box::new(Inner {
            _permit: HeldPermit::of(&context, permit),
            context,
            request: OnceLock::new(),
            decoded: None,
            rewritten: None,
            extensions: None,
            guards: Vec::new(),
        }))
    }

    /// Returns the kind of the called primitive.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.info().kind()
    }

    /// Returns the name of the called primitive; of a resource its URI or
    /// template.
    #[must_use]
    pub fn name(&self) -> &str {
        self.info().name()
    }

    /// Returns the URI of the resource that is read, with the values of its
    /// template's variables.
    #[must_use]
    pub fn uri(&self) -> Option<&ResourceUri> {
        self.context().uri()
    }

    /// Returns the argument that is completed, if the call is a completion.
    #[must_use]
    pub fn completion(&self) -> Option<&CompletionRequest> {
        match self.context().subject.as_deref()? {
            Subject::Complete(request) => Some(request),
            _ => None,
        }
    }

    /// Returns the most resources that a provider may list in one page, if the call
    /// lists the resources of a provider.
    #[must_use]
    pub fn page_items(&self) -> Option<usize> {
        match self.context().subject.as_deref()? {
            Subject::List(request) => Some(request.most),
            _ => None,
        }
    }

    /// Returns what clients know of the called primitive.
    #[must_use]
    pub fn info(&self) -> &PrimitiveInfo {
        &self.context().target.info
    }

    /// Returns the caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.context().principal
    }

    /// Returns the request that the call came with: its id, its protocol
    /// version, the client's program, session and address.
    #[must_use]
    pub fn request(&self) -> &RequestInfo {
        (self.0.request).get_or_init(|| RequestInfo::of(self.context()))
    }

    /// Returns when the call's message was read, on tokio's clock.
    #[must_use]
    pub fn received_at(&self) -> Instant {
        self.context().received_at()
    }

    /// Returns the arguments as JSON text: as the client sent them before
    /// validation, and as they were decoded after it. The two differ if
    /// something was [normalised or
    /// ignored](crate::args#arguments-as-hosts-send-them). Do not log it.
    #[must_use]
    pub fn raw_arguments(&self) -> &str {
        let sent = self.context().text.arguments();
        self.0.rewritten.as_deref().or(sent).unwrap_or("{}")
    }

    /// Returns the arguments of a tool that is known only at run time, after
    /// validation; empty before it, and for `#[tool]` functions.
    #[must_use]
    pub fn arguments(&self) -> &Map<String, Value> {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        match &self.0.decoded {
            Some(Decoded::Json(arguments)) => arguments,
            _ => &NONE,
        }
    }

    /// Returns the decoded arguments of a `#[tool]` function, for middlewares
    /// that run after validation and know the type.
    #[must_use]
    pub fn typed_arguments<T: 'static>(&self) -> Option<&T> {
        match &self.0.decoded {
            Some(Decoded::Typed(arguments)) => arguments.downcast_ref(),
            _ => None,
        }
    }

    /// Returns a value that a middleware attached.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0
            .extensions
            .as_ref()?
            .get(&TypeId::of::<T>())?
            .downcast_ref()
    }

    /// Attaches a value for later middlewares and for the handler's
    /// [`Extension`](crate::extract::Extension), and replaces an earlier value
    /// of the same type.
    pub fn insert_extension<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0
            .extensions
            .get_or_insert_default()
            .insert(TypeId::of::<T>(), Box::new(value));
    }

    /// Keeps `guard` until the handler has ended.
    ///
    /// A permit that is kept here is not released while a blocking handler
    /// still runs, even if its caller was answered long ago. It is also kept while
    /// the handler asks its client, which may take minutes;
    /// [`ConcurrencyLimit`](crate::middleware::ConcurrencyLimit) lends its permit to
    /// other calls meanwhile.
    pub fn keep<T: Send + 'static>(&mut self, guard: T) {
        match self.context().permits.get() {
            Some(permits) => permits.guard(Box::new(guard)),
            None => self.0.guards.push(Box::new(guard)),
        }
    }

    /// Keeps a permit like a guard, and lends it while the call asks its client.
    pub(crate) fn keep_permit(&mut self, permit: OwnedSemaphorePermit) {
        match self.context().permits.get() {
            Some(permits) => permits.keep(permit),
            None => self.keep(permit),
        }
    }

    /// Returns a value of the server's state.
    #[must_use]
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.context().home.states().get()
    }

    pub(crate) fn context(&self) -> &Arc<CallContext> {
        &self.0.context
    }

    /// Decodes the arguments, once. A state of earlier rounds is bound to the arguments,
    /// and checked first.
    pub(crate) fn validate(&mut self) -> Result<(), Error> {
        if self.0.decoded.is_none() {
            let context = self.context();
            let target = &context.target;
            if let Some(code) = target.ask_code
                && context.request_state().is_some()
            {
                (code.open_rounds)(context)?;
            }
            let accepted = (target.arguments)
                .accept(context.text.arguments(), &target.acceptance)
                .map_err(|violations| invalid(&violations))?;
            // Texts are the only form that such values can have.
            if accepted.normalised > 0 && !target.kind.has_text_arguments {
                let places = accepted.normalised;
                context.normalised.store(places, Ordering::Relaxed);
            }
            self.0.rewritten = accepted.rewritten;
            self.0.decoded = Some(accepted.decoded);
        }
        Ok(())
    }

    /// Takes the decoded arguments, for the handler.
    pub(crate) fn take_arguments<T: 'static>(&mut self) -> Result<T, Error> {
        self.validate()?;
        match self.0.decoded.take() {
            Some(Decoded::Typed(arguments)) => match arguments.downcast() {
                Ok(arguments) => Ok(*arguments),
                Err(_) => Err(Error::internal("the arguments have another type")),
            },
            _ => Err(Error::internal("the arguments were taken already")),
        }
    }
}

fn invalid(violations: &Violations) -> Error {
    Error::refusal(ErrorKind::InvalidArguments, violations.to_string())
}

/// Omits the arguments, which are the client's data.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("principal", &self.principal().name())
            .finish_non_exhaustive()
    }
}
