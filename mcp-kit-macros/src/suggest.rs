//! "Did you mean": the closest of a few known words.

/// The text for an unknown key: what is known, or what was probably meant.
pub(crate) fn unknown_key(key: &str, known: &[&str]) -> String {
    match closest(key, known) {
        Some(meant) => format!("unknown key `{key}`: did you mean `{meant}`?"),
        None => format!("unknown key `{key}`: the keys are `{}`", known.join("`, `")),
    }
}

/// The known word nearest to `word`, if it is near enough to be a slip.
fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let word = plain(word);
    known
        .iter()
        .map(|candidate| (distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["name", "title", "read_only", "timeout"];

    #[test]
    fn a_slip_names_what_was_meant() {
        assert_eq!(
            unknown_key("readonly", KNOWN),
            "unknown key `readonly`: did you mean `read_only`?"
        );
        assert_eq!(closest("titel", KNOWN), None);
        assert_eq!(closest("tite", KNOWN), Some("title"));
        assert_eq!(closest("timeuot", KNOWN), Some("timeout"));
    }

    #[test]
    fn anything_else_names_all_keys() {
        assert_eq!(
            unknown_key("colour", KNOWN),
            "unknown key `colour`: the keys are `name`, `title`, `read_only`, `timeout`"
        );
    }
}
