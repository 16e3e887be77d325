//! A call's trace, as the rest of the crate calls it: without the feature
//! `otel`, and where spans are sent nowhere, nothing happens.

#[cfg(feature = "otel")]
use std::sync::Arc;

#[cfg(feature = "otel")]
use opentelemetry::trace::SpanContext;

use tracing::Span;

use crate::call::CallOutcome;
use crate::call::{CallContext, ToolError};
#[cfg(feature = "otel")]
use crate::observe::otel;
#[cfg(feature = "otel")]
use crate::observe::otel::CallSpan;
use crate::protocol::meta::Meta;
use crate::protocol::{ErrorCode, ProtocolVersion, RequestId};
use crate::support::panics::contain;
#[cfg(feature = "otel")]
use crate::support::panics::contain_in;

/// How a request came, as its trace tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    #[cfg(feature = "otel")]
    pub(super) transport: Option<&'static str>,
    #[cfg(feature = "otel")]
    pub(super) http_version: Option<&'static str>,
    #[cfg(feature = "otel")]
    pub(super) session: Option<Arc<str>>,
    /// What the HTTP headers name.
    #[cfg(feature = "otel")]
    pub(super) parent: Option<SpanContext>,
}

impl Origin {
    /// Over stdin and stdout.
    #[cfg(feature = "stdio")]
    pub(crate) fn stdio() -> Self {
        #[cfg(feature = "otel")]
        return Self {
            transport: Some("pipe"),
            ..Self::default()
        };
        #[cfg(not(feature = "otel"))]
        Self::default()
    }

    /// In an HTTP request with these headers.
    #[cfg(feature = "http")]
    pub(crate) fn http(version: http::Version, headers: &http::HeaderMap) -> Self {
        #[cfg(feature = "otel")]
        if otel::is_on() {
            let values = |name: &str| {
                headers
                    .get_all(name)
                    .into_iter()
                    .map(|value| value.as_bytes())
            };
            return Self {
                transport: Some("tcp"),
                http_version: match version {
                    http::Version::HTTP_10 => Some("1.0"),
                    http::Version::HTTP_11 => Some("1.1"),
                    http::Version::HTTP_2 => Some("2"),
                    _ => None,
                },
                session: None,
                parent: otel::from_headers(values("traceparent"), values("tracestate")),
            };
        }
        let _ = (version, headers);
        Self::default()
    }

    /// Within a session. `name` stands for it and is no secret: a session's id
    /// opens it, a digest of the id does not.
    #[cfg(feature = "http")]
    pub(crate) fn in_session(self, name: impl FnOnce() -> std::sync::Arc<str>) -> Self {
        #[cfg(feature = "otel")]
        if otel::is_on() {
            return Self {
                session: Some(name()),
                ..self
            };
        }
        let _ = name;
        self
    }
}

/// What is known of a call when its message has been read.
pub(crate) struct CallStart<'a> {
    pub(crate) tool: &'a str,
    pub(crate) principal: &'a str,
    pub(crate) id: &'a RequestId,
    pub(crate) version: Option<ProtocolVersion>,
    pub(crate) origin: &'a Origin,
}

/// A call's span, if there is one. A subscriber's panics are contained.
#[derive(Default)]
pub(crate) struct CallTrace {
    #[cfg(feature = "otel")]
    span: Option<CallSpan>,
}

impl CallTrace {
    /// Begins the span of a call whose message has been read.
    pub(crate) fn begin(call: &CallStart<'_>, meta: &Meta<'_>) -> Self {
        #[cfg(feature = "otel")]
        if otel::is_on() {
            let parent = otel::from_meta(meta.traceparent, meta.tracestate);
            return Self {
                span: contain(|| CallSpan::begin(call, parent)).ok(),
            };
        }
        let CallStart {
            tool,
            principal,
            id,
            version,
            origin,
        } = call;
        let _ = (tool, principal, id, version, origin, meta);
        Self::default()
    }

    /// Whether there is a span. It has the fields of the log's own.
    pub(crate) fn has_span(&self) -> bool {
        #[cfg(feature = "otel")]
        return self.span.is_some();
        #[cfg(not(feature = "otel"))]
        false
    }

    /// The span, for what runs as part of the call; none without one.
    pub(crate) fn span(&self) -> Span {
        #[cfg(feature = "otel")]
        if let Some(span) = &self.span {
            return contain(|| span.span().clone()).unwrap_or_else(|_| Span::none());
        }
        Span::none()
    }

    /// Runs `run` as part of the call, and contains its panics.
    pub(crate) fn within<T>(&self, run: impl FnOnce() -> T) -> Result<T, ToolError> {
        #[cfg(feature = "otel")]
        if let Some(span) = &self.span {
            return contain_in(span.span(), run);
        }
        contain(run)
    }

    /// Ends the span of a call that was answered with a protocol error.
    pub(crate) fn end_with(&self, code: ErrorCode) {
        #[cfg(feature = "otel")]
        if let Some(span) = &self.span {
            let _ = contain(|| span.end_with_code(code));
        }
        #[cfg(not(feature = "otel"))]
        let _ = code;
    }

    /// Ends the span, unless it has ended already.
    pub(crate) fn end(&self, outcome: impl FnOnce() -> CallOutcome, context: &CallContext) {
        #[cfg(feature = "otel")]
        if let Some(span) = &self.span {
            let _ = contain(|| span.end(outcome(), context));
        }
        #[cfg(not(feature = "otel"))]
        let _ = (outcome, context);
    }
}

/// Dropping a span closes it, which the subscriber hears of.
#[cfg(feature = "otel")]
impl Drop for CallTrace {
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            let _ = crate::support::panics::discard(span);
        }
    }
}
