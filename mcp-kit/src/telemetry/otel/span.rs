//! The span of one call.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, Key, Value};
use tracing::Span;
use tracing::span::Entered;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::middleware::CallOutcome;
use crate::protocol::RequestId;
use crate::telemetry::Origin;
use crate::text::excerpt;
use crate::tool::{CallContext, ErrorKind};

/// What is known of a call when its message has been read.
pub(crate) struct CallStart<'a> {
    pub(crate) tool: &'a str,
    pub(crate) principal: &'a str,
    pub(crate) id: &'a RequestId,
    pub(crate) version: Option<&'static str>,
    pub(crate) origin: &'a Origin,
    /// What the request's `_meta` names.
    pub(crate) parent: Option<SpanContext>,
}

/// A call's span. It ends with an outcome, at the latest when it is dropped.
pub(crate) struct CallSpan {
    span: Span,
    has_ended: AtomicBool,
}

impl CallSpan {
    pub(crate) fn begin(start: CallStart<'_>) -> Self {
        let CallStart { tool, origin, .. } = start;
        // The log's own span, with the fields that its lines show.
        let span = tracing::info_span!(
            target: "mcp_kit::call",
            parent: None,
            "call",
            tool,
            principal = start.principal,
            otel.name = format!("tools/call {tool}"),
            otel.kind = "server",
        );
        let header = origin.parent.clone();
        let (parent, link) = match (start.parent, header) {
            (Some(parent), link) => (Some(parent), link),
            (None, parent) => (parent, None),
        };
        if let Some(parent) = parent {
            // It fails where no layer sees the span; there is no parent then.
            let _ = span.set_parent(Context::new().with_remote_span_context(parent));
        }
        if let Some(link) = link {
            span.add_link(link);
        }
        let set = |key: &'static str, value: Value| {
            span.set_attribute(Key::from_static_str(key), value);
        };
        set("mcp.method.name", "tools/call".into());
        set("gen_ai.operation.name", "execute_tool".into());
        set("gen_ai.tool.name", tool.to_owned().into());
        set("jsonrpc.request.id", id_text(start.id).into());
        if let Some(version) = start.version {
            set("mcp.protocol.version", version.into());
        }
        if let Some(session) = &origin.session {
            set("mcp.session.id", session.to_string().into());
        }
        if let Some(transport) = origin.transport {
            set("network.transport", transport.into());
        }
        if let Some(version) = origin.http_version {
            set("network.protocol.name", "http".into());
            set("network.protocol.version", version.into());
        }
        Self {
            span,
            has_ended: AtomicBool::new(false),
        }
    }

    /// What this thread does until the result is dropped belongs to the call.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// Ends the span, unless it has ended already.
    pub(crate) fn end(&self, outcome: CallOutcome, context: &CallContext) {
        if self.has_ended.load(Ordering::Relaxed) {
            return;
        }
        let has_reference = matches!(
            outcome,
            CallOutcome::Failed(ErrorKind::Internal | ErrorKind::Panic)
        );
        let reference = has_reference.then(|| context.reference().to_string());
        self.end_with(outcome, reference);
    }

    fn end_with(&self, outcome: CallOutcome, reference: Option<String>) {
        if self.has_ended.swap(true, Ordering::Relaxed) {
            return;
        }
        // The span itself and not tracing's, which lives on in tasks that the
        // handler left behind.
        let context = self.span.context();
        let span = context.span();
        let set = |key: &'static str, value: Value| {
            span.set_attribute(opentelemetry::KeyValue::new(key, value));
        };
        set("mcp_kit.outcome", outcome.as_str().into());
        if let Some(reference) = reference {
            set("mcp_kit.reference", reference.into());
        }
        if !matches!(outcome, CallOutcome::Ok | CallOutcome::Cancelled) {
            set("error.type", "tool_error".into());
            // Without a description: a message may repeat what the client sent.
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// A call that waited for its turn, and for which nobody waits any more.
impl Drop for CallSpan {
    fn drop(&mut self) {
        self.end_with(CallOutcome::Cancelled, None);
    }
}

fn id_text(id: &RequestId) -> String {
    match id {
        RequestId::Integer(number) => number.to_string(),
        RequestId::Unsigned(number) => number.to_string(),
        RequestId::String(text) => excerpt(text),
    }
}
