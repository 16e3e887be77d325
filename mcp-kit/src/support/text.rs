//! Makes text from a client safe to repeat in an answer or on a terminal, and
//! defines the characters that must not be repeated as they are; and formats
//! counts and sizes.

/// Returns at most 64 characters of `text`, escaped: control characters, quotes
/// and characters that change the reading direction are not copied as they are.
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
    character.is_control() || is_in(INVISIBLE, character) || is_in(JOINING, character)
}

/// The first and the last character of some that follow each other.
pub(crate) type Range = (char, char);

/// Whether one of the ranges contains the character.
pub(crate) fn is_in(ranges: &[Range], character: char) -> bool {
    let has = |(first, last): &Range| (*first..=*last).contains(&character);
    ranges.iter().any(has)
}

/// Characters without a shape of their own that break lines, change the reading direction
/// or hide text from a reader and not from a model: what Unicode calls default ignorable,
/// without [`JOINING`], and separators of lines and annotations. No range has characters of
/// both sides of U+FFFF.
pub(crate) const INVISIBLE: &[Range] = &[
    ('\u{AD}', '\u{AD}'),       // soft hyphen
    ('\u{61C}', '\u{61C}'),     // direction
    ('\u{115F}', '\u{1160}'),   // Hangul fillers
    ('\u{17B4}', '\u{17B5}'),   // Khmer vowels that are not written
    ('\u{180E}', '\u{180E}'),   // Mongolian vowel separator
    ('\u{200B}', '\u{200B}'),   // zero width space
    ('\u{200E}', '\u{200F}'),   // direction
    ('\u{2028}', '\u{202E}'),   // lines, direction
    ('\u{2060}', '\u{206F}'),   // joiners and operators, direction
    ('\u{3164}', '\u{3164}'),   // Hangul filler
    ('\u{FEFF}', '\u{FEFF}'),   // byte order mark
    ('\u{FFA0}', '\u{FFA0}'),   // Hangul filler
    ('\u{FFF0}', '\u{FFFB}'),   // annotations
    ('\u{1BCA0}', '\u{1BCA3}'), // shorthand
    ('\u{1D173}', '\u{1D17A}'), // beams and slurs of music
    ('\u{E0000}', '\u{E0FFF}'), // tags, variation selectors of ideographs
];

/// Also invisible, but languages and emoji are written with them.
pub(crate) const JOINING: &[Range] = &[
    ('\u{34F}', '\u{34F}'),   // combining grapheme joiner
    ('\u{180B}', '\u{180D}'), // Mongolian variation selectors
    ('\u{180F}', '\u{180F}'),
    ('\u{200C}', '\u{200D}'), // joiners of letters and emoji
    ('\u{FE00}', '\u{FE0F}'), // variation selectors
];

/// A character that JSON allows within a string and that some line readers take
/// for the end of a line: U+0085, U+2028 or U+2029.
pub(crate) struct LineEnd {
    /// Its offset.
    pub(crate) at: usize,
    /// Its length in bytes.
    pub(crate) length: usize,
    /// The escape that replaces it.
    pub(crate) escape: &'static str,
}

impl LineEnd {
    /// The first bytes of these characters.
    pub(crate) const FIRST_BYTES: [u8; 2] = [0xC2, 0xE2];

    /// Returns the first one in `text`.
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

    /// Splits the text after each of these characters: what precedes it, and
    /// its escape. The last part has none.
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

/// Returns a handler's text for the terminal: line breaks are kept; other control
/// characters, and invisible ones that move the text around them, are escaped.
#[cfg(feature = "cli")]
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let is_unsafe = character.is_control() || is_in(INVISIBLE, character);
        match character {
            '\n' => safe.push('\n'),
            '\t' => safe.push(' '),
            _ if is_unsafe => safe.extend(character.escape_unicode()),
            _ => safe.push(character),
        }
    }
    safe
}

/// Returns a handler's text in one line.
#[cfg(feature = "cli")]
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    plain(&words.join(" "))
}

/// Formats "1 tool", "2 tools".
#[cfg(feature = "cli")]
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Formats "1 MiB", "1.5 MiB", "300 bytes".
#[cfg(feature = "cli")]
pub(crate) fn size(bytes: usize) -> String {
    const UNITS: [(usize, &str); 2] = [(1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            // Exact if one digit is, which is how sizes are set.
            #[allow(clippy::cast_precision_loss)]
            let number = bytes as f64 / unit as f64;
            return if bytes.is_multiple_of(unit) {
                format!("{number} {name}")
            } else {
                format!("{number:.1} {name}")
            };
        }
    }
    count(bytes, "byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_cut_and_escaped() {
        assert_eq!(excerpt("tools/list"), "tools/list");
        assert_eq!(excerpt("a\n\"b\u{202e}"), "a\\u{a}\\\"b\\u{202e}");
        assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 65);
    }

    /// The properties that the readers of the tables rely on.
    #[test]
    fn invisible_characters_are_in_one_table_each_and_ranges_do_not_cross_planes() {
        for (first, last) in INVISIBLE.iter().chain(JOINING) {
            assert_eq!(*first > '\u{FFFF}', *last > '\u{FFFF}');
            for character in *first..=*last {
                assert!(is_unsafe(character));
                assert!(is_in(INVISIBLE, character) != is_in(JOINING, character));
            }
        }
        assert!(!is_unsafe('é') && !is_unsafe('\u{1F600}') && is_unsafe('\u{9F}'));
    }

    #[test]
    #[cfg(feature = "cli")]
    fn escape_sequences_of_handlers_do_not_reach_the_terminal() {
        assert_eq!(
            plain("a\u{1b}[2J\tb\r\nc\u{202e}"),
            "a\\u{1b}[2J b\\u{d}\nc\\u{202e}"
        );
        assert_eq!(
            one_line("a\n\u{1b}]0;x\u{7} b\u{9b}"),
            "a \\u{1b}]0;x\\u{7} b\\u{9b}"
        );
    }

    #[test]
    #[cfg(feature = "cli")]
    fn sizes_read_well() {
        for (bytes, text) in [
            (1, "1 byte"),
            (300, "300 bytes"),
            (4 << 20, "4 MiB"),
            (3 << 19, "1.5 MiB"),
            (2_048, "2 KiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
