//! The reply of a handler.

use crate::content::{
    Completions, MethodResult, PromptResult, ResourcePage, ResourceResult, ResultMeta, ToolResult,
};
use crate::primitive::Kind;

/// The reply of a call, of the kind that was called.
///
/// Middlewares receive it from [`Next::run`](super::Next::run) and can answer
/// with one of their own.
///
/// ```
/// use mcp_kit::call::{Call, Error, Reply};
/// use mcp_kit::middleware::Next;
/// use mcp_kit::tool::ToolResult;
///
/// /// Answers one tool from a fixed text.
/// async fn fixed(call: Call, next: Next<'static>) -> Result<Reply, Error> {
///     if call.name() == "motd" {
///         return Ok(ToolResult::text("All systems are up.").into());
///     }
///     next.run(call).await
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// The result of a tool.
    Tool(ToolResult),
    /// The messages of a prompt.
    Prompt(PromptResult),
    /// The contents of a resource.
    Resource(ResourceResult),
    /// A page of a list of resources.
    ResourcePage(ResourcePage),
    /// Suggestions for an argument.
    Completion(Completions),
    /// The result of a method of an extension.
    Method(MethodResult),
}

impl Reply {
    /// Returns the kind of the primitive that replies: [`Kind::Resource`] also for
    /// a template.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tool(_) => Kind::Tool,
            Self::Prompt(_) => Kind::Prompt,
            Self::Resource(_) | Self::ResourcePage(_) => Kind::Resource,
            Self::Completion(_) => Kind::Completion,
            Self::Method(_) => Kind::Method,
        }
    }

    /// Whether the reply reports a failure (`isError` of a tool's result).
    #[must_use]
    pub fn is_error(&self) -> bool {
        match self {
            Self::Tool(result) => result.is_error(),
            _ => false,
        }
    }

    /// Returns the tool's result, if it is one.
    #[must_use]
    pub fn as_tool(&self) -> Option<&ToolResult> {
        match self {
            Self::Tool(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the tool's result, if it is one.
    #[must_use]
    pub fn into_tool(self) -> Option<ToolResult> {
        match self {
            Self::Tool(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the prompt's result, if it is one.
    #[must_use]
    pub fn as_prompt(&self) -> Option<&PromptResult> {
        match self {
            Self::Prompt(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the prompt's result, if it is one.
    #[must_use]
    pub fn into_prompt(self) -> Option<PromptResult> {
        match self {
            Self::Prompt(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the contents of a resource, if it is one.
    #[must_use]
    pub fn as_resource(&self) -> Option<&ResourceResult> {
        match self {
            Self::Resource(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the contents of a resource, if it is one.
    #[must_use]
    pub fn into_resource(self) -> Option<ResourceResult> {
        match self {
            Self::Resource(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the result of a method, if it is one.
    #[must_use]
    pub fn as_method(&self) -> Option<&MethodResult> {
        match self {
            Self::Method(result) => Some(result),
            _ => None,
        }
    }

    /// Returns its `_meta`, if it has any.
    pub(super) fn meta(&self) -> Option<&ResultMeta> {
        let meta = match self {
            Self::Tool(result) => &result.meta,
            Self::Prompt(result) => &result.meta,
            Self::Resource(result) => &result.meta,
            Self::ResourcePage(_) | Self::Completion(_) | Self::Method(_) => return None,
        };
        (!meta.is_empty()).then_some(meta)
    }

    /// Returns its bytes as JSON, without the envelope.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Tool(result) => result.size(),
            Self::Prompt(result) => result.size(),
            Self::Resource(result) => result.size(),
            Self::ResourcePage(page) => page.size(),
            Self::Completion(completions) => completions.size(),
            Self::Method(result) => result.size(),
        }
    }

    /// Whether [`size`](Self::size) is at most `bytes`; most replies are so small
    /// that nothing has to be counted.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        match self {
            Self::Tool(result) => result.fits(bytes),
            Self::Prompt(result) => result.fits(bytes),
            Self::Resource(result) => result.fits(bytes),
            Self::ResourcePage(page) => page.size() <= bytes,
            Self::Completion(completions) => completions.size() <= bytes,
            Self::Method(result) => result.size() <= bytes,
        }
    }
}

impl From<ToolResult> for Reply {
    fn from(result: ToolResult) -> Self {
        Self::Tool(result)
    }
}

impl From<Completions> for Reply {
    fn from(completions: Completions) -> Self {
        Self::Completion(completions)
    }
}

impl From<MethodResult> for Reply {
    fn from(result: MethodResult) -> Self {
        Self::Method(result)
    }
}

impl From<PromptResult> for Reply {
    fn from(result: PromptResult) -> Self {
        Self::Prompt(result)
    }
}

impl From<ResourceResult> for Reply {
    fn from(result: ResourceResult) -> Self {
        Self::Resource(result)
    }
}
