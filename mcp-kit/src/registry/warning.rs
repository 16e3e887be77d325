//! Warnings: their codes, and how a server accepts one. `lint` finds them.

use std::fmt;

use crate::primitive::{Kind, WarningCode};

/// Something that works, but could serve models and hosts better; found by
/// [`Server::warnings`](crate::Server::warnings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The kind and name of the primitive that it is about.
    pub(crate) primitive: Option<(Kind, String)>,
    pub(crate) code: WarningCode,
    pub(crate) text: String,
}

impl Warning {
    /// Returns the tool that it is about; `None` if it is about another
    /// primitive or about the server.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        let (kind, name) = self.primitive()?;
        (kind == Kind::Tool).then_some(name)
    }

    /// Returns the kind and the name of the primitive that it is about; `None`
    /// if it is about the server.
    #[must_use]
    pub fn primitive(&self) -> Option<(Kind, &str)> {
        let (kind, name) = self.primitive.as_ref()?;
        Some((*kind, name))
    }

    /// Returns the kind of warning. It can be accepted for one primitive
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
        if let Some((kind, name)) = &self.primitive {
            write!(f, "{kind} \"{name}\": ")?;
        }
        write!(f, "{} ({})", self.text, self.code)
    }
}
