//! "Did you mean": the closest of a few known words.

/// Returns the text for an unknown key: the known ones, or the one that was
/// probably meant.
pub(crate) fn unknown_key(key: &str, known: &[&str]) -> String {
    match closest(key, known) {
        Some(meant) => format!("unknown key `{key}`: did you mean `{meant}`?"),
        None => format!("unknown key `{key}`: the keys are `{}`", known.join("`, `")),
    }
}

/// Returns the known word nearest to `word`, if it is near enough to be a
/// typing mistake.
pub(crate) fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // The protocol's own names end in `Hint`: `readOnlyHint`.
    let plain = |text: &str| {
        let text = text.to_lowercase().replace(['_', '-'], "");
        text.strip_suffix("hint").unwrap_or(&text).to_owned()
    };
    let word = plain(word);
    known
        .iter()
        .map(|candidate| (distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Counts the letters that were added, lost, replaced or swapped with a
/// neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j - 1] + 1).min(rows[i - 1][j] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
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
        assert_eq!(closest("titel", KNOWN), Some("title"));
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
