//! Middlewares made of functions.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use super::{Middleware, Next};
use crate::call::{Call, ToolError};
use crate::content::ToolResult;

/// Makes a middleware of an `async` function or a closure.
///
/// ```
/// use mcp_kit::middleware::{Next, from_fn};
/// use mcp_kit::call::Call;
/// use mcp_kit::tool::ToolResult;
/// use mcp_kit::{Server, ToolError};
///
/// async fn audit(call: Call, next: Next<'static>) -> Result<ToolResult, ToolError> {
///     let (tool, caller) = (call.tool().to_owned(), call.principal().clone());
///     let outcome = next.run(call).await;
///     tracing::info!(tool, caller = caller.name(), ok = outcome.is_ok(), "audited");
///     outcome
/// }
///
/// let server = Server::builder("audited", "1.0.0")
///     .layer_after_validation(from_fn(audit))
///     .layer(from_fn(|call, next| async move { next.run(call).await }))
///     .build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
pub fn from_fn<F, Fut>(function: F) -> FromFn<F>
where
    F: Fn(Call, Next<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ToolResult, ToolError>> + Send + 'static,
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

// Written out where `#[async_trait]` could stand: the function's future goes
// into a box as it is, without another around it.
impl<F, Fut> Middleware for FromFn<F>
where
    F: Fn(Call, Next<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ToolResult, ToolError>> + Send + 'static,
{
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        call: Call,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        'next: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin((self.0)(call, next.into_owned()))
    }

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(std::any::type_name::<F>().trim_end_matches("::{{closure}}"))
    }
}
