//! What the macros' expansions name. Nothing here is for people; it may change
//! with every release.
#![allow(missing_docs)]

pub use crate::args::shape::{
    Bound, EnumShape, FieldShape, LengthMode, Repr, Rule, Shape, Shaped, StructShape, VariantKind,
    VariantShape,
};
use crate::tool::{FromToolCall, IntoToolResult, ToolError};
pub use crate::tool::{ToolCall, ToolFuture, ToolSpec, run_blocking};

/// Writes down what a parameter needs.
pub fn describe_param<P: FromToolCall<M>, M>(spec: &mut ToolSpec) {
    P::describe(spec);
}

/// Takes a parameter from the call.
pub fn param<P: FromToolCall<M>, M>(call: &mut ToolCall) -> Result<P, ToolError> {
    P::from_tool_call(call)
}

/// Whether a parameter is the argument struct.
#[must_use]
pub const fn is_args<P: FromToolCall<M>, M>() -> bool {
    P::IS_ARGS
}

/// Writes down the output schema.
pub fn describe_output<R: IntoToolResult>(spec: &mut ToolSpec) {
    spec.output::<R>();
}
