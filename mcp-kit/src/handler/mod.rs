//! Functions with an attribute, such as `#[tool]`: what the expansions of all
//! attributes share. The module of each kind adds what differs.
//!
//! ```text
//! #[tool] async fn …      describe(spec)   FunctionSpec ─► the kind's definition
//!                         call(call)       Parameter::from_call ─► the function ─► reply
//! ```
//!
//! Types are erased at this boundary, so that little code is compiled in the
//! crate that uses the macros.

mod blocking;
mod function;

pub use blocking::run_blocking;
pub(crate) use function::Via as ParameterVia;
pub use function::{FunctionSpec, Parameter};

use crate::call::{Call, Error, Handler, NextFuture, Reply};

/// The future of a handler.
pub type HandlerFuture = NextFuture<'static>;

/// The results that the kinds' own conversions return, such as
/// [`ToolResult`](crate::tool::ToolResult).
pub trait HandlerResult {
    #[doc(hidden)]
    fn into_reply(self) -> Reply;
}

/// Converts what a function returned into the reply of its handler.
#[allow(missing_docs, clippy::missing_errors_doc)]
pub fn reply(result: Result<impl HandlerResult, Error>) -> Result<Reply, Error> {
    result.map(HandlerResult::into_reply)
}

/// A function with an attribute, as the innermost part of its chain.
pub(crate) struct Function(pub(crate) fn(Call) -> HandlerFuture);

impl Handler for Function {
    fn run(&self, call: Call) -> NextFuture<'_> {
        (self.0)(call)
    }
}
