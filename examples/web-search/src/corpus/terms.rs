//! A query as an FTS5 expression that cannot be wrong.
//!
//! FTS5 has a query language (`AND`, `NEAR(…)`, `title:`, `^`, `*`, `-`). None
//! of it is offered: each word becomes a quoted string, in which the only
//! special character is the quote itself.

/// More words than this are not looked for.
const MAX_TERMS: usize = 64;

/// The words of a query, each quoted for FTS5.
pub(super) struct Terms(Vec<String>);

/// The words of `query`. Those without a letter or digit are left out: the
/// index holds no such thing.
pub(super) fn of(query: &str) -> Terms {
    let mut terms = Vec::new();
    // SQLite reads an expression up to the first NUL, so control characters
    // (which no index holds either) count as spaces.
    for word in query.split(|c: char| c.is_whitespace() || c.is_control()) {
        let term = format!("\"{}\"", word.replace('"', "\"\""));
        if word.chars().any(char::is_alphanumeric) && !terms.contains(&term) {
            terms.push(term);
        }
        if terms.len() == MAX_TERMS {
            break;
        }
    }
    Terms(terms)
}

impl Terms {
    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Matches text that has every word.
    pub(super) fn all(&self) -> String {
        self.0.join(" AND ")
    }

    /// Matches text that has at least one word.
    pub(super) fn any(&self) -> String {
        self.0.join(" OR ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_quoted_once() {
        assert_eq!(of("fast  search\tfast").all(), r#""fast" AND "search""#);
        assert_eq!(of("a NOT b").any(), r#""a" OR "NOT" OR "b""#);
        assert_eq!(of(r#"say "hi""#).all(), r#""say" AND """hi""""#);
        assert_eq!(of("a\0b").all(), r#""a" AND "b""#);
    }

    #[test]
    fn punctuation_alone_is_nothing_to_look_for() {
        for query in ["", "  ", "*", "\" ( ) ^", "- : 🦀"] {
            assert!(of(query).is_empty(), "{query:?}");
        }
    }

    #[test]
    fn the_number_of_words_is_bounded() {
        let query: String = (0..1000).map(|n| format!("w{n} ")).collect();
        assert_eq!(of(&query).0.len(), MAX_TERMS);
    }
}
