//! A call in the chain, and the parts of it that its connection, its observers
//! and its handler share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::phase::Phase;
use super::{
    CallScope, Cancelled, Error, ErrorKind, Reported, RequestInfo, RequestSource, RunPermit,
    StateMap, Target, Transport,
};
use crate::args::{ArgumentNames, Decoded, Violations};
use crate::caller::Principal;
#[cfg(feature = "http")]
use crate::limits::Claim;
use crate::primitive::{Kind, PrimitiveInfo};
use crate::protocol::{ClientInfo, Era, ProtocolVersion, RequestId};
use crate::support::panics::discard;
use crate::support::reference::Reference;

/// A call: the caller, the primitive, the arguments, and when it arrived.
///
/// Middlewares receive it, may read it and attach values, and pass it on.
pub struct Call(Box<Inner>);

struct Inner {
    request: RequestInfo,
    decoded: Option<Decoded>,
    /// The text that was decoded, if it is not the client's.
    rewritten: Option<Box<str>>,
    extensions: Option<HashMap<TypeId, Box<dyn Any + Send + Sync>>>,
    /// Dropped when the handler ends, on whatever thread.
    guards: Vec<Box<dyn Any + Send>>,
    _permit: Option<RunPermit>,
}

/// The parts of the server that a call uses.
pub(crate) trait Home: Any + Send + Sync {
    fn states(&self) -> &StateMap;

    /// Ends a result object: the members that every result of its era has, and
    /// the closing brace.
    fn end_result(&self, out: &mut Vec<u8>, era: Era);
}

/// The state of a call that the connection, the observers and the handler
/// share.
pub(crate) struct CallContext {
    pub(crate) target: Arc<Target>,
    pub(crate) home: Arc<dyn Home>,
    pub(crate) principal: Principal,
    pub(crate) received_at: Instant,
    pub(crate) progress_token: Option<RequestId>,
    pub(crate) outbound: Option<Arc<dyn Outbound>>,
    pub(super) scope: Option<Box<dyn CallScope>>,
    pub(crate) request: CallRequest,
    text: CallText,
    /// The client's information about itself from `initialize`, or if it is
    /// long.
    client: Option<Arc<ClientInfo>>,
    /// The client's information about itself in `text`, once that has been
    /// parsed.
    read_client: OnceLock<Option<Box<ClientInfo>>>,
    pub(crate) cancelled: Cancelled,
    /// Of every `Progress` of the call together.
    pub(crate) reported: Reported,
    pub(super) phase: Phase,
    /// The number by which its connection knows it among all of its calls; 0
    /// until it has one.
    serial: AtomicU64,
    reference: OnceLock<Reference>,
    /// How many places of the arguments were rewritten before they were decoded.
    normalised: AtomicUsize,
    /// The bytes that the arguments count for, until the call drops them.
    #[cfg(feature = "http")]
    held: OnceLock<Claim>,
}

/// The request that a call came with.
pub(crate) struct CallRequest {
    pub(crate) id: RequestId,
    pub(crate) version: ProtocolVersion,
    pub(crate) transport: Transport,
    pub(crate) source: RequestSource,
}

/// The raw texts of a call, in one piece of memory: its `arguments`, unless they
/// are absent, and the `clientInfo` that came with it.
pub(crate) struct CallText {
    text: Option<Box<str>>,
    /// The end of the arguments.
    arguments: Option<usize>,
}

impl CallText {
    pub(crate) fn new(arguments: Option<&str>, client: Option<&str>) -> Self {
        let text = match client {
            None => arguments.map(Box::from),
            Some(client) => {
                let arguments = arguments.unwrap_or_default();
                let mut text = String::with_capacity(arguments.len() + client.len());
                text.push_str(arguments);
                text.push_str(client);
                Some(text.into_boxed_str())
            }
        };
        Self {
            text,
            arguments: arguments.map(str::len),
        }
    }

    fn arguments(&self) -> Option<&str> {
        self.text.as_deref()?.get(..self.arguments?)
    }

    fn client(&self) -> Option<&str> {
        self.text.as_deref()?.get(self.arguments.unwrap_or(0)..)
    }

    fn size(&self) -> usize {
        self.text.as_deref().map_or(0, str::len)
    }
}

/// The destination of a call's notifications.
pub(crate) trait Outbound: Send + Sync {
    /// Sends a call's notification, or drops it if the client does not read, or
    /// if the call has been answered.
    fn notify(&self, call: &CallContext, method: &'static str, params: &Value);
}

/// The parts of a new [`CallContext`].
pub(crate) struct CallParts<'a> {
    pub(crate) target: Arc<Target>,
    pub(crate) home: Arc<dyn Home>,
    pub(crate) request: CallRequest,
    pub(crate) text: CallText,
    pub(crate) client: Option<&'a Arc<ClientInfo>>,
    pub(crate) principal: Principal,
    pub(crate) progress_token: Option<RequestId>,
    pub(crate) scope: Option<Box<dyn CallScope>>,
}

impl CallContext {
    #[inline]
    pub(crate) fn new(parts: CallParts<'_>) -> Self {
        Self {
            target: parts.target,
            home: parts.home,
            request: parts.request,
            text: parts.text,
            client: parts.client.cloned(),
            read_client: OnceLock::new(),
            principal: parts.principal,
            received_at: Instant::now(),
            progress_token: parts.progress_token,
            outbound: None,
            scope: parts.scope,
            phase: Phase::default(),
            serial: AtomicU64::new(0),
            cancelled: Cancelled::default(),
            reported: Reported::default(),
            reference: OnceLock::new(),
            normalised: AtomicUsize::new(0),
            #[cfg(feature = "http")]
            held: OnceLock::new(),
        }
    }

    /// Counts the bytes that the client made it hold, until the call is
    /// dropped.
    #[cfg(feature = "http")]
    pub(crate) fn hold(&self, claim: Claim) {
        let _ = self.held.set(claim);
    }

    pub(crate) fn set_serial(&self, serial: u64) {
        self.serial.store(serial, Ordering::Relaxed);
    }

    pub(crate) fn serial(&self) -> Option<u64> {
        Some(self.serial.load(Ordering::Relaxed)).filter(|serial| *serial != 0)
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.set();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.is_set()
    }

    /// Whether the call has its answer, or gets none: nothing more is sent for
    /// it.
    pub(crate) fn has_ended(&self) -> bool {
        self.phase.has_ended()
    }

    /// Returns the number of bytes that the client made it hold: the texts, the
    /// headers and the progress token.
    pub(crate) fn size(&self) -> usize {
        let texts = self.text.size() + self.request.source.size();
        texts + self.progress_token.as_ref().map_or(0, RequestId::size)
    }

    /// Returns the names of the arguments, for the log.
    pub(crate) fn argument_names(&self) -> ArgumentNames<'_> {
        self.target
            .arguments
            .argument_names_under(self.text.arguments(), &self.target.acceptance)
    }

    /// Returns how many places of the arguments were rewritten before they were
    /// decoded.
    pub(crate) fn normalised(&self) -> usize {
        self.normalised.load(Ordering::Relaxed)
    }

    /// Returns the client's information about itself.
    pub(crate) fn client(&self) -> Option<&ClientInfo> {
        let read = || ClientInfo::from_json(self.text.client()?).map(Box::new);
        let client = self.client.as_deref();
        client.or_else(|| self.read_client.get_or_init(read).as_deref())
    }

    /// Returns the call's reference, which is made when it is first needed.
    pub(crate) fn reference(&self) -> Reference {
        *self.reference.get_or_init(Reference::new)
    }
}

impl Call {
    pub(super) fn new(context: Arc<CallContext>, permit: Option<RunPermit>) -> Self {
        Self(Box::new(Inner {
            _permit: permit,
            request: RequestInfo(context),
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

    /// Returns the name of the called primitive.
    #[must_use]
    pub fn name(&self) -> &str {
        self.info().name()
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
        &self.0.request
    }

    /// Returns when the call's message was read, on tokio's clock.
    #[must_use]
    pub fn received_at(&self) -> Instant {
        self.context().received_at
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
    /// still runs, even if its caller was answered long ago.
    pub fn keep<T: Send + 'static>(&mut self, guard: T) {
        self.0.guards.push(Box::new(guard));
    }

    /// Returns a value of the server's state.
    #[must_use]
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.context().home.states().get()
    }

    pub(crate) fn context(&self) -> &Arc<CallContext> {
        &self.0.request.0
    }

    /// Decodes the arguments, once.
    pub(crate) fn validate(&mut self) -> Result<(), Error> {
        if self.0.decoded.is_none() {
            let context = self.context();
            let target = &context.target;
            let accepted = (target.arguments)
                .accept(context.text.arguments(), &target.acceptance)
                .map_err(|violations| invalid(&violations))?;
            if accepted.normalised > 0 {
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

/// Dropping a span closes it, which runs the subscriber's code.
impl Drop for CallContext {
    fn drop(&mut self) {
        if let Some(scope) = self.scope.take() {
            let _ = discard(scope);
        }
    }
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
