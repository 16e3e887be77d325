//! A request's `_meta`: the members that the modern era puts on every request,
//! and the progress token of both eras.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Era, ErrorCode, LogLevel, ProtocolVersion, RequestId, RpcError};

/// The members of `_meta` that the server reads.
#[derive(Debug, Default)]
pub(crate) struct Meta<'a> {
    protocol_version: Option<&'a RawValue>,
    pub(crate) client_capabilities: Option<&'a RawValue>,
    /// The client's information about itself.
    pub(crate) client_info: Option<&'a RawValue>,
    progress_token: Option<&'a RawValue>,
    log_level: Option<&'a RawValue>,
    /// The trace of the request, in the format of W3C Trace Context.
    pub(crate) traceparent: Option<&'a RawValue>,
    pub(crate) tracestate: Option<&'a RawValue>,
    /// Whether there are members that the specification does not define.
    pub(crate) has_more: bool,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Member {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    ProtocolVersion,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    ClientCapabilities,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    ClientInfo,
    #[serde(rename = "progressToken")]
    ProgressToken,
    #[serde(rename = "io.modelcontextprotocol/logLevel")]
    LogLevel,
    #[serde(rename = "traceparent")]
    TraceParent,
    #[serde(rename = "tracestate")]
    TraceState,
    #[serde(rename = "baggage")]
    Baggage,
    #[serde(other)]
    Other,
}

/// Whether the specification defines this member of a request's `_meta`.
pub(crate) fn is_of_protocol(key: &str) -> bool {
    let member = Member::deserialize(BorrowedStrDeserializer::<serde::de::value::Error>::new(key));
    !matches!(member, Ok(Member::Other) | Err(_))
}

/// Accepts only objects: a derived implementation would also accept a list.
impl<'de: 'a, 'a> Deserialize<'de> for Meta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetaVisitor)
    }
}

struct MetaVisitor;

impl<'de> Visitor<'de> for MetaVisitor {
    type Value = Meta<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut meta = Meta::default();
        while let Some(member) = map.next_key()? {
            let place = match member {
                Member::ProtocolVersion => &mut meta.protocol_version,
                Member::ClientCapabilities => &mut meta.client_capabilities,
                Member::ClientInfo => &mut meta.client_info,
                Member::ProgressToken => &mut meta.progress_token,
                Member::LogLevel => &mut meta.log_level,
                Member::TraceParent => &mut meta.traceparent,
                Member::TraceState => &mut meta.tracestate,
                Member::Baggage | Member::Other => {
                    meta.has_more |= matches!(member, Member::Other);
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if place.is_some() {
                return Err(Error::custom("repeated member"));
            }
            *place = map.next_value()?;
        }
        Ok(meta)
    }
}

impl<'a> Meta<'a> {
    /// Reads a `_meta` value.
    pub(crate) fn of(meta: Option<&'a RawValue>) -> Result<Self, RpcError> {
        match meta {
            None => Ok(Self::default()),
            Some(meta) if meta.get() == "null" => Ok(Self::default()),
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
