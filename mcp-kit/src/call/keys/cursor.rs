//! The cursors of lists: positions that a client can neither read nor change.
//!
//! A position has one cursor, on each replica that has the key, so there is no random
//! salt: the tag of the position (HMAC with SHA-256) is what its key stream is made of
//! (a synthetic initialization vector, as in RFC 5297, here with HMAC-SHA-256 in counter
//! mode). `ring` has no such AEAD, and one with a nonce would need either a random one,
//! or one that a later position repeats.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac::{Context, HMAC_SHA256, Key, Tag, sign, verify};

use super::ServerKeys;
use crate::call::Error;

/// The lengths of positions are rounded up to a multiple of it, since the digits of a
/// number show how large it is.
const BLOCK: usize = 32;

/// The bytes of the length in front of a position.
const LENGTH: usize = 4;

/// The longest cursor that is looked at: a provider's position and what surrounds it have
/// fewer bytes, and a longer text costs time for each key.
const LONGEST_CURSOR: usize = 64 * 1024;

/// The bytes of the tag in front of a sealed position.
const TAG: usize = 32;

impl ServerKeys {
    /// Returns the cursor for a position in a list.
    pub(crate) fn seal_cursor(&self, list: &str, position: &str) -> Result<String, Error> {
        let keys = Keys::of(self.key()?);
        let length = u32::try_from(position.len()).map_err(Error::internal)?;
        let mut text = length.to_le_bytes().to_vec();
        text.extend_from_slice(position.as_bytes());
        text.resize(text.len().next_multiple_of(BLOCK), 0);
        let tag: Tag = sign(&keys.tag, &self.tagged(list, &text));
        keys.apply_stream(tag.as_ref(), &mut text);
        Ok(URL_SAFE_NO_PAD.encode([tag.as_ref(), &text].concat()))
    }

    /// Returns the position that a cursor of this list is for; `None` if neither this
    /// server nor one with its key has made it.
    pub(crate) fn open_cursor(&self, list: &str, cursor: &str) -> Option<String> {
        if cursor.len() > LONGEST_CURSOR {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, sealed) = bytes.split_first_chunk::<TAG>()?;
        let text = self.keys().ok()?.find_map(|key| {
            let keys = Keys::of(key);
            let mut text = sealed.to_vec();
            keys.apply_stream(tag, &mut text);
            verify(&keys.tag, &self.tagged(list, &text), tag).ok()?;
            Some(text)
        })?;
        let (length, position) = text.split_first_chunk::<LENGTH>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        String::from_utf8(position.get(..length)?.to_vec()).ok()
    }

    /// Returns what the tag of a text is made of: the text belongs to a list of a server.
    fn tagged(&self, list: &str, text: &[u8]) -> Vec<u8> {
        let mut tagged = Vec::with_capacity(128);
        for part in [self.server.as_bytes(), list.as_bytes(), text] {
            tagged.extend_from_slice(&(part.len() as u64).to_le_bytes());
            tagged.extend_from_slice(part);
        }
        tagged
    }
}

/// The keys of cursors, made of a key of the server.
struct Keys {
    tag: Key,
    stream: Key,
}

impl Keys {
    fn of(key: &[u8]) -> Self {
        let key = Key::new(HMAC_SHA256, key);
        let derived = |purpose: &[u8]| Key::new(HMAC_SHA256, sign(&key, purpose).as_ref());
        Self {
            tag: derived(b"mcp-kit cursor 1 tag"),
            stream: derived(b"mcp-kit cursor 1 stream"),
        }
    }

    /// Makes the sealed text of a plain one, or the plain one of a sealed.
    fn apply_stream(&self, tag: &[u8], text: &mut [u8]) {
        for (at, block) in (0_u64..).zip(text.chunks_mut(BLOCK)) {
            let mut context = Context::with_key(&self.stream);
            context.update(tag);
            context.update(&at.to_le_bytes());
            let stream = context.sign();
            for (byte, with) in block.iter_mut().zip(stream.as_ref()) {
                *byte ^= with;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::StateKeys;

    fn keys(server: &str, key: &[u8]) -> ServerKeys {
        let mut keys = StateKeys::default();
        if !key.is_empty() {
            keys.set_current(key);
        }
        ServerKeys::new(server, keys)
    }

    #[test]
    fn a_position_has_one_cursor_that_only_its_list_and_key_open() {
        let key = &[7; 32];
        let one = keys("one", key);
        let cursor = one.seal_cursor("tools", "17").unwrap();
        let replica = keys("one", key);
        assert_eq!(replica.seal_cursor("tools", "17").unwrap(), cursor);
        assert_eq!(replica.open_cursor("tools", &cursor).as_deref(), Some("17"));
        assert_eq!(one.open_cursor("prompts", &cursor), None);
        assert_eq!(keys("two", key).open_cursor("tools", &cursor), None);
        assert_eq!(keys("one", &[8; 32]).open_cursor("tools", &cursor), None);
        let mut keys = StateKeys::default();
        keys.set_current(&[8; 32]);
        keys.add_previous(key);
        let later = ServerKeys::new("one", keys);
        assert_eq!(later.open_cursor("tools", &cursor).as_deref(), Some("17"));
    }

    #[test]
    fn a_server_without_a_key_opens_its_own_cursors_alone() {
        let (one, other) = (keys("one", b""), keys("one", b""));
        for position in ["", "1", "18446744073709551615", &"x".repeat(9_000), "a\0"] {
            let cursor = one.seal_cursor("tools", position).unwrap();
            assert_eq!(one.open_cursor("tools", &cursor).as_deref(), Some(position));
            assert_eq!(other.open_cursor("tools", &cursor), None);
        }
    }

    #[test]
    fn cursor_that_was_changed_anywhere_is_unknown() {
        let keys = keys("one", b"");
        let cursor = keys.seal_cursor("tools", "17").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            for forged in [&changed[..], &bytes[..at]] {
                let forged = URL_SAFE_NO_PAD.encode(forged);
                assert_eq!(keys.open_cursor("tools", &forged), None, "{at}");
            }
        }
        for forged in ["", "!", "AQ", &cursor.repeat(2)] {
            assert_eq!(keys.open_cursor("tools", forged), None, "{forged}");
        }
    }

    #[test]
    fn cursor_shows_nothing_of_its_number() {
        let keys = keys("one", b"");
        let cursor = |position| keys.seal_cursor("tools", position).unwrap();
        assert_eq!(cursor("1").len(), cursor("18446744073709551615").len());
    }
}
