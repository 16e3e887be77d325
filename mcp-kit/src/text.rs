//! Text from a client, made safe to repeat in an answer, and the characters that
//! must not leave as they are.

/// At most 64 characters of `text`, escaped: control characters, quotes and
/// characters that change the reading direction cannot pass.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 64;
    let mut safe = String::with_capacity(text.len().min(LONGEST) + 2);
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            safe.push('…');
            break;
        }
        match character {
            '"' | '\\' => safe.extend(['\\', character]),
            _ if is_unsafe(character) => safe.extend(character.escape_unicode()),
            _ => safe.push(character),
        }
    }
    safe
}

/// Whether a character is invisible or moves the text around it.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F
                | 0xFE00..=0xFE0F | 0xFEFF | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF
        )
}

/// A character that JSON allows within a string and that some readers of lines
/// take for the end of one: U+0085, U+2028 or U+2029.
pub(crate) struct LineEnd {
    /// Where it begins.
    pub(crate) at: usize,
    /// Its bytes.
    pub(crate) length: usize,
    /// How it is written instead.
    pub(crate) escape: &'static str,
}

impl LineEnd {
    /// What they begin with.
    pub(crate) const FIRST_BYTES: [u8; 2] = [0xC2, 0xE2];

    /// The first one in `text`.
    pub(crate) fn first(text: &[u8]) -> Option<Self> {
        let [two, three] = Self::FIRST_BYTES;
        memchr::memchr2_iter(two, three, text).find_map(|at| {
            let (length, escape) = match text[at..] {
                [0xC2, 0x85, ..] => (2, "\\u0085"),
                [0xE2, 0x80, 0xA8, ..] => (3, "\\u2028"),
                [0xE2, 0x80, 0xA9, ..] => (3, "\\u2029"),
                _ => return None,
            };
            Some(Self { at, length, escape })
        })
    }

    /// The text cut behind each of these characters: what precedes it, and its
    /// escape. The last part has none.
    pub(crate) fn parts(text: &str) -> impl Iterator<Item = (&str, &'static str)> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let text = rest.take()?;
            let Some(end) = Self::first(text.as_bytes()) else {
                return Some((text, ""));
            };
            rest = Some(&text[end.at + end.length..]);
            Some((&text[..end.at], end.escape))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn hostile_text_is_cut_and_escaped() {
        assert_eq!(excerpt("tools/list"), "tools/list");
        assert_eq!(excerpt("a\n\"b\u{202e}"), "a\\u{a}\\\"b\\u{202e}");
        assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 65);
    }
}
