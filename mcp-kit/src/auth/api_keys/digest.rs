//! The SHA-256 of a key, which is stored and looked up in place of the key.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The SHA-256 digest of an API key.
///
/// It finds a key in a [`KeyStore`](super::KeyStore). A digest is not a key: a
/// reader of it cannot call with it. If the key could be guessed, the digest
/// confirms a right guess, so its `Debug` shows nothing.
#[derive(Clone, Copy)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Returns the digest of `key`.
    ///
    /// ```
    /// use mcp_kit::auth::KeyDigest;
    ///
    /// let digest = KeyDigest::of("correct-horse-battery-staple");
    /// assert_eq!(digest.to_hex().len(), 64);
    /// ```
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Creates a digest that was computed elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses 64 hexadecimal digits, as `sha256sum` prints them; `None` for
    /// anything else.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 2 * bytes.len() {
            return None;
        }
        let digit = |digit: u8| char::from(digit).to_digit(16);
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        Some(Self(bytes))
    }

    /// Returns the 32 bytes, for a column of a database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing into a `String` cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

/// Compares in a time that does not depend on where two digests differ.
impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_what_sha256sum_prints() {
        // printf abc | sha256sum
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = KeyDigest::of("abc");
        assert_eq!(digest.to_hex(), known);
        assert_eq!(KeyDigest::from_hex(known), Some(digest));
        assert_eq!(KeyDigest::from_hex(&known.to_uppercase()), Some(digest));
        for bad in [
            "",
            &known[1..],
            &format!("{known}0"),
            &known.replace('b', "g"),
            &"é".repeat(32),
        ] {
            assert_eq!(KeyDigest::from_hex(bad), None, "{bad}");
        }
        assert_eq!(format!("{digest:?}"), "KeyDigest(redacted)");
    }
}
