//! The reply of a handler.

use crate::content::{PromptResult, ResultMeta, ToolResult};
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
}

impl Reply {
    /// Returns the kind of the primitive that replies.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tool(_) => Kind::Tool,
            Self::Prompt(_) => Kind::Prompt,
        }
    }

    /// Whether the reply reports a failure (`isError` of a tool's result).
    #[must_use]
    pub fn is_error(&self) -> bool {
        match self {
            Self::Tool(result) => result.is_error(),
            Self::Prompt(_) => false,
        }
    }

    /// Returns the tool's result, if it is one.
    #[must_use]
    pub fn as_tool(&self) -> Option<&ToolResult> {
        match self {
            Self::Tool(result) => Some(result),
            Self::Prompt(_) => None,
        }
    }

    /// Returns the tool's result, if it is one.
    #[must_use]
    pub fn into_tool(self) -> Option<ToolResult> {
        match self {
            Self::Tool(result) => Some(result),
            Self::Prompt(_) => None,
        }
    }

    /// Returns the prompt's result, if it is one.
    #[must_use]
    pub fn as_prompt(&self) -> Option<&PromptResult> {
        match self {
            Self::Prompt(result) => Some(result),
            Self::Tool(_) => None,
        }
    }

    /// Returns the prompt's result, if it is one.
    #[must_use]
    pub fn into_prompt(self) -> Option<PromptResult> {
        match self {
            Self::Prompt(result) => Some(result),
            Self::Tool(_) => None,
        }
    }

    /// Returns its `_meta`, if it has any.
    pub(super) fn meta(&self) -> Option<&ResultMeta> {
        let meta = match self {
            Self::Tool(result) => &result.meta,
            Self::Prompt(result) => &result.meta,
        };
        (!meta.is_empty()).then_some(meta)
    }

    /// Returns its bytes as JSON, without the envelope.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Tool(result) => result.size(),
            Self::Prompt(result) => result.size(),
        }
    }

    /// Whether [`size`](Self::size) is at most `bytes`; most replies are so small
    /// that nothing has to be counted.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        match self {
            Self::Tool(result) => result.fits(bytes),
            Self::Prompt(result) => result.fits(bytes),
        }
    }
}

impl From<ToolResult> for Reply {
    fn from(result: ToolResult) -> Self {
        Self::Tool(result)
    }
}

impl From<PromptResult> for Reply {
    fn from(result: PromptResult) -> Self {
        Self::Prompt(result)
    }
}
