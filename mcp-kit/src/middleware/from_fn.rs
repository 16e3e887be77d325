//! Middlewares made of functions.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use super::{Middleware, Next};
use crate::tool::{ToolCall, ToolError, ToolResult};

/// Makes a middleware of a function that returns a boxed future.
///
/// ```
/// use mcp_kit::middleware::{from_fn, Next};
/// use mcp_kit::tool::ToolCall;
///
/// let audit = from_fn(|call: ToolCall, next: Next<'_>| Box::pin(async move {
///     let (tool, caller) = (call.tool().to_owned(), call.principal().clone());
///     let outcome = next.run(call).await;
///     tracing::info!(tool, caller = caller.name(), ok = outcome.is_ok(), "audited");
///     outcome
/// }));
/// ```
pub fn from_fn<F>(function: F) -> FromFn<F>
where
    F: for<'a> Fn(
            ToolCall,
            Next<'a>,
        )
            -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'a>>
        + Send
        + Sync
        + 'static,
{
    FromFn(function)
}

/// A middleware made by [`from_fn`].
#[derive(Clone, Copy)]
pub struct FromFn<F>(F);

impl<F> std::fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}

impl<F> Middleware for FromFn<F>
where
    F: for<'a> Fn(
            ToolCall,
            Next<'a>,
        )
            -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'a>>
        + Send
        + Sync
        + 'static,
{
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        call: ToolCall,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        'next: 'async_trait,
        Self: 'async_trait,
    {
        (self.0)(call, next)
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(std::any::type_name::<F>().trim_end_matches("::{{closure}}"))
    }
}
