//! The headers of the protocol: the forms of an answer that a client accepts,
//! and the parts of its message that a modern client repeats.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::protocol::{ErrorCode, ProtocolVersion, RpcError};
use crate::transport::http::message::refusal::{Reason, Refusal};

pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(crate) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
pub(crate) const NAME: HeaderName = HeaderName::from_static("mcp-name");
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The forms of an answer that a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepts {
    pub(crate) json: bool,
    pub(crate) events: bool,
}

impl Accepts {
    /// Reads `Accept`. A client that does not send it is taken to accept what
    /// the specification requires of all clients.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut accepts = Self {
            json: false,
            events: false,
        };
        let mut says = false;
        for value in headers.get_all(ACCEPT) {
            says = true;
            // The value that the specification requires of clients.
            if value == "application/json, text/event-stream" {
                (accepts.json, accepts.events) = (true, true);
                continue;
            }
            let text = value.to_str().unwrap_or_default();
            for part in text.split(',') {
                let mut words = part.split(';').map(str::trim);
                let kind = words.next().unwrap_or_default();
                if words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")) {
                    continue;
                }
                let is = |name: &str| kind.eq_ignore_ascii_case(name);
                accepts.json |= is("application/json") || is("application/*") || is("*/*");
                accepts.events |= is("text/event-stream") || is("text/*") || is("*/*");
            }
        }
        if says {
            accepts
        } else {
            Self {
                json: true,
                events: true,
            }
        }
    }

    /// Prefers JSON, for answers that are JSON whenever the client accepts it.
    pub(crate) fn preferring_json(self) -> Self {
        Self {
            events: self.events && !self.json,
            ..self
        }
    }
}

/// Whether `Content-Type` declares the body as JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    if value == "application/json" {
        return true;
    }
    let Ok(text) = value.to_str() else {
        return false;
    };
    let mut parts = text.split(';');
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    // JSON is UTF-8 (RFC 8259, section 8.1); a charset may only confirm it.
    is_json
        && parts.all(|parameter| match parameter.trim().split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                let value = value.trim_matches('"');
                value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8")
            }
            _ => true,
        })
}

/// The coding that the body was compressed with, if it was.
pub(crate) fn compression(headers: &HeaderMap) -> Option<&HeaderValue> {
    (headers.get_all(CONTENT_ENCODING).iter())
        .find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Returns a header of the protocol that may appear once.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(mismatch(format!(
            "Header mismatch: {} is given more than once",
            shown(name)
        )));
    }
    match first.map(HeaderValue::to_str) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.trim_ascii())),
        Some(Err(_)) => Err(mismatch(format!(
            "Header mismatch: {} contains non-ASCII characters; encode the value as =?base64?…?=",
            shown(name)
        ))),
    }
}

/// Returns the version that a client speaks by its headers, for a request that
/// was not read. Without a header it is 2025-03-26, as the specification
/// requires; an unknown version is treated as a later one.
pub(crate) fn spoken(headers: &HeaderMap) -> ProtocolVersion {
    let Some(name) = headers.get(PROTOCOL_VERSION) else {
        return ProtocolVersion::V2025_03_26;
    };
    let name = name.to_str().unwrap_or_default().trim();
    ProtocolVersion::from_name(name).unwrap_or(ProtocolVersion::NEWEST)
}

/// Checks that a header agrees with the message.
pub(crate) fn must_equal(
    headers: &HeaderMap,
    name: &HeaderName,
    expected: &str,
    member: &str,
) -> Result<(), Refusal> {
    let Some(given) = single(headers, name)? else {
        return Err(mismatch(format!(
            "Header mismatch: {} is missing; it must be the message's {member}",
            shown(name)
        )));
    };
    // Only a name can need an encoding. Proxies route by the other headers as
    // they are, so another form of them must not get past a proxy.
    let given = match *name == NAME {
        true => decoded(given),
        false => Some(given.into()),
    };
    match given {
        Some(given) if given == expected => Ok(()),
        _ => Err(mismatch(format!(
            "Header mismatch: {} does not match the message's {member}",
            shown(name)
        ))),
    }
}

/// Checks that the header names the message's version. The refusal of a version
/// that the server does not speak lists those that it speaks.
pub(crate) fn must_equal_version(headers: &HeaderMap, expected: &str) -> Result<(), Refusal> {
    must_equal(headers, &PROTOCOL_VERSION, expected, "protocolVersion").map_err(|refusal| {
        match single(headers, &PROTOCOL_VERSION) {
            Ok(Some(name)) if ProtocolVersion::from_name(name).is_none() => {
                unknown_version(ErrorCode::HeaderMismatch, "Header mismatch", name)
            }
            _ => refusal,
        }
    })
}

/// The refusal of a header with a version that the server does not speak.
pub(crate) fn unknown_version(code: ErrorCode, what: &str, name: &str) -> Refusal {
    let names = ProtocolVersion::ALL.iter().map(|version| version.as_str());
    let names: Vec<_> = names.collect();
    let requested = crate::support::text::excerpt(name);
    let message = format!(
        "{what}: MCP-Protocol-Version names the version {requested}, which this server does not speak. It speaks {}.",
        names.join(", ")
    );
    let data = serde_json::json!({ "supported": names, "requested": requested });
    Refusal::bad_request(RpcError::new(code, message).with_data(data))
}

/// Decodes a header's value; `None` for one that only looks encoded.
pub(crate) fn decoded(value: &str) -> Option<Cow<'_, str>> {
    let Some(payload) = value
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    else {
        return Some(value.into());
    };
    let bytes = STANDARD.decode(payload).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

pub(crate) fn mismatch(message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::bad_request(RpcError::new(ErrorCode::HeaderMismatch, message))
}

/// Returns the header's name in the specification's spelling.
fn shown(name: &HeaderName) -> Cow<'_, str> {
    match name.as_str() {
        "mcp-protocol-version" => "MCP-Protocol-Version".into(),
        "mcp-method" => "Mcp-Method".into(),
        "mcp-name" => "Mcp-Name".into(),
        "mcp-session-id" => "Mcp-Session-Id".into(),
        "last-event-id" => "Last-Event-ID".into(),
        other => other.into(),
    }
}

/// Checks that the message is JSON and not compressed.
pub(crate) fn check_is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    if let Some(coding) = compression(headers) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::ContentType,
            format!(
                "Unsupported media type: the body must not be compressed; the Content-Encoding is {}",
                crate::support::text::excerpt(&String::from_utf8_lossy(coding.as_bytes()))
            ),
        ));
    }
    if is_json(headers) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Reason::ContentType,
        "Unsupported media type: the Content-Type must be application/json",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_read() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, text.parse().unwrap());
            let Accepts { json, events } = Accepts::of(&headers);
            (json, events)
        };
        assert_eq!(of("application/json, text/event-stream"), (true, true));
        assert_eq!(of("*/*"), (true, true));
        assert_eq!(of("application/json"), (true, false));
        assert_eq!(of("text/event-stream;q=0.5"), (false, true));
        assert_eq!(of("text/event-stream;q=0, */*"), (true, true));
        assert_eq!(of("text/html"), (false, false));
    }

    #[test]
    fn content_types_are_distinguished() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, text.parse().unwrap());
            is_json(&headers)
        };
        for text in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; charset=utf8",
        ] {
            assert!(of(text), "{text}");
        }
        for text in [
            "text/plain",
            "application/json-rpc",
            "application/json; charset=latin1",
            "",
        ] {
            assert!(!of(text), "{text}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn encoded_values_are_decoded() {
        assert_eq!(decoded("add").as_deref(), Some("add"));
        assert_eq!(decoded("=?base64?SMOpbGxv?=").as_deref(), Some("Héllo"));
        assert_eq!(decoded("=?base64?!!?="), None);
        assert_eq!(decoded("=?base64?/w==?="), None);
    }
}
