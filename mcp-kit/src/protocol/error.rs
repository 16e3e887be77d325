//! Protocol errors: the content of a JSON-RPC error answer. The failure of a
//! tool is not a protocol error; that is [`ToolError`](crate::ToolError).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Era;

/// A JSON-RPC error code that this crate emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ErrorCode {
    /// -32700: the message is not JSON.
    ParseError,
    /// -32600: the message is JSON but not a valid request.
    InvalidRequest,
    /// -32601: no such method, or a capability that the server does not offer.
    MethodNotFound,
    /// -32602: the method's parameters are wrong.
    InvalidParams,
    /// -32002: there is no such resource (before 2026-07-28).
    ResourceNotFound,
    /// -32603: the server failed.
    InternalError,
    /// -32020: a header that the transport requires is missing, or contradicts
    /// the message (2026-07-28, HTTP).
    #[cfg(feature = "http")]
    HeaderMismatch,
    /// -32021: the request needs a capability that its client has not declared
    /// (2026-07-28).
    MissingCapability,
    /// -32022: the request names a protocol version that the server does not
    /// speak (2026-07-28).
    UnsupportedVersion,
    /// -32042: the client's user must open a URL first (2025-11-25).
    UrlRequired,
}

impl ErrorCode {
    /// The number on the wire.
    pub(crate) const fn code(self) -> i32 {
        match self {
            Self::ParseError => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::ResourceNotFound => -32002,
            Self::InternalError => -32603,
            #[cfg(feature = "http")]
            Self::HeaderMismatch => -32020,
            Self::MissingCapability => -32021,
            Self::UnsupportedVersion => -32022,
            Self::UrlRequired => -32042,
        }
    }
}

/// A JSON-RPC error: code, message and optional data.
///
/// Its text is written by hand in this crate; nothing makes one from a source
/// error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
    pub(crate) data: Option<Value>,
}

impl RpcError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    #[cfg(feature = "http")]
    pub(crate) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }

    /// There is no primitive of this kind and name, or the caller may not see
    /// it.
    pub(crate) fn unknown(kind: &str, name: &str) -> Self {
        Self::invalid_params(format!(
            "Unknown {kind}: {}",
            crate::support::text::excerpt(name)
        ))
    }

    /// There is no resource with this URI, or the caller may not see it.
    pub(crate) fn unknown_resource(era: Era, uri: &str) -> Self {
        let code = match era {
            Era::Legacy => ErrorCode::ResourceNotFound,
            Era::Modern => ErrorCode::InvalidParams,
        };
        Self::new(code, "Resource not found").with_data(json!({"uri": uri}))
    }

    /// The request needs something that its client has not declared.
    pub(crate) fn missing_capability(
        required: Value,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let data = json!({"requiredCapabilities": required});
        Self::new(ErrorCode::MissingCapability, message).with_data(data)
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        Self::new(
            ErrorCode::MethodNotFound,
            format!(
                "Method not found: {}",
                crate::support::text::excerpt(method)
            ),
        )
    }
}
