//! The protocol's revisions and their two eras.

use std::fmt;

/// A revision of the MCP specification; later ones compare as greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// The first public revision.
    V2024_11_05,
    /// The one revision with JSON-RPC batches.
    V2025_03_26,
    /// Structured content and output schemas.
    V2025_06_18,
    /// The last revision with a handshake.
    V2025_11_25,
    /// No handshake, no sessions: every request carries its own metadata.
    V2026_07_28,
}

/// The style of a client's requests: with a handshake, or with metadata on
/// every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Era {
    /// `initialize` first: 2024-11-05 to 2025-11-25.
    Legacy,
    /// Metadata on every request: 2026-07-28.
    Modern,
}

impl ProtocolVersion {
    /// Every revision this crate speaks, newest first.
    pub const ALL: &[Self] = &[
        Self::V2026_07_28,
        Self::V2025_11_25,
        Self::V2025_06_18,
        Self::V2025_03_26,
        Self::V2024_11_05,
    ];

    /// The newest revision.
    pub(crate) const NEWEST: Self = Self::V2026_07_28;

    /// The newest revision that has a handshake.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// Returns the revision's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Returns the revision with this name, if this crate supports it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|version| version.as_str() == name)
    }

    /// Returns the revision's era.
    #[must_use]
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            _ => Era::Legacy,
        }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
