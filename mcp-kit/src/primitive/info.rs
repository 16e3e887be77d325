//! What is known of every primitive, whatever its kind.

use std::borrow::Cow;
use std::fmt;

use super::{Annotations, ToolDefinition};

/// The kinds of primitives that a server offers. (Specification: "Server
/// Features".)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A tool, called with `tools/call`.
    Tool,
}

impl Kind {
    /// Its word in logs, metrics and traces: `tool`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What clients know of a primitive, whatever its kind.
#[derive(Clone, Debug)]
pub struct PrimitiveInfo {
    kind: Kind,
    name: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    description: Cow<'static, str>,
    scope: Option<Cow<'static, str>>,
    annotations: Annotations,
}

impl PrimitiveInfo {
    /// Of a tool with these hints.
    pub(crate) fn of_tool(tool: &ToolDefinition, annotations: Annotations) -> Self {
        Self {
            kind: Kind::Tool,
            name: tool.name.clone(),
            title: tool.title.clone(),
            description: tool.description.clone(),
            scope: tool.scope.clone(),
            annotations,
        }
    }

    /// What kind of primitive it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name, unique among those of its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The scope that a caller must hold to see and to call it.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Its hints; of a primitive that is no tool none is set.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }
}
