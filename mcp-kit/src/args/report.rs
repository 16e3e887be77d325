//! The report that a client receives when its arguments are refused: complete,
//! with the names on the wire and the limits, and without the values.

use std::fmt;

use crate::schema::Finding;

/// The most findings that are listed; the rest is counted.
const MAX_LISTED: usize = 20;

/// Everything that is wrong with one call's arguments.
///
/// `Display` writes the text that the model reads: `Invalid arguments: query:
/// must have at least 1 character; unknown argument "max_result" (did you mean
/// "maxResults"?)`. It never holds a value; names that the client made up are
/// shortened and escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations(Vec<Finding>);

impl Violations {
    pub(crate) fn new(findings: Vec<Finding>) -> Self {
        debug_assert!(!findings.is_empty(), "a refusal says why");
        Self(findings)
    }

    /// For a value that is wrong in a way that has no words.
    pub(crate) fn unnamed() -> Self {
        Self(vec![Finding::new("", "are invalid")])
    }

    /// Returns the findings without the words in front of them.
    pub(crate) fn listed(&self) -> impl fmt::Display + '_ {
        Listed(&self.0)
    }

    /// Returns each finding as the report shows it: the place, a colon, the
    /// rule.
    pub fn messages(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(ToString::to_string)
    }

    /// Returns the number of findings.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invalid arguments: {}", Listed(&self.0))
    }
}

struct Listed<'a>(&'a [Finding]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().take(MAX_LISTED).enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            finding.fmt(f)?;
        }
        match self.0.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for Violations {}
