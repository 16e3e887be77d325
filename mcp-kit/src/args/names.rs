//! The argument names that a log line may show: those that the tool knows.
//! Names that the client made up are only counted.

use std::fmt;

/// The names of the known arguments in a call, in the schema's spelling.
///
/// `Display` writes `query,maxResults` and, if there are unknown ones, ` (+2
/// unknown)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgumentNames<'a> {
    /// Known arguments, in the order of the call.
    pub known: Vec<&'a str>,
    /// The number of other arguments in the call.
    pub unknown: usize,
}

impl fmt::Display for ArgumentNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.known.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        match self.unknown {
            0 => Ok(()),
            count if self.known.is_empty() => write!(f, "({count} unknown)"),
            count => write!(f, " (+{count} unknown)"),
        }
    }
}
