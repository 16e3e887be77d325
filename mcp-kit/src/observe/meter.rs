//! Counts events for the rest of the crate. Without the feature `metrics`, and
//! on a server without metrics, nothing happens.

use std::sync::Arc;

use crate::call::Observer;
#[cfg(feature = "metrics")]
use crate::observe::metrics::Metrics;
use crate::primitive::{Kind, PrimitiveInfo};

/// A server's metrics, if it has any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    #[cfg(feature = "metrics")]
    metrics: Option<Metrics>,
}

impl Meter {
    #[cfg(feature = "metrics")]
    pub(crate) fn of(metrics: Option<Metrics>) -> Self {
        Self { metrics }
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref()
    }

    /// Removes the series of primitives that the server no longer has.
    pub(crate) fn forget(&self, gone: impl Iterator<Item = (Kind, String)>) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.forget(gone);
        }
        #[cfg(not(feature = "metrics"))]
        drop(gone);
    }

    /// Returns the observer that counts the calls of a primitive, if the server
    /// has metrics.
    pub(crate) fn observer(&self, of: &PrimitiveInfo) -> Option<Arc<dyn Observer>> {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            return Some(metrics.series(of.kind(), of.name()));
        }
        let _ = of;
        None
    }
}

/// Why a request was refused at the HTTP edge, before there was a call.
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Refusal {
    /// 403: the `Origin` header names a page that may not call.
    Origin,
    /// 403 or 400: the `Host` header names another server.
    Host,
    /// 401: no credential, or one that is not valid.
    Unauthenticated,
    /// 403: the credential lacks a scope, or the session is another caller's.
    Forbidden,
    /// 503: the credential could not be checked.
    AuthUnavailable,
    /// 429: the address sends too much.
    RateAddress,
    /// 429: the caller sends too much.
    RatePrincipal,
    /// 503: the limits could not be checked.
    LimitsUnavailable,
    /// 413 and 431: the body or the headers are too large.
    TooLarge,
    /// 408: the headers or the body came too slowly.
    TooSlow,
    /// 400: the headers or the body violate the protocol.
    Malformed,
    /// 415 and 406: another content type than the protocol's.
    ContentType,
    /// 404: the session has ended or never was, or the path is unknown.
    NotFound,
    /// 405: the path does not take the method.
    Method,
    /// 503 or 429: no room for another session.
    Sessions,
    /// 503: no room for another connection or request. 429: nor for another
    /// subscription of the caller.
    Busy,
    /// 503: the server is shutting down.
    Draining,
}

#[cfg(all(feature = "http", feature = "metrics"))]
impl Refusal {
    /// Every reason, in the order of the enum.
    pub(crate) const ALL: [Self; 17] = [
        Self::Origin,
        Self::Host,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::AuthUnavailable,
        Self::RateAddress,
        Self::RatePrincipal,
        Self::LimitsUnavailable,
        Self::TooLarge,
        Self::TooSlow,
        Self::Malformed,
        Self::ContentType,
        Self::NotFound,
        Self::Method,
        Self::Sessions,
        Self::Busy,
        Self::Draining,
    ];
}

#[cfg(feature = "http")]
impl Refusal {
    /// Its word in the log, and the metric's label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Host => "host",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::AuthUnavailable => "auth_unavailable",
            Self::RateAddress => "rate_address",
            Self::RatePrincipal => "rate_principal",
            Self::LimitsUnavailable => "limits_unavailable",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Malformed => "malformed",
            Self::ContentType => "content_type",
            Self::NotFound => "not_found",
            Self::Method => "method",
            Self::Sessions => "sessions",
            Self::Busy => "busy",
            Self::Draining => "draining",
        }
    }
}

/// A session that is counted as open until this is dropped.
#[cfg(feature = "http")]
#[derive(Debug, Default)]
#[must_use = "the session counts as closed once this is dropped"]
pub(crate) struct OpenSession {
    #[cfg(feature = "metrics")]
    metrics: Option<Metrics>,
}

#[cfg(feature = "http")]
impl Meter {
    /// Counts a request that was refused at the edge.
    pub(crate) fn refused(&self, reason: Refusal) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.refused(reason);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = reason;
    }

    /// Counts a session for as long as the result is kept.
    pub(crate) fn open_session(&self) -> OpenSession {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.session_opened();
        }
        OpenSession {
            #[cfg(feature = "metrics")]
            metrics: self.metrics.clone(),
        }
    }
}

#[cfg(all(feature = "http", feature = "metrics"))]
impl Drop for OpenSession {
    fn drop(&mut self) {
        if let Some(metrics) = &self.metrics {
            metrics.session_closed();
        }
    }
}
