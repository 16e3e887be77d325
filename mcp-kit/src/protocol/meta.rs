//! A request's `_meta`: the members that the modern era puts on every request,
//! and the progress token of both eras.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Era, ErrorCode, LogLevel, ProtocolVersion, RequestId, RpcError};

/// The members of `_meta` that the server reads.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion", default)]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities", default)]
    pub(crate) client_capabilities: Option<&'a RawValue>,
    /// The client's information about itself.
    #[serde(borrow, rename = "io.modelcontextprotocol/clientInfo", default)]
    pub(crate) client_info: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken", default)]
    progress_token: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel", default)]
    log_level: Option<&'a RawValue>,
    /// The trace of the request, in the format of W3C Trace Context.
    #[cfg(feature = "otel")]
    #[serde(borrow, default)]
    pub(crate) traceparent: Option<&'a RawValue>,
    #[cfg(feature = "otel")]
    #[serde(borrow, default)]
    pub(crate) tracestate: Option<&'a RawValue>,
}

impl<'a> Meta<'a> {
    /// Reads a `_meta` value.
    pub(crate) fn of(meta: Option<&'a RawValue>) -> Result<Self, RpcError> {
        match meta {
            None => Ok(Self::default()),
            Some(meta) if meta.get() == "null" => Ok(Self::default()),
            // serde would take a list for a struct, position by position.
            Some(meta) if !meta.get().starts_with('{') => Err(invalid_meta()),
            Some(meta) => serde_json::from_str(meta.get()).map_err(|_| invalid_meta()),
        }
    }

    /// Returns the era of the request by its metadata.
    pub(crate) fn era(&self) -> Era {
        if self.protocol_version.is_some() || self.client_capabilities.is_some() {
            Era::Modern
        } else {
            Era::Legacy
        }
    }

    /// Checks what the modern era requires of every request.
    pub(crate) fn check_modern(&self) -> Result<ProtocolVersion, RpcError> {
        modern_version(&self.check_members()?)
    }

    /// Checks that the members that the modern era requires are present.
    /// Returns the version's name, which may be unknown.
    pub(crate) fn check_members(&self) -> Result<Cow<'a, str>, RpcError> {
        let Some(version) = self.protocol_version else {
            return Err(missing("io.modelcontextprotocol/protocolVersion"));
        };
        let Some(name) = super::id::json_string(version.get()) else {
            return Err(RpcError::invalid_params(
                r#"Invalid params: "_meta"."io.modelcontextprotocol/protocolVersion" must be a string"#,
            ));
        };
        if self.log_level.is_some() && self.log_level().is_none() {
            return Err(RpcError::invalid_params(
                r#"Invalid params: "_meta"."io.modelcontextprotocol/logLevel" must be one of debug, info, notice, warning, error, critical, alert, emergency"#,
            ));
        }
        match self.client_capabilities {
            Some(capabilities) if capabilities.get().starts_with('{') => Ok(name),
            Some(_) => Err(RpcError::invalid_params(
                r#"Invalid params: "_meta"."io.modelcontextprotocol/clientCapabilities" must be an object"#,
            )),
            None => Err(missing("io.modelcontextprotocol/clientCapabilities")),
        }
    }

    /// Returns the level from which on the client requests log messages of the
    /// call, if any.
    pub(crate) fn log_level(&self) -> Option<LogLevel> {
        let name = super::id::json_string(self.log_level?.get())?;
        LogLevel::from_name(&name)
    }

    /// Returns the token under which the client requests progress, if any. It
    /// is part of every report, so none is sent under a large token.
    pub(crate) fn progress_token(&self) -> Option<RequestId> {
        const LONGEST: usize = 1024;
        self.progress_token
            .filter(|token| token.get().len() <= LONGEST)
            .and_then(|token| RequestId::from_json(token.get()))
    }
}

fn invalid_meta() -> RpcError {
    RpcError::invalid_params(
        r#"Invalid params: "_meta" must be an object without repeated members"#,
    )
}

fn missing(key: &str) -> RpcError {
    RpcError::invalid_params(format!(
        r#"Invalid params: "_meta"."{key}" is required on every request of 2026-07-28"#
    ))
}

/// Returns the version of the modern era that has this name.
pub(crate) fn modern_version(name: &str) -> Result<ProtocolVersion, RpcError> {
    ProtocolVersion::from_name(name)
        .filter(|version| version.era() == Era::Modern)
        .ok_or_else(|| unsupported_version(name))
}

fn unsupported_version(name: &str) -> RpcError {
    RpcError::new(
        ErrorCode::UnsupportedVersion,
        format!(
            "Unsupported protocol version: {}",
            crate::support::text::excerpt(name)
        ),
    )
    .with_data(serde_json::json!({
        "supported": [ProtocolVersion::V2026_07_28.as_str()],
        "requested": crate::support::text::excerpt(name),
    }))
}
