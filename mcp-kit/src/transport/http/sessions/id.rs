//! Session ids: random bytes that cannot be guessed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::call::Peer;
use crate::support::random;
use crate::transport::http::message::refusal::Refusal;

/// 128 random bits; 22 characters of base64url on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; 16]);

impl SessionId {
    /// Creates a new id; `None` if the system has no randomness to give.
    pub(crate) fn random() -> Option<Self> {
        Some(Self(random::id()?))
    }

    /// Parses an id as a client sends it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == bytes.len()).then_some(Self(bytes))
    }

    /// Returns the session as the questions to its client know it.
    pub(super) fn peer(self) -> Peer {
        Peer::session(self.0)
    }

    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// Omits the id, which is half of a credential.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// Refuses an unknown session, or another caller's: a client cannot tell which.
pub(super) fn unknown() -> Refusal {
    Refusal::not_found(
        "Session not found: it has ended or never existed. Send \"initialize\" without Mcp-Session-Id to open another.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = SessionId::random().unwrap();
        let text = id.text();
        assert_eq!(text.len(), 22);
        assert_eq!(SessionId::parse(&text), Some(id));
        for wrong in [
            "",
            "made-up",
            &text[1..],
            &format!("{text}x"),
            &format!("{text}=="),
            &format!("{text}{text}"),
            // The last character encodes two bits; the others must be zero.
            &format!("{}B", &text[..21]),
        ] {
            assert_ne!(SessionId::parse(wrong), Some(id), "{wrong}");
        }
        assert_eq!(format!("{id:?}"), "SessionId(…)");
    }
}
