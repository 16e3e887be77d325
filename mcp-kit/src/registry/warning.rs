//! Warnings: their codes, and how a server accepts one. `lint` finds them.

use std::fmt;

use crate::primitive::WarningCode;

/// Something that works, but could serve models and hosts better; found by
/// [`Server::warnings`](crate::Server::warnings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub(crate) tool: Option<String>,
    pub(crate) code: WarningCode,
    pub(crate) text: String,
}

impl Warning {
    /// Returns the tool that it is about; `None` if it is about the server.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// Returns the kind of warning. It can be accepted for one tool
    /// ([`Registration::accept_warning`](super::Registration::accept_warning))
    /// or for the server
    /// ([`ServerBuilder::accept_warning`](crate::server::ServerBuilder::accept_warning)).
    #[must_use]
    pub fn code(&self) -> WarningCode {
        self.code
    }
}

/// `tool "report": its timeout is over 60 s, … (long-timeout)`
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tool) = &self.tool {
            write!(f, "tool \"{tool}\": ")?;
        }
        write!(f, "{} ({})", self.text, self.code)
    }
}
