//! Why a server could not be built.

use std::fmt;

/// Why a server could not be built: every problem, each with the fix.
#[derive(Clone)]
pub struct BuildError {
    pub(super) problems: Vec<String>,
}

impl BuildError {
    /// Returns each problem.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server cannot be built:")?;
        for problem in &self.problems {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

/// Prints what `Display` does, since `unwrap` and a failing `main` print it.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}
