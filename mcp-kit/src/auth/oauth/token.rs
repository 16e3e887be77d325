//! A token as text: its three parts, and their contents before they are
//! verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// Longer tokens are not parsed.
const LONGEST: usize = 16 << 10;

/// A signed token (RFC 7515, section 7.1), parsed but not yet verified.
pub(super) struct Token<'a> {
    pub(super) header: Header,
    pub(super) claims: Map<String, Value>,
    /// The signed bytes.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// The relevant members of the header. Keys that a token brings along (`jwk`,
/// `jku`, `x5c`, `x5u`) are not among them, and are never used.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Parses a token; `None` for text that is not a token.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            message: message.as_bytes(),
            signature: decode(signature)?,
        })
    }

    /// Whether the token is an access token without unknown critical
    /// extensions. Other kinds of tokens, such as those of a logout, name their
    /// type (RFC 8725, section 3.11).
    pub(super) fn is_for_access(&self) -> bool {
        let is_known = |kind: &str| {
            let kind = kind.to_ascii_lowercase();
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            matches!(kind, "jwt" | "at+jwt")
        };
        self.header.crit.is_none() && self.header.typ.as_deref().is_none_or(is_known)
    }

    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }
}
