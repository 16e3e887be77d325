//! The trace of a call, for the rest of the crate. Without the feature `otel`,
//! and if spans are not sent, nothing happens.

use std::sync::Arc;

#[cfg(feature = "otel")]
use super::otel::{self, CallSpan};
use crate::call::{CallScope, Origin, Transport};
use crate::primitive::PrimitiveInfo;
use crate::protocol::meta::Meta;
use crate::protocol::{ProtocolVersion, RequestId};
#[cfg(feature = "otel")]
use crate::support::panics::contain;

impl Origin {
    /// Not over HTTP.
    pub(crate) fn of(transport: Transport) -> Self {
        Self {
            transport,
            #[cfg(feature = "otel")]
            http_version: None,
            #[cfg(feature = "otel")]
            session: None,
            #[cfg(feature = "otel")]
            parent: None,
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
                transport: Transport::Http,
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
        Self::of(Transport::Http)
    }

    /// Sets the session. `name` identifies it and is not a secret: a session's
    /// id opens it, a digest of the id does not.
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

/// The data of a call when its message has been read.
#[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "for traces"))]
pub(crate) struct CallStart<'a> {
    pub(crate) method: &'a str,
    pub(crate) info: &'a PrimitiveInfo,
    pub(crate) principal: &'a str,
    pub(crate) id: &'a RequestId,
    pub(crate) version: ProtocolVersion,
    pub(crate) origin: &'a Origin,
}

/// Begins the trace of a call whose message has been read.
pub(crate) fn begin(call: &CallStart<'_>, meta: &Meta<'_>) -> Option<Arc<dyn CallScope>> {
    #[cfg(feature = "otel")]
    if otel::is_on() {
        let parent = otel::from_meta(meta.traceparent, meta.tracestate);
        let span = contain(|| CallSpan::begin(call, parent)).ok()?;
        return Some(Arc::new(span));
    }
    let _ = (call, meta);
    None
}
