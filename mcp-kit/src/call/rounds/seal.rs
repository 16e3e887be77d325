//! Seals texts that a client carries between two rounds, so that it can neither
//! read nor change them.
//!
//! The form is base64url of a version, a random salt, and the encrypted text with
//! its tag. The salt and the server's key give a key that is used once (HKDF with
//! SHA-256), so that the number of texts that one key may seal has no limit that
//! matters. The text is encrypted with ChaCha20-Poly1305.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};

use crate::call::Error;

/// The form of a sealed text. Another form has another number.
const VERSION: u8 = 1;

const SALT_BYTES: usize = 24;

/// The bytes that sealing adds: version, salt and tag.
const OVERHEAD: usize = 1 + SALT_BYTES + 16;

/// What the derived keys are for: a key of the server that is used elsewhere gives
/// other keys there.
const PURPOSE: &[&[u8]] = &[b"mcp-kit requestState 1"];

/// Seals `plain`. Only the key opens it, and only for what it is `bound` to.
pub(super) fn seal(key: &[u8], bound: &[u8], plain: &[u8]) -> Result<String, Error> {
    let mut salt = [0; SALT_BYTES];
    random(&mut salt)?;
    let mut sealed = plain.to_vec();
    let tag = key_of(key, &salt)
        .and_then(|key| {
            key.seal_in_place_separate_tag(nonce(), Aad::from(bound), &mut sealed)
                .ok()
        })
        .ok_or_else(|| Error::internal("the state of a call could not be sealed"))?;
    let mut bytes = Vec::with_capacity(plain.len() + OVERHEAD);
    bytes.push(VERSION);
    bytes.extend_from_slice(&salt);
    bytes.append(&mut sealed);
    bytes.extend_from_slice(tag.as_ref());
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Opens a sealed text with the first key that fits. `None` if it was changed, or
/// sealed with another key or for something else.
pub(super) fn open<'a>(
    keys: impl Iterator<Item = &'a [u8]>,
    bound: &[u8],
    sealed: &str,
) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (&version, rest) = bytes.split_first()?;
    if version != VERSION || bytes.len() < OVERHEAD {
        return None;
    }
    let (salt, sealed) = rest.split_at_checked(SALT_BYTES)?;
    keys.into_iter().find_map(|key| {
        let mut text = sealed.to_vec();
        let key = key_of(key, salt)?;
        let plain = key
            .open_in_place(nonce(), Aad::from(bound), &mut text)
            .ok()?;
        Some(plain.to_vec())
    })
}

/// Returns the longest sealed text that holds `bytes`.
pub(super) const fn length_of(bytes: usize) -> usize {
    (bytes.saturating_add(OVERHEAD))
        .saturating_mul(4)
        .div_ceil(3)
}

/// Returns an id that cannot be guessed, as text.
pub(super) fn random_id() -> Result<Box<str>, Error> {
    let mut id = [0; 16];
    random(&mut id)?;
    Ok(URL_SAFE_NO_PAD.encode(id).into_boxed_str())
}

/// Fills `bytes` with randomness of the system.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    crate::support::random::fill(bytes)
        .ok_or_else(|| Error::internal("the system has no randomness"))
}

fn key_of(key: &[u8], salt: &[u8]) -> Option<LessSafeKey> {
    let derived = Salt::new(HKDF_SHA256, salt).extract(key);
    let derived = derived.expand(PURPOSE, &CHACHA20_POLY1305).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(derived)))
}

/// Each key seals one text, so its nonce need not differ.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of this test, 32 bytes long";

    fn opened(key: &[u8], bound: &[u8], sealed: &str) -> Option<Vec<u8>> {
        open([key].into_iter(), bound, sealed)
    }

    #[test]
    fn only_the_same_key_and_purpose_open_a_text() {
        let sealed = seal(KEY, b"alice", b"secret").unwrap();
        assert!(sealed.len() <= length_of(6));
        assert_eq!(
            opened(KEY, b"alice", &sealed).as_deref(),
            Some(&b"secret"[..])
        );
        assert_eq!(opened(KEY, b"bob", &sealed), None);
        assert_eq!(opened(b"another key", b"alice", &sealed), None);
        let keys = [&b"new"[..], KEY].into_iter();
        assert_eq!(
            open(keys, b"alice", &sealed).as_deref(),
            Some(&b"secret"[..])
        );
        assert_ne!(seal(KEY, b"alice", b"secret").unwrap(), sealed);
    }

    #[test]
    fn a_text_that_was_changed_anywhere_does_not_open() {
        let sealed = seal(KEY, b"", b"secret").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(
                opened(KEY, b"", &URL_SAFE_NO_PAD.encode(changed)),
                None,
                "{at}"
            );
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..at]);
            assert_eq!(opened(KEY, b"", &cut), None, "{at}");
        }
        for text in ["", "!", "AQ", "not base64 at all?", &sealed.repeat(2)] {
            assert_eq!(opened(KEY, b"", text), None, "{text}");
        }
    }
}
