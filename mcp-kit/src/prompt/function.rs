//! Prompts made from functions: the server side of the expansion of
//! `#[prompt]`.

use super::{PromptDefinition, PromptResult};
use crate::call::{Call, Handler, Reply};
use crate::extract::Requirements;
use crate::handler::{Function, FunctionSpec, HandlerFuture, HandlerResult};

/// The data that `#[prompt]` records about a function: what all attributes record.
pub use crate::handler::FunctionSpec as PromptSpec;

/// A function with `#[prompt]`, as a type.
///
/// The macro implements it for a struct of the function's name, which is what
/// [`ServerBuilder::prompt`](crate::server::ServerBuilder::prompt) takes. Its
/// items may change with every release, so do not implement it by hand;
/// implement [`Prompt`](super::Prompt) instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    label = "not a function with `#[prompt]`",
    note = "write `#[prompt]` above the function and name it here: `.prompt::<my_function>()`"
)]
pub trait PromptFn: 'static {
    #[doc(hidden)]
    fn describe(spec: &mut PromptSpec);
    #[doc(hidden)]
    fn call(call: Call) -> HandlerFuture;
}

impl HandlerResult for PromptResult {
    fn into_reply(self) -> Reply {
        Reply::Prompt(self)
    }
}

/// Returns the requirements of a `#[prompt]` function, and its definition.
pub(crate) fn describe<T: PromptFn>() -> (PromptDefinition, Requirements, impl Handler) {
    let mut spec = FunctionSpec::new();
    T::describe(&mut spec);
    let FunctionSpec {
        common,
        requirements,
    } = spec;
    let definition = PromptDefinition::of(common);
    (definition, requirements, Function(T::call))
}
