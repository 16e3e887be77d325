//! A call's trace, as the rest of the crate calls it: without the feature
//! `otel`, and where spans are sent nowhere, nothing happens.

#[cfg(feature = "otel")]
use std::sync::Arc;

#[cfg(feature = "otel")]
use opentelemetry::trace::SpanContext;

#[cfg(feature = "otel")]
use super::otel::{self, CallSpan, CallStart};
use crate::middleware::CallOutcome;
#[cfg(feature = "otel")]
use crate::protocol::ProtocolVersion;
use crate::protocol::meta::Meta;
use crate::protocol::{Era, RequestId};
use crate::server::Session;
use crate::tool::CallContext;

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
        Self {
            #[cfg(feature = "otel")]
            transport: Some("pipe"),
            ..Self::default()
        }
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
    pub(crate) fn in_session(self, name: &std::sync::Arc<str>) -> Self {
        let _ = name;
        Self {
            #[cfg(feature = "otel")]
            session: Some(Arc::clone(name)),
            ..self
        }
    }
}

/// A call's span, if there is one.
#[derive(Default)]
pub(crate) struct CallTrace {
    #[cfg(feature = "otel")]
    span: Option<CallSpan>,
}

/// The time in which a thread works for a call.
pub(crate) struct InCall<'a> {
    #[cfg(feature = "otel")]
    _entered: Option<tracing::span::Entered<'a>>,
    #[cfg(not(feature = "otel"))]
    _trace: std::marker::PhantomData<&'a CallTrace>,
}

impl CallTrace {
    /// Begins the span of a call whose message has been read.
    pub(crate) fn begin(
        era: Era,
        session: &Session,
        id: &RequestId,
        meta: &Meta<'_>,
        tool: &str,
    ) -> Self {
        #[cfg(feature = "otel")]
        if otel::is_on() {
            let version = match era {
                Era::Modern => Some(ProtocolVersion::V2026_07_28),
                Era::Legacy => session.version,
            };
            return Self {
                span: Some(CallSpan::begin(CallStart {
                    tool,
                    principal: session.principal.name(),
                    id,
                    version: version.map(ProtocolVersion::as_str),
                    origin: &session.origin,
                    parent: otel::from_meta(meta.traceparent, meta.tracestate),
                })),
            };
        }
        let _ = (era, session, id, meta, tool);
        Self::default()
    }

    /// Whether there is a span. It has the fields of the log's own.
    pub(crate) fn has_span(&self) -> bool {
        #[cfg(feature = "otel")]
        return self.span.is_some();
        #[cfg(not(feature = "otel"))]
        false
    }

    /// What this thread does until the result is dropped belongs to the call.
    pub(crate) fn enter(&self) -> InCall<'_> {
        InCall {
            #[cfg(feature = "otel")]
            _entered: self.span.as_ref().map(CallSpan::enter),
            #[cfg(not(feature = "otel"))]
            _trace: std::marker::PhantomData,
        }
    }

    /// Ends the span, unless it has ended already.
    pub(crate) fn end(&self, outcome: impl FnOnce() -> CallOutcome, context: &CallContext) {
        #[cfg(feature = "otel")]
        if let Some(span) = &self.span {
            span.end(outcome(), context);
        }
        #[cfg(not(feature = "otel"))]
        let _ = (outcome, context);
    }
}
