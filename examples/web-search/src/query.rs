//! What counts as a search query: text that a person would type into a search
//! box. The rules hold for every provider; the numbers are Brave's.

/// The longest query, in characters.
pub const MAX_QUERY_CHARS: usize = 400;
/// The most words in a query.
pub const MAX_QUERY_WORDS: usize = 50;

/// A garde rule: text to look for, and no control characters.
///
/// The length is checked by garde's own `length`, which the JSON Schema can
/// express. These rules it cannot express, so the tool describes them in words.
pub fn searchable(query: &str, _: &()) -> garde::Result {
    if query.chars().any(is_forbidden) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    match query.split_whitespace().count() {
        0 => Err(garde::Error::new("must contain text to search for")),
        1..=MAX_QUERY_WORDS => Ok(()),
        _ => Err(garde::Error::new(format!(
            "must have at most {MAX_QUERY_WORDS} words"
        ))),
    }
}

/// Control characters, and the invisible ones that reorder text on a screen:
/// neither belongs in a search, and both serve to hide something from a reader.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_accepted() {
        for query in [
            "rust",
            "  what is MCP?  ",
            "\"exact words\" site:example.org -ads",
            "c++ & c#",
            "数据库 🦀",
            "l'été",
        ] {
            assert!(searchable(query, &()).is_ok(), "{query:?}");
        }
    }

    #[test]
    fn blank_queries_control_characters_and_essays_are_refused() {
        let essay = "word ".repeat(MAX_QUERY_WORDS + 1);
        for (query, message) in [
            ("", "must contain text to search for"),
            (" \u{3000} ", "must contain text to search for"),
            ("a\0b", "must not contain control characters"),
            ("a\nb", "must not contain control characters"),
            ("a\u{1b}[31mb", "must not contain control characters"),
            ("a\u{85}b", "must not contain control characters"),
            ("a\u{202E}b", "must not contain control characters"),
            (&essay, "must have at most 50 words"),
        ] {
            let error = searchable(query, &()).expect_err(query);
            assert_eq!(error.message(), message, "{query:?}");
        }
    }
}
