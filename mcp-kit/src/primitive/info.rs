//! The data that primitives of every kind have.

use std::borrow::Cow;
use std::fmt;

use crate::caller::Principal;

use super::{Annotations, CommonDefinition};

/// The kinds of primitives that a server offers. (Specification: "Server
/// Features".)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A tool, called with `tools/call`.
    Tool,
    /// A prompt, requested with `prompts/get`.
    Prompt,
    /// A resource, read with `resources/read`.
    Resource,
    /// A template of resources, or a provider of some; each of its URIs is read
    /// with `resources/read`.
    ResourceTemplate,
    /// The completion of a prompt's arguments or a template's variables,
    /// requested with `completion/complete`; it has the name of the prompt or the
    /// template.
    Completion,
    /// A method of an extension, requested by its own name; see
    /// [`extension`](crate::extension).
    Method,
    /// A notification of an extension that clients send.
    Notification,
}

impl Kind {
    /// Every kind of primitive, in the order in which commands show them.
    #[cfg(feature = "cli")]
    pub(crate) const ALL: &[Self] = &[
        Self::Tool,
        Self::Prompt,
        Self::Resource,
        Self::ResourceTemplate,
        Self::Method,
        Self::Notification,
    ];

    /// Its word in logs, metrics and traces: `tool`, `prompt`, `resource`,
    /// `resource_template`, `completion`, `method`, `notification`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::ResourceTemplate => "resource_template",
            Self::Completion => "completion",
            Self::Method => "method",
            Self::Notification => "notification",
        }
    }

    /// The member of a list's result, and the capability: `tools`, `prompts`.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Prompt => "prompts",
            Self::Resource => "resources",
            Self::ResourceTemplate => "resourceTemplates",
            Self::Completion => "completions",
            Self::Method => "methods",
            Self::Notification => "notifications",
        }
    }

    /// The attribute of a trace that has its name. (OpenTelemetry's semantic
    /// conventions for MCP.)
    #[cfg(feature = "otel")]
    pub(crate) const fn trace_attribute(self) -> Option<&'static str> {
        match self {
            Self::Tool => Some("gen_ai.tool.name"),
            Self::Prompt => Some("gen_ai.prompt.name"),
            Self::Resource | Self::ResourceTemplate => Some("mcp.resource.uri"),
            Self::Completion | Self::Method | Self::Notification => None,
        }
    }

    /// The kind whose capability covers it.
    pub(crate) const fn capability(self) -> Self {
        match self {
            Self::ResourceTemplate => Self::Resource,
            Self::Notification => Self::Method,
            kind => kind,
        }
    }
}

/// Its name in sentences: `tool`, `resource template`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ResourceTemplate => "resource template",
            kind => kind.as_str(),
        })
    }
}

/// Scopes that a caller must hold, all of them.
pub(crate) type Scopes = Vec<Cow<'static, str>>;

/// The data of a primitive of any kind that clients see.
#[derive(Clone, Debug)]
pub struct PrimitiveInfo {
    kind: Kind,
    name: Cow<'static, str>,
    title: Option<Cow<'static, str>>,
    description: Cow<'static, str>,
    scopes: Scopes,
    annotations: Annotations,
}

impl PrimitiveInfo {
    /// Describes a primitive without hints. `scopes` are those of the routers
    /// around it.
    pub(crate) fn new(kind: Kind, common: &CommonDefinition, mut scopes: Scopes) -> Self {
        scopes.extend(common.scope.clone());
        Self {
            kind,
            name: common.name.clone(),
            title: common.title.clone(),
            description: common.description.clone(),
            scopes,
            annotations: Annotations::default(),
        }
    }

    /// Describes the completion of this prompt or template.
    pub(crate) fn of_completion(&self) -> Self {
        Self {
            kind: Kind::Completion,
            ..self.clone()
        }
    }

    /// Sets the hints.
    pub(crate) fn with_annotations(mut self, annotations: Annotations) -> Self {
        self.annotations = annotations;
        self
    }

    /// Returns the primitive's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns its name, unique among those of its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its name for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Returns its description.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the scopes that a caller must hold to see and to call it: its
    /// own, and those of the routers that it is in.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(AsRef::as_ref)
    }

    /// Returns a scope that it requires and the caller does not hold. Decides
    /// both what is listed and what can be called.
    pub(crate) fn missing_scope(&self, principal: &Principal) -> Option<&str> {
        self.scopes().find(|scope| !principal.has_scope(scope))
    }

    /// Its hints. Only tools have any.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }
}
