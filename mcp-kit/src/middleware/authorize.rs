//! Lets only callers with the tool's scope pass.

use std::borrow::Cow;

use async_trait::async_trait;

use super::{Middleware, Next};
use crate::call::{Call, ErrorKind, ToolError};
use crate::content::ToolResult;

/// Refuses callers that lack the tool's scope (`#[tool(scope = "…")]`). Such a
/// tool is not in their list either.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authorize;

#[async_trait]
impl Middleware for Authorize {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<ToolResult, ToolError> {
        if let Some(scope) = call.definition().scope()
            && !call.principal().has_scope(scope)
        {
            return Err(ToolError::refusal(
                ErrorKind::Forbidden,
                format!(
                    "Unknown tool: {} is not among this caller's tools, since the caller lacks the scope \"{scope}\".",
                    call.tool()
                ),
            ));
        }
        next.run(call).await
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("Authorize")
    }
}
