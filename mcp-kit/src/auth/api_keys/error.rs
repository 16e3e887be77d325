//! The error for keys that could not be read, with a line for each entry.

use std::error::Error;
use std::fmt;

/// Why API keys could not be read. It names the entries by their numbers and
/// repeats none of their text, since any part of an entry may be a key.
#[derive(Debug)]
pub struct ApiKeysError {
    origin: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Whole(String),
    Entries(Vec<Problem>),
}

/// What is wrong with one entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) what: String,
}

/// The position of an entry, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Entry(usize),
    Line(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(number) => write!(f, "entry {number}"),
            Self::Line(number) => write!(f, "line {number}"),
        }
    }
}

impl ApiKeysError {
    /// Creates an error about the source as a whole.
    pub(super) fn whole(origin: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            what: What::Whole(what.into()),
        }
    }

    pub(super) fn entries(origin: impl Into<String>, problems: Vec<Problem>) -> Self {
        Self {
            origin: origin.into(),
            what: What::Entries(problems),
        }
    }
}

impl fmt::Display for ApiKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More lines add nothing new, and a file may have thousands.
        const MOST: usize = 10;
        let origin = &self.origin;
        match &self.what {
            What::Whole(what) => write!(f, "{origin}: {what}"),
            What::Entries(problems) => {
                write!(f, "{origin}: ")?;
                for (index, problem) in problems.iter().take(MOST).enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{}: {}", problem.place, problem.what)?;
                }
                match problems.len().saturating_sub(MOST) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}

impl Error for ApiKeysError {}
