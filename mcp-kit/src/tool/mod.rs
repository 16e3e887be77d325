//! Tools: their definitions, their handlers and their results.
//!
//! The guide explains [how to write a tool](crate::guide::writing_a_tool).

mod function;
mod lint;
mod result;
mod row;
#[cfg(feature = "cli")]
mod shown;

/// The name under which tool authors use [`Error`](crate::call::Error).
pub use crate::call::Error as ToolError;
pub use crate::call::ErrorKind;
pub use crate::content::ToolResult;
pub use crate::handler::Parameter;
pub use crate::primitive::{Annotations, TaskSupport, ToolDefinition};
pub use function::ToolFn;
#[doc(hidden)]
pub use function::ToolSpec;
pub(crate) use function::describe;
pub use result::{IntoToolResult, Json};

use std::future::Future;

use async_trait::async_trait;

use crate::call::{Call, Handler, NextFuture, Reply};

/// A tool: a definition and a handler.
///
/// `#[tool]` functions and [`from_fn`] make one; implement it by hand for tools
/// whose definition is only known at run time and whose handler needs state of
/// its own.
///
/// ```
/// use mcp_kit::call::Call;
/// use mcp_kit::tool::{Tool, ToolDefinition, ToolResult};
/// use mcp_kit::ToolError;
///
/// struct Proxy { definition: ToolDefinition }
///
/// #[mcp_kit::async_trait]
/// impl Tool for Proxy {
///     fn definition(&self) -> &ToolDefinition { &self.definition }
///
///     async fn call(&self, call: Call) -> Result<ToolResult, ToolError> {
///         let names: Vec<_> = call.arguments().keys().cloned().collect();
///         Ok(ToolResult::text(names.join(", ")))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool that is known at run time",
    label = "does not implement `Tool`",
    note = "make one with `mcp_kit::tool::from_fn(definition, handler)`, or implement `mcp_kit::tool::Tool`; a function with `#[tool]` is registered with `.tool::<my_function>()`"
)]
#[async_trait]
pub trait Tool: Send + Sync + 'static {
    /// Returns the name, description, schemas and policy. Called once, when the
    /// tool is registered.
    fn definition(&self) -> &ToolDefinition;

    /// Runs the tool. The arguments are valid by the definition's schema.
    ///
    /// # Errors
    ///
    /// Returns the failure of the tool: [`ToolError`] decides what the client
    /// sees of it.
    async fn call(&self, call: Call) -> Result<ToolResult, ToolError>;
}

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
