//! Middleware: code that runs around every call, and the rest of a call's chain.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Call, ToolError};
use crate::content::ToolResult;
use crate::registry::ToolEntry;

/// Something that wraps calls: it sees the call before, and the outcome after.
///
/// ```
/// use mcp_kit::middleware::{Middleware, Next};
/// use mcp_kit::call::Call;
/// use mcp_kit::tool::ToolResult;
/// use mcp_kit::ToolError;
///
/// struct OfficeHours;
///
/// #[mcp_kit::async_trait]
/// impl Middleware for OfficeHours {
///     async fn handle(&self, call: Call, next: Next<'_>) -> Result<ToolResult, ToolError> {
///         if call.principal().name() == "intern" {
///             return Err(ToolError::user("Interns call between 9 and 5."));
///         }
///         next.run(call).await
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a middleware",
    label = "does not implement `Middleware`",
    note = "implement `mcp_kit::middleware::Middleware` for it; a closure or an `async fn` becomes one with `mcp_kit::middleware::from_fn(…)`"
)]
#[async_trait]
pub trait Middleware: Send + Sync + 'static {
    /// Handles a call: run `next`, or answer in its place.
    ///
    /// # Errors
    ///
    /// The call's failure; what of it the client sees is in [`ToolError`].
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<ToolResult, ToolError>;

    /// What `check` shows it as; the type's name unless it is said here.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(std::any::type_name::<Self>())
    }
}

/// The rest of the chain, for the call that it was given with.
#[must_use = "the call goes no further unless `run` is called"]
pub struct Next<'a> {
    entry: Entry<'a>,
    /// The layers of the tool from this one on.
    from: usize,
}

enum Entry<'a> {
    Borrowed(&'a Arc<ToolEntry>),
    Owned(Arc<ToolEntry>),
}

/// The future of the rest of the chain.
pub type NextFuture<'a> = Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'a>>;

impl<'a> Next<'a> {
    pub(crate) fn of(entry: &'a Arc<ToolEntry>) -> Self {
        Self {
            entry: Entry::Borrowed(entry),
            from: 0,
        }
    }

    /// Runs the rest of the chain.
    ///
    /// The call is the one that came with this: another tool's call ends with
    /// an internal error.
    pub fn run(self, call: Call) -> NextFuture<'a> {
        let Self { entry, from } = self;
        match entry {
            Entry::Borrowed(entry) if Arc::ptr_eq(entry, &call.context().entry) => {
                match entry.layers.get(from) {
                    Some(layer) => {
                        let next = Next {
                            entry: Entry::Borrowed(entry),
                            from: from + 1,
                        };
                        layer.handle(call, next)
                    }
                    None => entry.tool.call(call),
                }
            }
            Entry::Owned(entry) => Box::pin(async move {
                let entry = Entry::Borrowed(&entry);
                Next { entry, from }.run(call).await
            }),
            Entry::Borrowed(_) => Box::pin(ready(Err(ToolError::internal(
                "a middleware ran another tool's chain for this call",
            )))),
        }
    }

    /// The same, borrowing nothing: for closures, whose futures cannot borrow
    /// from their arguments.
    pub(crate) fn into_owned(self) -> Next<'static> {
        let entry = match self.entry {
            Entry::Borrowed(entry) => Arc::clone(entry),
            Entry::Owned(entry) => entry,
        };
        Next {
            entry: Entry::Owned(entry),
            from: self.from,
        }
    }
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}
