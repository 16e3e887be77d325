//! The parts of a registered primitive that its calls use.

use std::future::ready;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::{
    AskCode, Call, CompletionRequest, Error, Failure, Middleware, NextFuture, Observer, Reply,
    ResourceUri, TaskTarget, Transport,
};
use crate::args::{Acceptance, CompiledArgs};
use crate::caller::Principal;
use crate::limits::Limits;
#[cfg(feature = "http")]
use crate::primitive::ParamHeader;
use crate::primitive::{CommonDefinition, Kind, PrimitiveInfo};
use crate::protocol::params::Params;
use crate::protocol::{Era, RpcError};
use crate::support::panics::{contain, discard_logged};

/// A registered primitive, as its calls see it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) info: PrimitiveInfo,
    pub(crate) kind: &'static KindRow,
    pub(crate) handler: Arc<dyn Handler>,
    /// Decides which callers may read which URIs, of resources.
    pub(crate) readable_by: Option<ReadableBy>,
    pub(crate) chains: Chains,
    pub(crate) arguments: Arc<CompiledArgs>,
    /// How arguments are treated that are not written as their schema
    /// describes.
    pub(crate) acceptance: Acceptance,
    /// The time limit of a call. The chain's `Timeout` has the same.
    pub(crate) timeout: Duration,
    /// The largest reply, in bytes.
    pub(crate) result_bytes: usize,
    pub(crate) observers: Box<[Arc<dyn Observer>]>,
    /// Asks the client, if the handler, or a middleware of its author, may ask it or
    /// send it log messages.
    pub(crate) ask_code: Option<&'static AskCode>,
    /// Whether its calls keep their permits where code that owns the `Call` cannot
    /// drop them.
    pub(crate) shares_permits: bool,
    /// How its calls become tasks, if they may.
    pub(crate) task: Option<Box<TaskTarget>>,
    /// Whether handlers run in a span of the log.
    pub(crate) has_span: bool,
    /// The arguments that a client repeats in headers.
    #[cfg(feature = "http")]
    pub(crate) param_headers: Arc<[ParamHeader]>,
}

/// A target that was removed is dropped with its last call, on whatever thread, and
/// its parts are a user's.
impl Drop for Target {
    fn drop(&mut self) {
        static NONE: LazyLock<Arc<dyn Handler>> = LazyLock::new(|| Arc::new(NoHandler));
        let handler = std::mem::replace(&mut self.handler, Arc::clone(&NONE));
        discard_logged(handler, "a handler");
        discard_logged(self.readable_by.take(), "`readable_by`");
        let Chains { local, network, .. } = &mut self.chains;
        for layers in [local, network].map(std::mem::take) {
            for layer in layers {
                discard_logged(layer, "a middleware");
            }
        }
        for observer in std::mem::take(&mut self.observers) {
            discard_logged(observer, "an observer");
        }
    }
}

/// Takes the place of a handler that is dropped, and of one where `Work` answers.
struct NoHandler;

impl Handler for NoHandler {
    fn run(&self, _: Call) -> NextFuture<'_> {
        Box::pin(ready(Err(Error::internal("the call has no handler"))))
    }
}

/// The author's decision about a caller and a URI.
pub(crate) type ReadableBy = Arc<dyn Fn(&Principal, &ResourceUri) -> bool + Send + Sync>;

impl Target {
    /// Whether its handler, or a middleware of its author, may ask the client.
    pub(crate) fn asks(&self) -> bool {
        self.ask_code.is_some()
    }

    /// Returns what requests call that [`Work`](super::Work) answers, and no handler.
    pub(crate) fn of_work(
        name: &'static str,
        kind: &'static KindRow,
        limits: &Limits,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let common = CommonDefinition::new(name.into(), "".into());
        Self {
            info: PrimitiveInfo::new(kind.kind, &common, Vec::new()),
            kind,
            handler: Arc::new(NoHandler),
            readable_by: None,
            chains: Chains::new(Box::default(), None),
            arguments: Arc::new(CompiledArgs::none()),
            acceptance: Acceptance::default(),
            timeout: limits.call_time.min(Limits::LONGEST_TIME),
            result_bytes: limits.result_bytes,
            observers: Box::new([observer]),
            ask_code: None,
            shares_permits: false,
            task: None,
            has_span: false,
            #[cfg(feature = "http")]
            param_headers: Arc::new([]),
        }
    }

    /// Whether the author allows the caller a URI. A decision that panics does not.
    pub(crate) fn allows(&self, principal: &Principal, uri: &ResourceUri) -> bool {
        let Some(allowed) = &self.readable_by else {
            return true;
        };
        contain(|| allowed(principal, uri)).unwrap_or_else(|panic| {
            tracing::error!(
                target: "mcp_kit::panic",
                kind = self.info.kind().as_str(),
                name = self.info.name(),
                error = panic.as_str(),
                "panic in `readable_by`"
            );
            false
        })
    }

    /// Whether other callers may see another list.
    pub(crate) fn differs_by_caller(&self) -> bool {
        self.readable_by.is_some() || self.info.scopes().next().is_some()
    }
}

/// The middlewares of a primitive's calls, outermost first. HTTP has a default
/// rate, and no other transport has one.
#[derive(Clone)]
pub(crate) struct Chains {
    pub(crate) local: Box<[Arc<dyn Middleware>]>,
    pub(crate) network: Box<[Arc<dyn Middleware>]>,
    /// The position of HTTP's default rate, if the primitive has no rate.
    unlimited_at: Option<usize>,
}

impl Chains {
    /// Creates both chains, without HTTP's default rate. `unlimited_at` is its
    /// position, unless the primitive has a rate.
    pub(crate) fn new(local: Box<[Arc<dyn Middleware>]>, unlimited_at: Option<usize>) -> Self {
        Self {
            network: local.clone(),
            local,
            unlimited_at,
        }
    }

    /// Returns the same chains with another default rate over HTTP.
    pub(crate) fn with_network_rate(&self, rate: Option<Arc<dyn Middleware>>) -> Self {
        let mut network = self.local.to_vec();
        if let (Some(at), Some(limit)) = (self.unlimited_at, rate) {
            network.insert(at, limit);
        }
        Self {
            network: network.into(),
            ..self.clone()
        }
    }

    pub(crate) fn of(&self, transport: Transport) -> &[Arc<dyn Middleware>] {
        match transport {
            Transport::Http => &self.network,
            _ => &self.local,
        }
    }
}

/// The innermost part of a chain.
pub(crate) trait Handler: Send + Sync + 'static {
    fn run(&self, call: Call) -> NextFuture<'_>;

    /// Whether it passes the call on to a user's code, which may drop it before it
    /// has ended.
    fn passes_call_on(&self) -> bool {
        false
    }
}

/// The differences between the kinds of primitives once a call has its reply.
pub(crate) struct KindRow {
    pub(crate) kind: Kind,
    /// Whether its arguments are texts on the wire, such as those of prompts.
    /// A text is then read as the number, boolean or enum that its schema
    /// describes, also under
    /// [`strict_arguments`](crate::server::ServerBuilder::strict_arguments).
    pub(crate) has_text_arguments: bool,
    /// Writes a reply as the members of a result object, without its braces.
    pub(crate) write: fn(&mut Vec<u8>, Era, &Reply),
    /// Returns what a client reads of a failure: a result that reports it, or a
    /// protocol error.
    pub(crate) failure: fn(Failure<'_>) -> Result<Reply, RpcError>,
    /// Returns what a client reads if nothing of the kind has this name or URI, or
    /// if the client may not see it.
    pub(crate) unknown: fn(Era, Kind, &str) -> RpcError,
    /// How its arguments are completed, if the kind has completion. A server without
    /// such a kind does not contain the code.
    pub(crate) completing: Option<&'static Completing>,
}

/// How the arguments of a kind of primitives are completed.
pub(crate) struct Completing {
    /// The row of the completions.
    pub(crate) row: &'static KindRow,
    /// Returns the handler for arguments, some of which have a function that suggests
    /// values, and the names of those that have suggestions.
    pub(crate) handler: MakeCompleter,
    /// Reads a request: what it completes, by kind and key, and with what.
    pub(crate) read: ReadCompletion,
}

type ReadCompletion = fn(&Params<'_>) -> Result<(Kind, String, CompletionRequest), RpcError>;

type MakeCompleter =
    fn(&CompiledArgs, Vec<(String, ErasedCompleter)>) -> (Arc<dyn Handler>, Vec<String>);

/// A function that suggests values.
pub(crate) type ErasedCompleter = Arc<dyn Fn(Call) -> NextFuture<'static> + Send + Sync>;
