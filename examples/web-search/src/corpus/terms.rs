//! A query as an FTS5 expression that cannot be wrong.
//!
//! FTS5 has a query language (`AND`, `NEAR(…)`, `title:`, `^`, `*`, `-`). None
//! of it is offered: each word becomes a quoted string, in which the only
//! special character is the quote itself.

/// More words than this are not looked for.
const MAX_TERMS: usize = 64;

/// Words that say nothing about the subject of an English question. They are
/// looked for only if there is no other.
const COMMON: &[&str] = &[
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "could", "did", "do", "does",
    "for", "from", "get", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me",
    "my", "of", "on", "or", "should", "so", "that", "the", "their", "there", "this", "to", "was",
    "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you",
    "your",
];

/// The words of a query, each quoted for FTS5.
pub(super) struct Terms(Vec<String>);

/// The words of `query`. Those without a letter or digit are left out: the
/// index holds no such thing.
pub(super) fn of(query: &str) -> Terms {
    // SQLite reads an expression up to the first NUL, so control characters
    // (which no index holds either) count as spaces.
    let words: Vec<&str> = query
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .collect();
    let telling: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !is_common(word))
        .collect();
    let mut terms = Vec::new();
    for word in if telling.is_empty() { words } else { telling } {
        let term = format!("\"{}\"", word.replace('"', "\"\""));
        if !terms.contains(&term) {
            terms.push(term);
        }
        if terms.len() == MAX_TERMS {
            break;
        }
    }
    Terms(terms)
}

fn is_common(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    COMMON
        .iter()
        .any(|common| common.eq_ignore_ascii_case(word))
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
        assert_eq!(of("x NOT y").any(), r#""x" OR "NOT" OR "y""#);
        assert_eq!(of(r#"say "hi""#).all(), r#""say" AND """hi""""#);
        assert_eq!(of("x\0y").all(), r#""x" AND "y""#);
    }

    #[test]
    fn common_words_count_only_when_they_are_all_there_is() {
        assert_eq!(of("How do I write a tool?").all(), r#""write" AND "tool?""#);
        assert_eq!(of("what is it?").any(), r#""what" OR "is" OR "it?""#);
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
