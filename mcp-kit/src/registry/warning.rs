//! Warnings: their codes, and how a server accepts one. `lint` finds them.

use std::fmt;

use super::ToolOptions;
use crate::primitive::{Annotations, WarningCode};

/// Something that works, and could serve models and hosts better; found by
/// [`Server::warnings`](crate::Server::warnings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub(crate) tool: Option<String>,
    pub(crate) code: WarningCode,
    pub(crate) text: String,
}

impl Warning {
    /// The tool that it is about; `None` if it is about the server.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// What kind of warning it is. It can be accepted for one tool
    /// ([`ToolOptions::accept_warning`]) or for the server
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

impl ToolOptions {
    /// Accepts a kind of warning for this tool:
    /// [`Server::warnings`](crate::Server::warnings) and `check` do not list it
    /// any more. Has no effect if there is no such warning.
    ///
    /// In the attribute it is `#[tool(allow(long_timeout))]`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mcp_kit::registry::WarningCode;
    /// # use mcp_kit::{Server, tool};
    /// # /// Builds the whole index anew.
    /// # #[tool(destructive = false, open_world = false)]
    /// # async fn reindex() -> String { String::new() }
    ///
    /// let server = Server::builder("index", "1.0.0")
    ///     .tool_with::<reindex>(|tool| {
    ///         tool.timeout(Duration::from_secs(600))
    ///             .accept_warning(WarningCode::LongTimeout)
    ///     })
    ///     .build()?;
    /// assert_eq!(server.warnings(), []);
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn accept_warning(mut self, code: WarningCode) -> Self {
        self.accepted_warnings.push(code);
        self
    }
}

/// A tool's own hints, and the server's for those that it does not set.
pub(crate) fn hints(own: &Annotations, default: &Annotations) -> Annotations {
    let mut hints = own.clone();
    let destructive = own.destructive == Some(true);
    let read_only = default
        .read_only
        .filter(|read_only| !(*read_only && destructive));
    hints.read_only = own.read_only.or(read_only);
    let is_read_only = hints.read_only == Some(true);
    hints.destructive = own
        .destructive
        .or(default.destructive.filter(|_| !is_read_only));
    hints.idempotent = own.idempotent.or(default.idempotent);
    hints.open_world = own.open_world.or(default.open_world);
    hints
}
