//! Tools known only at run time: a definition and a closure.

use std::future::Future;

use async_trait::async_trait;

use super::{IntoToolResult, Tool, ToolDefinition, ToolError, ToolResult};
use crate::call::{Call, Handler, NextFuture, Reply};

/// Makes a tool of a definition and a handler.
///
/// The arguments are checked against the definition's schema before the
/// handler runs; [`Call::arguments`] has them as JSON.
///
/// ```
/// use mcp_kit::{Server, ToolError, tool};
/// use mcp_kit::call::Call;
/// use mcp_kit::tool::ToolDefinition;
/// use serde_json::json;
///
/// let shout = tool::from_fn(
///     ToolDefinition::new("shout", "Repeats a text in capitals.").with_input_schema(json!({
///         "type": "object",
///         "properties": {"text": {"type": "string"}},
///         "required": ["text"],
///         "additionalProperties": false
///     })),
///     |call: Call| async move {
///         let text = call.arguments()["text"].as_str().unwrap_or_default();
///         Ok::<_, ToolError>(text.to_uppercase())
///     },
/// );
/// let server = Server::builder("shouting", "1.0.0").add(shout).build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
pub fn from_fn<F, Fut>(definition: ToolDefinition, handler: F) -> RuntimeTool<F>
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoToolResult> + Send + 'static,
{
    RuntimeTool {
        definition,
        handler,
    }
}

/// A tool made by [`from_fn`].
#[derive(Debug)]
pub struct RuntimeTool<F> {
    definition: ToolDefinition,
    handler: F,
}

#[async_trait]
impl<F, Fut> Tool for RuntimeTool<F>
where
    F: Fn(Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: IntoToolResult> + Send + 'static,
{
    fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    async fn call(&self, call: Call) -> Result<ToolResult, ToolError> {
        (self.handler)(call).await.into_tool_result()
    }
}

/// A tool that is known only at run time, as the innermost part of its chain.
pub(crate) struct RuntimeHandler<T>(pub(crate) T);

impl<T: Tool> Handler for RuntimeHandler<T> {
    fn passes_call_on(&self) -> bool {
        true
    }

    fn run(&self, call: Call) -> NextFuture<'_> {
        Box::pin(async move { self.0.call(call).await.map(Reply::from) })
    }
}
