//! Middleware: code that wraps calls, and the rest of a call's chain.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Call, CallContext, Error, Reply};
use crate::primitive::PrimitiveInfo;

/// Wraps calls: it sees the call before, and the reply after.
///
/// ```
/// use mcp_kit::call::{Call, Error, Reply};
/// use mcp_kit::middleware::{Middleware, Next};
/// use mcp_kit::primitive::PrimitiveInfo;
///
/// /// Lets interns only read.
/// struct ReadOnlyForInterns;
///
/// #[mcp_kit::async_trait]
/// impl Middleware for ReadOnlyForInterns {
///     async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
///         if call.principal().name() == "intern" {
///             return Err(Error::forbidden("Interns may only read."));
///         }
///         next.run(call).await
///     }
///
///     fn applies(&self, to: &PrimitiveInfo) -> bool {
///         to.annotations().read_only != Some(true)
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
    /// Handles a call: runs `next`, or answers in its place.
    ///
    /// # Errors
    ///
    /// Returns the call's failure; [`Error`] decides what the client sees of
    /// it.
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error>;

    /// Whether this middleware wraps the calls of a primitive. Called once,
    /// when the primitive is registered: if it returns false, the middleware is
    /// not in the chain.
    fn applies(&self, to: &PrimitiveInfo) -> bool {
        let _ = to;
        true
    }

    /// The middleware's name in the output of `check`; the type's name by
    /// default.
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(std::any::type_name::<Self>())
    }
}

/// The rest of the chain, for the call that it was passed with.
#[must_use = "the call goes no further unless `run` is called"]
pub struct Next<'a> {
    context: Held<'a>,
    /// The layers of the call's target from this one on.
    from: usize,
}

/// A call's context.
pub(crate) enum Held<'a> {
    Borrowed(&'a Arc<CallContext>),
    Owned(Arc<CallContext>),
}

impl Deref for Held<'_> {
    type Target = Arc<CallContext>;

    fn deref(&self) -> &Arc<CallContext> {
        match self {
            Held::Borrowed(context) => context,
            Held::Owned(context) => context,
        }
    }
}

/// The future of the rest of the chain.
pub type NextFuture<'a> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

impl<'a> Next<'a> {
    pub(super) fn of(context: &'a Arc<CallContext>) -> Self {
        Self {
            context: Held::Borrowed(context),
            from: 0,
        }
    }

    /// Returns the context of `call`, for a layer that needs it after it has passed
    /// the call on.
    pub(crate) fn context_of(&self, call: &Call) -> Held<'a> {
        match &self.context {
            Held::Borrowed(context) if Arc::ptr_eq(context, call.context()) => {
                Held::Borrowed(context)
            }
            _ => Held::Owned(Arc::clone(call.context())),
        }
    }

    /// Runs the rest of the chain.
    ///
    /// The call must be the one that was passed with it: another primitive's
    /// call ends with an internal error.
    pub fn run(self, call: Call) -> NextFuture<'a> {
        let Self { context, from } = self;
        match context {
            Held::Borrowed(context) if Arc::ptr_eq(&context.target, &call.context().target) => {
                let transport = call.context().request.transport;
                match context.target.chains.of(transport).get(from) {
                    Some(layer) => {
                        let next = Next {
                            context: Held::Borrowed(context),
                            from: from + 1,
                        };
                        layer.handle(call, next)
                    }
                    None => context.target.handler.run(call),
                }
            }
            Held::Owned(context) => Box::pin(async move {
                let context = Held::Borrowed(&context);
                Next { context, from }.run(call).await
            }),
            Held::Borrowed(_) => Box::pin(ready(Err(Error::internal(
                "a middleware ran another primitive's chain for this call",
            )))),
        }
    }

    /// Returns the rest of the chain without borrowing, for closures, whose
    /// futures cannot borrow from their arguments.
    pub(crate) fn into_owned(self) -> Next<'static> {
        let context = match self.context {
            Held::Borrowed(context) => Arc::clone(context),
            Held::Owned(context) => context,
        };
        Next {
            context: Held::Owned(context),
            from: self.from,
        }
    }
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}
