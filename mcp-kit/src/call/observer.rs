//! Observers: code that sees how each call ends.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::{CallContext, Error, Outcome, RequestInfo, Transport};
use crate::args::ArgumentNames;
use crate::caller::Principal;
use crate::primitive::Kind;
use crate::protocol::{Era, ErrorCode};
use crate::support::reference::Reference;

/// Sees the end of every call exactly once: of calls that were answered, refused,
/// denied, cancelled, timed out, panicked, or dropped with their connection.
///
/// The log, the metrics and the traces are observers; an audit can be one of
/// your own
/// ([`ServerBuilder::observer`](crate::server::ServerBuilder::observer)). A
/// middleware cannot do this: it does not see calls that are refused before it
/// runs, and a call that is cancelled drops its future.
///
/// A request that is refused before it is known to be a call is not a call: one with
/// an unknown name, and over HTTP one that fails authentication or arrives while the
/// server drains. The metrics count those of HTTP by their reason
/// (`mcp_http_requests_refused_total`).
///
/// The methods run on the server's tasks: they must not block. A panic in one is
/// contained and changes nothing about the call.
///
/// ```
/// use std::sync::mpsc::{Sender, channel};
///
/// use mcp_kit::Server;
/// use mcp_kit::call::{CallInfo, Ending, Observer};
///
/// struct Audit(Sender<String>);
///
/// impl Observer for Audit {
///     fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
///         let _ = self.0.send(format!(
///             "{} called {} {}: {}",
///             call.principal().name(),
///             call.kind().as_str(),
///             call.name(),
///             how.outcome().as_str(),
///         ));
///     }
/// }
///
/// let (entries, written_elsewhere) = channel();
/// let server = Server::builder("audited", "1.0.0").observer(Audit(entries)).build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Called when the call's chain starts to run. Not called for a call that
    /// ends before.
    fn started(&self, call: &CallInfo<'_>) {
        let _ = call;
    }

    /// Called when the call has ended.
    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>);
}

/// An observer's view of a call. It holds no argument's value.
#[derive(Clone, Copy)]
pub struct CallInfo<'a>(pub(super) &'a Arc<CallContext>);

impl CallInfo<'_> {
    /// Returns the kind of the called primitive.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.target.info.kind()
    }

    /// Returns the name of the primitive. It is one that the server registered,
    /// never a client's text.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.target.info.name()
    }

    /// Returns the caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// Returns the request that the call came with. Each call of this method copies
    /// it.
    #[must_use]
    pub fn request(&self) -> RequestInfo {
        RequestInfo::of(self.0)
    }

    /// Returns the era of the request's protocol version.
    #[must_use]
    pub fn era(&self) -> Era {
        self.0.request.version.era()
    }

    /// Returns how the request reached the server.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.0.request.transport
    }

    /// Returns the client's address over HTTP, if it is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.request.source.address
    }

    /// Returns the names of the arguments that the primitive knows, in the
    /// order in which they were sent. Each call parses the text of the
    /// arguments, so use it only if needed.
    #[must_use]
    pub fn argument_names(&self) -> Vec<&str> {
        self.names().known
    }

    /// Returns how many arguments the primitive does not know. Their names are
    /// the client's data.
    #[must_use]
    pub fn unknown_arguments(&self) -> usize {
        self.names().unknown
    }

    /// Returns how many places of the arguments were
    /// [normalised](crate::args#arguments-as-hosts-send-them).
    #[must_use]
    pub fn normalised(&self) -> usize {
        self.0.normalised()
    }

    /// Returns the id that all rounds of the call have in common, if its handler
    /// can ask its client ([`Client`](crate::extract::Client)). Each round is a
    /// call of its own, and those before the last end with
    /// [`Outcome::InputRequired`].
    #[must_use]
    pub fn logical_call(&self) -> Option<&str> {
        self.0.logical_call()
    }

    pub(crate) fn names(&self) -> ArgumentNames<'_> {
        self.0.argument_names()
    }
}

impl std::fmt::Debug for CallInfo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallInfo")
            .field("kind", &self.kind())
            .field("name", &self.name())
            .field("principal", &self.principal().name())
            .finish_non_exhaustive()
    }
}

/// How a call ended.
#[derive(Debug)]
pub struct Ending<'a> {
    pub(super) outcome: Outcome,
    pub(super) duration: Duration,
    pub(super) bytes: Option<usize>,
    pub(super) error: Option<&'a Error>,
    pub(super) reference: Option<Reference>,
    pub(super) has_begun: bool,
}

impl Ending<'_> {
    /// Returns the outcome in a word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the time since the message was read.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the bytes of the answer's JSON, with its envelope; `None` if
    /// there is no answer. An answer for which there is no room among the unread
    /// ones, or in its batch, is replaced by a short refusal after this.
    #[must_use]
    pub fn answer_bytes(&self) -> Option<usize> {
        self.bytes
    }

    /// Returns the error, with the sources that the client does not see.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error
    }

    /// Returns the reference that the client reads in place of an internal
    /// error or a panic.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        self.reference.map(|reference| reference.to_string())
    }

    /// Whether the chain had started.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }
}

/// The span of a trace, in which a call's chain runs.
pub(crate) trait CallScope: Send + Sync {
    fn span(&self) -> &Span;

    /// Records the id that all rounds of the call have in common.
    fn in_logical_call(&self, id: &str);

    /// Records that the call has ended.
    fn ended(&self, outcome: Outcome, reference: Option<Reference>);

    /// Records that the request was answered with a protocol error before it
    /// became a call.
    fn ended_with(&self, code: ErrorCode);
}
