//! A finding: something that is wrong with a JSON text, and its place.

use std::borrow::Cow;
use std::fmt;

/// A place and what is wrong there. Neither holds a value from the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The path on the wire: `filters[2].maxAge`; empty for the whole.
    pub(crate) path: String,
    pub(crate) text: Cow<'static, str>,
}

impl Finding {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Whether this is about an unknown name.
    pub(crate) fn is_of_names(&self) -> bool {
        self.text.starts_with("unknown argument")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.text),
            path => write!(f, "{path}: {}", self.text),
        }
    }
}
