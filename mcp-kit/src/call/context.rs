//! The state of a call that its connection, its observers and its handler share.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::time::Instant;

use super::deadline::Deadline;
use super::lent::LendablePermits;
use super::phase::Phase;
use super::{
    Around, Ask, BecomesTask, CallCancelled, CallScope, CallText, OpenQuestions, Questions,
    RequestSource, ResourceUri, RoundSettings, SentCall, ServerKeys, StateMap, Subject, Target,
    Transport, Work,
};
use crate::args::ArgumentNames;
use crate::caller::Principal;
use crate::content::ResultMeta;
#[cfg(feature = "http")]
use crate::limits::Claim;
use crate::protocol::{
    ClientCapabilities, ClientDetails, Era, ErrorCode, LogLevel, ProtocolVersion, RequestId,
    RpcError, declares_extension,
};
use crate::support::lock::Lock;
use crate::support::panics::discard;
use crate::support::reference::Reference;

/// The parts of the server that a call uses.
pub(crate) trait Home: Any + Send + Sync {
    fn states(&self) -> &StateMap;

    /// Returns the keys for what clients carry between requests.
    fn keys(&self) -> &ServerKeys;

    /// Returns the settings of calls that ask their client.
    fn rounds(&self) -> &RoundSettings;

    /// Returns the questions to clients of the legacy era.
    fn questions(&self) -> &OpenQuestions;

    fn is_draining(&self) -> bool;

    /// Returns once the server drains.
    fn drain_started(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Ends a result object: the members that every result of its era has, its
    /// own `_meta`, and the closing brace.
    fn end_result(&self, out: &mut Vec<u8>, era: Era, meta: Option<&ResultMeta>);

    /// Returns the identifier of the extension that sends this notification.
    fn sender_of(&self, notification: &str) -> Option<&str>;

    /// Ends a result object of the modern era that is not complete: it has questions,
    /// or is a new task.
    fn end_result_as(&self, out: &mut Vec<u8>, result_type: &'static str);
}

/// The state of a call that the connection, the observers and the handler
/// share.
pub(crate) struct CallContext {
    pub(crate) target: Arc<Target>,
    pub(crate) home: Arc<dyn Home>,
    pub(crate) principal: Principal,
    pub(crate) deadline: Deadline,
    pub(crate) progress_token: Option<RequestId>,
    pub(crate) outbound: Option<Arc<dyn Outbound>>,
    /// The level from which on the client receives log messages.
    pub(crate) log_level: Option<LogLevel>,
    /// The way by which questions reach the client, in the legacy era and in
    /// tasks.
    pub(crate) ask: Option<Arc<dyn Ask>>,
    /// The task that the call may become, or is.
    pub(crate) task: Option<Arc<dyn BecomesTask>>,
    /// What answers the request in place of the target's chain.
    pub(super) work: Option<Box<dyn Work>>,
    /// What the answer passes before it leaves.
    pub(super) around: Option<Box<dyn Around>>,
    pub(super) scope: Option<Arc<dyn CallScope>>,
    pub(crate) request: CallRequest,
    /// What it is about, beside its target.
    pub(crate) subject: Option<Box<Subject>>,
    pub(super) text: CallText,
    /// What the client has sent in `initialize`, or its information about itself
    /// if that is long.
    pub(super) client: Option<Arc<ClientDetails>>,
    pub(crate) cancelled: CallCancelled,
    /// Of every `Progress` of the call together.
    pub(crate) reported: Reported,
    pub(super) phase: Phase,
    /// The permits of a call that may ask its client, once it runs.
    pub(super) permits: OnceLock<Box<LendablePermits>>,
    /// The number by which its connection knows it among all of its calls; 0
    /// until it has one.
    serial: AtomicU64,
    reference: OnceLock<Reference>,
    /// The questions of the handler, once it has taken a `Client`.
    pub(super) rounds: OnceLock<Arc<dyn Questions>>,
    /// The code of the protocol error that the client has received, if the status
    /// of an HTTP response depends on it.
    pub(crate) protocol_error: Lock<Option<ErrorCode>>,
    /// How many places of the arguments were rewritten before they were decoded.
    pub(super) normalised: AtomicUsize,
    /// The bytes that the arguments count for, until the call drops them.
    #[cfg(feature = "http")]
    held: OnceLock<Claim>,
}

/// The request that a call came with.
#[derive(Clone)]
pub(crate) struct CallRequest {
    pub(crate) id: RequestId,
    pub(crate) version: ProtocolVersion,
    pub(crate) transport: Transport,
    pub(crate) source: RequestSource,
    /// Whether its result may ask the client to answer questions and to call
    /// again.
    pub(crate) may_ask: bool,
}

/// The destination of a call's notifications.
pub(crate) trait Outbound: Send + Sync {
    /// Sends a call's notification, or drops it if the client does not read, or
    /// if the call has been answered.
    fn notify(&self, call: &CallContext, method: &str, params: &Value);

    /// Sends a message that is not dropped later. Returns false if it is not sent,
    /// because the client does not read, or nothing can be sent any more.
    fn send(&self, json: &[u8]) -> bool;
}

/// The parts of a new [`CallContext`].
pub(crate) struct CallParts<'a> {
    pub(crate) target: Arc<Target>,
    pub(crate) home: Arc<dyn Home>,
    pub(crate) request: CallRequest,
    /// When its message was read.
    pub(crate) received_at: Instant,
    pub(crate) text: CallText,
    pub(crate) client: Option<&'a Arc<ClientDetails>>,
    pub(crate) principal: Principal,
    pub(crate) progress_token: Option<RequestId>,
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) scope: Option<Arc<dyn CallScope>>,
    pub(crate) subject: Option<Box<Subject>>,
}

impl CallContext {
    #[inline]
    pub(crate) fn new(parts: CallParts<'_>) -> Self {
        Self {
            deadline: Deadline::new(parts.received_at, parts.target.timeout),
            target: parts.target,
            home: parts.home,
            request: parts.request,
            subject: parts.subject,
            text: parts.text,
            client: parts.client.cloned(),
            principal: parts.principal,
            progress_token: parts.progress_token,
            outbound: None,
            log_level: parts.log_level,
            ask: None,
            rounds: OnceLock::new(),
            task: None,
            work: None,
            around: None,
            protocol_error: Lock::default(),
            scope: parts.scope,
            phase: Phase::default(),
            permits: OnceLock::new(),
            serial: AtomicU64::new(0),
            cancelled: CallCancelled::default(),
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

    pub(crate) fn received_at(&self) -> Instant {
        self.deadline.began()
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
        let subject = self.subject.as_ref().map_or(0, |subject| subject.size());
        let work = self.work.as_ref().map_or(0, |work| work.size());
        let sent = self.sent().map_or(0, SentCall::size);
        texts + subject + work + sent + self.progress_token.as_ref().map_or(0, RequestId::size)
    }

    /// Returns the URI that is read.
    pub(crate) fn uri(&self) -> Option<&ResourceUri> {
        match self.subject.as_deref()? {
            Subject::Read(uri) => Some(uri),
            Subject::List(_) | Subject::Complete(_) => None,
        }
    }

    /// Returns the name or URI under which the client called.
    pub(crate) fn key(&self) -> &str {
        let uri = self.uri().map(ResourceUri::as_str);
        uri.unwrap_or_else(|| self.target.info.name())
    }

    /// Returns what the client reads if it may not see what it called.
    pub(crate) fn unknown(&self) -> RpcError {
        let kind = self.target.info.kind();
        (self.target.kind.unknown)(self.request.version.era(), kind, self.key())
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

    /// Returns the arguments as the client has sent them.
    pub(super) fn arguments_text(&self) -> &str {
        self.text.arguments().unwrap_or("{}")
    }

    /// Returns the client's answers to the questions of an earlier round, as JSON.
    pub(super) fn input_responses(&self) -> Option<&str> {
        self.text.input_responses()
    }

    /// Returns the state of the earlier rounds, as JSON.
    pub(super) fn request_state(&self) -> Option<&str> {
        self.text.request_state()
    }

    /// Returns the id that all rounds of the call have in common, if its handler
    /// can ask.
    pub(crate) fn logical_call(&self) -> Option<&str> {
        self.rounds.get()?.logical_call()
    }

    /// Returns what the client has declared: with this request in the modern era,
    /// in `initialize` before that.
    pub(crate) fn client_capabilities(&self) -> ClientCapabilities {
        match self.request.version.era() {
            Era::Modern => (self.text.capabilities())
                .map_or_else(ClientCapabilities::default, ClientCapabilities::from_json),
            Era::Legacy => (self.client.as_ref())
                .map_or_else(ClientCapabilities::default, |client| client.capabilities),
        }
    }

    /// Whether the client has declared an extension of the server: with this
    /// request in the modern era, in `initialize` before that.
    pub(crate) fn declares_extension(&self, identifier: &str) -> bool {
        match self.request.version.era() {
            Era::Modern => (self.text.capabilities())
                .is_some_and(|declared| declares_extension(declared, identifier)),
            Era::Legacy => (self.client.as_ref())
                .is_some_and(|client| client.extensions.iter().any(|of| **of == *identifier)),
        }
    }

    /// Returns the call's reference, which is made when it is first needed.
    pub(crate) fn reference(&self) -> Reference {
        *self.reference.get_or_init(Reference::new)
    }
}

/// Dropping a span closes it, which runs the subscriber's code.
impl Drop for CallContext {
    fn drop(&mut self) {
        if let Some(scope) = self.scope.take() {
            let _ = discard(scope);
        }
    }
}

/// The last report. Every later one must be larger, even if a call has several
/// [`Progress`].
pub(crate) struct Reported(Lock<f64>);

impl Default for Reported {
    fn default() -> Self {
        Self(Lock::new(f64::NEG_INFINITY))
    }
}

impl Reported {
    /// Runs `send` if `progress` may follow the last report. The lock is held
    /// meanwhile, so that two reports cannot overtake each other.
    pub(crate) fn advance(&self, progress: f64, send: impl FnOnce()) {
        let mut last = self.0.lock();
        if progress.is_finite() && progress > *last {
            *last = progress;
            send();
        }
    }
}
