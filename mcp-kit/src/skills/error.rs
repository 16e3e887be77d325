//! Why skills could not be loaded.

use std::fmt;

/// Why skills could not be loaded: the problems, each with its file and the fix.
/// These are the first 50, and the number of the others.
///
/// The texts name files of the host and are for the operator, at the start of the
/// server.
#[derive(Clone)]
pub struct SkillsError {
    problems: Vec<String>,
    /// How many more there are.
    more: usize,
}

impl SkillsError {
    /// Returns the problems, at most 50.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for SkillsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the skills cannot be loaded:")?;
        for problem in &self.problems {
            write!(f, "\n  - {problem}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\n  - and {more} more"),
        }
    }
}

/// Prints what `Display` does, since `unwrap` and a failing `main` print it.
impl fmt::Debug for SkillsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SkillsError {}

/// Collects the problems of one load.
#[derive(Debug, Default)]
pub(super) struct Problems {
    problems: Vec<String>,
    more: usize,
}

impl Problems {
    const MOST: usize = 50;

    pub(super) fn add(&mut self, place: impl fmt::Display, problem: impl fmt::Display) {
        match self.problems.len() < Self::MOST {
            true => self.problems.push(plain(&format!("{place}: {problem}"))),
            false => self.more += 1,
        }
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, SkillsError> {
        match self.problems.is_empty() {
            true => Ok(value),
            false => Err(SkillsError {
                problems: self.problems,
                more: self.more,
            }),
        }
    }
}

/// Returns a text without control characters, which a file's name may hold: terminals
/// obey some of them, and a line break would begin a problem that there is not.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => safe.extend(character.escape_unicode()),
            false => safe.push(character),
        }
    }
    safe
}
