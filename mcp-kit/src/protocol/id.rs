//! Request ids. They are echoed as the client wrote them, and kept while a
//! request is open, so their length is limited.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest string that is an id, in bytes between its quotes as the client
/// wrote it.
pub(crate) const LONGEST_ID: usize = 1_024;

/// The id of a JSON-RPC request: a string or an integer.
///
/// Integers from `i64::MIN` to `u64::MAX` are kept exactly. Fractions, `null`
/// and larger numbers are not valid ids in MCP. A string may have 1,024 bytes, as
/// the client wrote it between its quotes; a request with a longer id is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum RequestId {
    /// An integer that fits 64 signed bits.
    Integer(i64),
    /// An integer above `i64::MAX`.
    Unsigned(u64),
    /// A string.
    String(Arc<str>),
}

impl RequestId {
    /// Reads an id from its JSON text; `None` if it is not a valid id, or too
    /// long.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        match text.as_bytes().first()? {
            b'"' if text.len() > LONGEST_ID + 2 => None,
            b'"' => json_string(text).map(|text| Self::String(text.into())),
            b'-' | b'0'..=b'9' => text
                .parse()
                .map(Self::Integer)
                .or_else(|_| text.parse().map(Self::Unsigned))
                .ok(),
            _ => None,
        }
    }

    /// Returns the number of bytes that it holds in addition to itself.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Integer(_) | Self::Unsigned(_) => 0,
            Self::String(text) => text.len(),
        }
    }

    /// Writes the id as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(number) => super::encode::integer(out, *number),
            Self::Unsigned(number) => super::encode::integer(out, *number),
            Self::String(text) => super::encode::string(out, text),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Unsigned(number) => number.fmt(f),
            Self::String(text) => text.escape_debug().fmt(f),
        }
    }
}

/// Returns the text of a JSON string, borrowed if it has no escapes.
pub(crate) fn json_string(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(inner.into());
    }
    serde_json::from_str(text).ok().map(String::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_exactly() {
        for text in [
            "0",
            "-9223372036854775808",
            "9223372036854775807",
            "18446744073709551615",
            r#""a\"b\u0000é""#,
            r#""""#,
        ] {
            let id = RequestId::from_json(text).unwrap();
            let mut out = Vec::new();
            id.write(&mut out);
            let again: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(
                again,
                serde_json::from_str::<serde_json::Value>(text).unwrap()
            );
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let long = |text: &str, count| format!("\"{}\"", text.repeat(count));
        assert!(RequestId::from_json(&long("x", LONGEST_ID)).is_some());
        assert!(RequestId::from_json(&long("\\u0061", LONGEST_ID / 6)).is_some());
        for text in [
            long("x", LONGEST_ID + 1).as_str(),
            long("\\u0061", LONGEST_ID / 6 + 1).as_str(),
            "1.5",
            "1e3",
            "18446744073709551616",
            "null",
            "true",
            "[]",
            "{}",
        ] {
            assert_eq!(RequestId::from_json(text), None, "{text}");
        }
    }
}
