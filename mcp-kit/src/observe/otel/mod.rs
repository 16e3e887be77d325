//! Traces over OTLP (HTTP with protobuf).
//!
//! If `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is
//! set, [`logging::init`](crate::logging::init), and with it
//! `mcp_kit::cli::run`, sends a trace of each call there. It requires no code.
//! A program that composes its own subscriber adds [`layer`].
//!
//! Each call is one span of kind `SERVER`, from when its message was read to
//! its end, after OpenTelemetry's conventions for MCP:
//!
//! | attribute | value |
//! |---|---|
//! | span name | `tools/call {tool}` |
//! | `mcp.method.name` | `tools/call` |
//! | `gen_ai.operation.name` | `execute_tool` |
//! | `gen_ai.tool.name` | the tool |
//! | `mcp.protocol.version` | such as `2025-11-25` |
//! | `mcp.session.id` | a digest of the session's id, if there is a session |
//! | `jsonrpc.request.id` | the request's id, its first 64 characters |
//! | `network.transport` | `pipe` over stdio, `tcp` over HTTP |
//! | `network.protocol.name`, `.version` | `http` and such as `1.1`, over HTTP |
//! | `error.type` | `tool_error`, for a result with `isError`; the span's status is then an error |
//! | `rpc.response.status_code` | for a call whose id was in flight already, `-32600` |
//! | `mcp_kit.outcome` | the log's word for how the call ended |
//! | `mcp_kit.logical_call` | the id that all rounds of a call have in common, if its handler can ask its client |
//! | `mcp_kit.reference` | the reference that the client received, if any |
//! | `tool`, `principal` | as the log has them |
//!
//! Spans that handlers open with [`tracing`], at level `INFO` and above, are
//! its children. Events are not sent: they are the log's, whose lines carry
//! `trace_id`. mcp-kit puts no argument, result or key into a span; what
//! `#[tracing::instrument]` records of your own functions is yours to watch.
//!
//! The parent is the trace context of the request's `_meta` (`traceparent`,
//! `tracestate`), else that of the HTTP headers; where both are there, the HTTP
//! one becomes a link. Malformed ones are passed over. So a client influences
//! what is sampled unless `OTEL_TRACES_SAMPLER` is one that ignores the parent.
//!
//! # Environment
//!
//! The endpoint, headers, timeout (`OTEL_EXPORTER_OTLP_…`, and
//! `OTEL_EXPORTER_OTLP_TRACES_…` before it), `OTEL_EXPORTER_OTLP_CERTIFICATE`
//! (a PEM file of the authorities to trust in place of the public ones),
//! `OTEL_SERVICE_NAME` (else the program's name), `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_SPAN_…`, and to turn it off
//! `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none`.
//!
//! # A collector that does not answer
//!
//! Spans wait in a queue of limited size (2,048, or `OTEL_BSP_MAX_QUEUE_SIZE`)
//! and are sent by a separate thread; those that find no room are dropped. The
//! log reports once that traces cannot be sent, and once that they can be sent
//! again. The end of the process waits for the last spans for at most 2 s.

mod client;
mod export;
mod layer;
mod parent;
mod span;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TraceId, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use layer::Spans;
pub(crate) use layer::is_sent;
#[cfg(feature = "http")]
pub(super) use parent::from_headers;
pub(super) use parent::from_meta;
pub(super) use span::CallSpan;

/// How long the end of the process waits for the last spans to be sent.
const LONGEST_FLUSH: Duration = Duration::from_secs(2);

/// Layers that send spans somewhere.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

/// Sends the spans that still wait when it is dropped, for at most 2 s. Keep
/// it until the process ends.
#[must_use = "keep it until the process ends: spans that still wait are lost otherwise"]
pub struct TraceGuard(SdkTracerProvider);

impl Drop for TraceGuard {
    fn drop(&mut self) {
        LAYERS.fetch_sub(1, Ordering::Relaxed);
        // The process does not wait for a collector that does not answer.
        let _ = self.0.shutdown_with_timeout(LONGEST_FLUSH);
    }
}

impl fmt::Debug for TraceGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceGuard").finish_non_exhaustive()
    }
}

/// Why traces cannot be sent: what is wrong with the environment's settings.
#[derive(Debug)]
pub struct TraceError(String);

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "traces cannot be sent: {}", self.0)
    }
}

impl std::error::Error for TraceError {}

/// Whether the environment names a collector, and does not turn traces off.
#[must_use]
pub fn is_configured() -> bool {
    export::is_configured()
}

/// Returns a layer for a subscriber of your own, configured by the environment
/// as the module documents; without an endpoint it sends to
/// `http://localhost:4318`.
///
/// The subscriber is best the process' own: calls run on many threads.
///
/// ```no_run
/// use tracing_subscriber::prelude::*;
///
/// let (traces, _guard) = mcp_kit::observe::otel::layer()?;
/// tracing_subscriber::registry().with(traces).init();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns the settings in the environment that cannot be used, each with the
/// fix.
pub fn layer<S>() -> Result<(impl Layer<S> + Send + Sync + 'static, TraceGuard), TraceError>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync + 'static,
{
    let provider = export::provider()?;
    let tracer = provider.tracer("mcp-kit");
    LAYERS.fetch_add(1, Ordering::Relaxed);
    Ok((Spans::new(tracer), TraceGuard(provider)))
}

/// Whether spans are sent anywhere.
pub(super) fn is_on() -> bool {
    LAYERS.load(Ordering::Relaxed) > 0
}

/// Returns the trace of the code that runs on this thread.
pub(crate) fn current_trace() -> Option<TraceId> {
    Context::map_current(|context| {
        context
            .has_active_span()
            .then(|| context.span().span_context().trace_id())
            .filter(|id| *id != TraceId::INVALID)
    })
}
