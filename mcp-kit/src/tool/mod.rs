//! Tools: their definitions, their handlers and their results.
//!
//! The guide explains [how to write a tool](crate::guide::writing_a_tool).

mod function;
mod lint;
mod result;
mod row;
mod runtime;

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
pub(crate) use runtime::RuntimeHandler;
pub use runtime::{RuntimeTool, from_fn};

use async_trait::async_trait;

use crate::call::Call;

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
