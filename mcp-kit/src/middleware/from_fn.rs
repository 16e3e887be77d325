//! Middlewares made of functions.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use super::{Middleware, Next};
use crate::call::{Call, Error, Reply};

/// Makes a middleware of an `async` function or a closure.
///
/// ```
/// use mcp_kit::Server;
/// use mcp_kit::call::{Call, Error, Reply};
/// use mcp_kit::middleware::{Next, from_fn};
///
/// async fn stamp(mut call: Call, next: Next<'static>) -> Result<Reply, Error> {
///     call.insert_extension(std::time::SystemTime::now());
///     next.run(call).await
/// }
///
/// let server = Server::builder("stamped", "1.0.0")
///     .layer_after_validation(from_fn(stamp))
///     .layer(from_fn(|call, next| async move { next.run(call).await }))
///     .build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
pub fn from_fn<F, Fut>(function: F) -> FromFn<F>
where
    F: Fn(Call, Next<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Error>> + Send + 'static,
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

// `#[async_trait]` written out: the function's future goes into a box as it is,
// without another around it.
impl<F, Fut> Middleware for FromFn<F>
where
    F: Fn(Call, Next<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Error>> + Send + 'static,
{
    fn handle<'life, 'next, 'async_trait>(
        &'life self,
        call: Call,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'async_trait>>
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
