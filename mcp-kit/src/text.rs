//! Text from a client, made safe to repeat in an answer.

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
