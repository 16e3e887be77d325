//! What the descriptions of primitives of all kinds have in common, for people.

use super::Annotations;

/// Writes the first lines: the name, the title, facts in parentheses, and the description.
pub(crate) fn head(
    text: &mut String,
    name: &str,
    title: Option<&str>,
    facts: &str,
    description: &str,
) {
    text.push_str(name);
    if let Some(title) = title {
        text.push_str(" – ");
        text.push_str(title);
    }
    if !facts.is_empty() {
        text.push_str(" (");
        text.push_str(facts);
        text.push(')');
    }
    text.push('\n');
    for line in description.trim().lines() {
        let line = line.trim_end();
        if !line.is_empty() {
            text.push_str("  ");
            text.push_str(line);
        }
        text.push('\n');
    }
}

/// Returns a tool's hints in words, with commas between them.
pub(crate) fn hints(hints: &Annotations) -> String {
    let words = [
        (hints.read_only, "read-only", ""),
        (hints.destructive, "destructive", "not destructive"),
        (hints.idempotent, "idempotent", ""),
        (hints.open_world, "open world", "closed world"),
    ];
    let mut text = String::new();
    for (hint, yes, no) in words {
        let word = match hint {
            Some(true) => yes,
            Some(false) => no,
            None => "",
        };
        if !text.is_empty() && !word.is_empty() {
            text.push_str(", ");
        }
        text.push_str(word);
    }
    text
}
