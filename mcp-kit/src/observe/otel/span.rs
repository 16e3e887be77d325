//! The span of one call.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue, Value};
use tracing::Span;

use crate::call::{CallScope, Outcome, Transport};
use crate::observe::CallStart;
use crate::primitive::Kind;
use crate::protocol::{ErrorCode, RequestId};
use crate::support::reference::Reference;
use crate::support::text::excerpt;

/// A call's span. It ends with an outcome, at the latest when it is dropped.
pub(crate) struct CallSpan {
    span: Span,
    /// The span as OpenTelemetry represents it. It can end while tracing's is
    /// still alive in tasks that the handler left behind.
    context: Context,
    has_ended: AtomicBool,
}

impl CallSpan {
    /// `parent` is what the request's `_meta` names.
    pub(crate) fn begin(start: &CallStart<'_>, parent: Option<SpanContext>) -> Self {
        let &CallStart {
            method,
            info,
            origin,
            ..
        } = start;
        let (kind, name) = (info.kind(), info.name());
        let (parent, link) = match (parent, origin.parent.clone()) {
            (None, parent) => (parent, None),
            both => both,
        };
        let around = match parent {
            Some(parent) => Context::new().with_remote_span_context(parent),
            None => Context::new(),
        };
        let attached = around.attach();
        // In place of the log's own span, with the fields that its lines show.
        let span = tracing::info_span!(
            target: "mcp_kit::call",
            "call",
            kind = kind.as_str(),
            name,
            principal = start.principal,
            otel.name = format!("{method} {name}"),
            otel.kind = "server",
        );
        // The layer starts it when it is first entered.
        let context = span.in_scope(Context::current);
        drop(attached);
        let traced = context.span();
        if let Some(link) = link {
            traced.add_link(link, Vec::new());
        }
        let set = |key: &'static str, value: Value| {
            traced.set_attribute(KeyValue::new(key, value));
        };
        set("mcp.method.name", method.to_owned().into());
        if kind == Kind::Tool {
            set("gen_ai.operation.name", "execute_tool".into());
        }
        if let Some(attribute) = kind.trace_attribute() {
            set(attribute, name.to_owned().into());
        }
        set("jsonrpc.request.id", id_text(start.id).into());
        set("mcp.protocol.version", start.version.as_str().into());
        if let Some(session) = &origin.session {
            set("mcp.session.id", session.to_string().into());
        }
        match origin.transport {
            Transport::Stdio => set("network.transport", "pipe".into()),
            Transport::Http => set("network.transport", "tcp".into()),
            Transport::Streams | Transport::Code => {}
        }
        if let Some(version) = origin.http_version {
            set("network.protocol.name", "http".into());
            set("network.protocol.version", version.into());
        }
        Self {
            span,
            context,
            has_ended: AtomicBool::new(false),
        }
    }

    fn end_with(&self, outcome: Outcome, reference: Option<String>) {
        if self.has_ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let span = self.context.span();
        let set = |key: &'static str, value: Value| {
            span.set_attribute(KeyValue::new(key, value));
        };
        set("mcp_kit.outcome", outcome.as_str().into());
        if let Some(reference) = reference {
            set("mcp_kit.reference", reference.into());
        }
        if !matches!(
            outcome,
            Outcome::Ok | Outcome::InputRequired | Outcome::Cancelled
        ) {
            set("error.type", "tool_error".into());
            // Without a description: a message may repeat what the client sent.
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl CallScope for CallSpan {
    fn span(&self) -> &Span {
        &self.span
    }

    fn in_logical_call(&self, id: &str) {
        let attribute = KeyValue::new("mcp_kit.logical_call", id.to_owned());
        self.context.span().set_attribute(attribute);
    }

    fn ended(&self, outcome: Outcome, reference: Option<Reference>) {
        self.end_with(outcome, reference.map(|reference| reference.to_string()));
    }

    /// The client's error, which by the conventions is none of the server's.
    fn ended_with(&self, code: ErrorCode) {
        if !self.has_ended.swap(true, Ordering::Relaxed) {
            let span = self.context.span();
            let code = code.code().to_string();
            span.set_attribute(KeyValue::new("rpc.response.status_code", code));
            span.end();
        }
    }
}

/// Ends the span of a call that was dropped before its end was recorded.
impl Drop for CallSpan {
    fn drop(&mut self) {
        self.end_with(Outcome::Cancelled, None);
    }
}

fn id_text(id: &RequestId) -> String {
    match id {
        RequestId::Integer(number) => number.to_string(),
        RequestId::Unsigned(number) => number.to_string(),
        RequestId::String(text) => excerpt(text),
    }
}
