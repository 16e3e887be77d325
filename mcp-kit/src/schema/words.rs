//! The wording of reports: places, names, suggestions.
//!
//! Names that the schema knows are shown as they are. Names that the client
//! made up are shortened and escaped, so that a report cannot be used to write
//! into a terminal, a log or a model's context.

use crate::support::text::excerpt;
use std::fmt::Write as _;

/// The most characters of a client's name that are shown.
const MAX_NAME: usize = 64;

/// A step down from the root, linked to the one above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) parent: Option<&'p Place<'p>>,
    pub(crate) step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'p> {
    /// A name of the schema.
    Name(&'p str),
    /// A key that the client made up.
    Key(&'p str),
    Index(usize),
}

/// Formats the path to a place: `filters[2].maxAge`, `headers["x y"]`.
pub(crate) fn path(place: Option<&Place<'_>>) -> String {
    let mut steps = Vec::new();
    let mut next = place;
    while let Some(place) = next {
        steps.push(place.step);
        next = place.parent;
    }
    let mut path = String::new();
    for step in steps.into_iter().rev() {
        push_step(&mut path, step);
    }
    path
}

pub(crate) fn push_step(path: &mut String, step: Step<'_>) {
    match step {
        Step::Index(index) => {
            let _ = write!(path, "[{index}]");
        }
        Step::Name(name) if is_plain(name) => push_name(path, name),
        Step::Name(name) => {
            let _ = write!(path, "[{name:?}]");
        }
        Step::Key(key) if is_plain(key) && key.len() <= MAX_NAME => push_name(path, key),
        Step::Key(key) => {
            let _ = write!(path, "[\"{}\"]", excerpt(key));
        }
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$' | b'@'))
}

/// Returns the known name that was probably meant.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // A longer name is not a typing mistake, and the comparison would be
    // expensive.
    if name.len() > 2 * MAX_NAME {
        return None;
    }
    let wanted = plain_form(name);
    known
        .filter_map(|candidate| {
            let form = plain_form(candidate);
            let longest = wanted.len().max(form.len());
            let distance = distance(&wanted, &form);
            let shortened = wanted.len() >= 3 && form.starts_with(&wanted)
                || form.len() >= 3 && wanted.starts_with(&form);
            (distance <= longest / 3 || shortened).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns a name without the differences between `max_results` and
/// `maxResults`.
pub(crate) fn plain_form(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the number of edits between two names: insert, drop, change, swap
/// two neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Formats `"a", "b" or "c"`; long lists are cut.
pub(crate) fn list(words: impl Iterator<Item = String>) -> String {
    joined(words.collect(), "or")
}

/// Formats `"a", "b" and "c"`; long lists are cut.
pub(crate) fn all(words: impl Iterator<Item = String>) -> String {
    joined(words.collect(), "and")
}

fn joined(mut words: Vec<String>, before_last: &str) -> String {
    if words.len() > 30 {
        let more = words.len() - 25;
        words.truncate(25);
        words.push(format!("{more} more"));
    }
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {before_last} {last}", most.join(", ")),
    }
}
