//! Refusals: an HTTP status with a JSON-RPC error as the body, in place of the
//! requested answer.

use std::borrow::Cow;

use http::header::{ALLOW, CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::limits::Refused;
pub(crate) use crate::observe::Refusal as Reason;
use crate::protocol::{ErrorCode, ProtocolVersion, RequestId, RpcError, encode};
use crate::transport::http::message::body::{HttpBody, json_response};

/// The refusal of a request.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    /// For metrics and the log; `None` if the refusal is itself the answer.
    reason: Option<Reason>,
    error: RpcError,
    id: Option<RequestId>,
    retry_after: Option<u64>,
    challenges: Vec<HeaderValue>,
    allow: Option<&'static str>,
    closes: bool,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let code = match status {
            StatusCode::INTERNAL_SERVER_ERROR | StatusCode::SERVICE_UNAVAILABLE => {
                ErrorCode::InternalError
            }
            _ => ErrorCode::InvalidRequest,
        };
        Self::of(status, Some(reason), RpcError::new(code, message))
    }

    pub(crate) fn of(status: StatusCode, reason: Option<Reason>, error: RpcError) -> Self {
        Self(Box::new(Inner {
            status,
            reason,
            error,
            id: None,
            retry_after: None,
            challenges: Vec::new(),
            allow: None,
            closes: false,
        }))
    }

    /// Refuses a message whose headers or metadata are wrong.
    pub(crate) fn bad_request(error: RpcError) -> Self {
        Self::of(StatusCode::BAD_REQUEST, Some(Reason::Malformed), error)
    }

    /// Refuses an HTTP method that the endpoint does not support.
    pub(crate) fn method(allow: &'static str) -> Self {
        let mut refusal = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Reason::Method,
            format!("Method not allowed: this endpoint takes {allow}"),
        );
        refusal.0.allow = Some(allow);
        refusal
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Reason::NotFound, message)
    }

    /// Sets the id of the refused request.
    pub(crate) fn with_id(mut self, id: Option<&RequestId>) -> Self {
        self.0.id = id.cloned();
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// Adds challenges, which state how the client can authenticate.
    pub(crate) fn challenges(mut self, challenges: Vec<HeaderValue>) -> Self {
        self.0.challenges = challenges;
        self
    }

    /// Replaces the metadata URL `from` in the challenges with `to`.
    #[cfg(feature = "sse")]
    pub(crate) fn with_metadata(mut self, from: &str, to: &str) -> Self {
        let (from, to) = (format!("\"{from}\""), format!("\"{to}\""));
        for challenge in &mut self.0.challenges {
            let text = challenge.to_str().unwrap_or_default();
            if let Ok(moved) = HeaderValue::try_from(text.replace(&from, &to)) {
                *challenge = moved;
            }
        }
        self
    }

    /// Ends the connection: what the client continues to send is not read.
    pub(crate) fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        self.0.reason
    }

    /// Returns the error alone, if the response is another's. `version` is what
    /// the client speaks.
    pub(crate) fn into_json(self, version: ProtocolVersion) -> Vec<u8> {
        let Inner { id, error, .. } = *self.0;
        let mut json = Vec::new();
        encode::error(&mut json, id.as_ref().ok_or(version), &error);
        json
    }

    /// Returns the response to a client that speaks `version`.
    pub(crate) fn into_response(self, version: ProtocolVersion) -> Response<HttpBody> {
        let refusal = *self.0;
        let mut json = Vec::new();
        encode::error(
            &mut json,
            refusal.id.as_ref().ok_or(version),
            &refusal.error,
        );
        let mut response = json_response(refusal.status, json);
        let headers = response.headers_mut();
        if let Some(seconds) = refusal.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        for challenge in refusal.challenges {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        if let Some(allow) = refusal.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if refusal.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Refuses a request because the limit on open requests is reached.
pub(crate) fn busy() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Reason::Busy,
        "The server is busy. Try again in a few seconds.",
    )
    .retry_after(1)
}

/// Refuses a request because a rate is used up.
pub(crate) fn limited(refused: Refused, reason: Reason, whose: &str) -> Refusal {
    let seconds = refused.retry_after_seconds();
    let refusal = if refused.is_unavailable() {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Reason::LimitsUnavailable,
            "Limits cannot be checked at the moment. Try again in a few seconds.",
        )
    } else {
        let plural = if seconds == 1 { "" } else { "s" };
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            reason,
            format!("Too many requests of {whose}. Try again in {seconds} second{plural}."),
        )
    };
    refusal.retry_after(seconds)
}
