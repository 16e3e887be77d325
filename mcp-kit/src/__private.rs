//! The items that the macros' expansions use. They are not a public API, and
//! may change with every release.
#![allow(missing_docs)]

pub use crate::args::shape::{
    Bound, BoundOf, EnumShape, FieldShape, LengthMode, Repr, Rule, Shape, Shaped, StructShape,
    VariantKind, VariantShape,
};
// mcp-kit's own tests compile and decode arguments without a server.
pub use crate::args::compiled::{CompiledArgs, Decoded};
pub use crate::args::derives::{DerivesDeserialize, DerivesJsonSchema, DerivesValidate};
pub use crate::args::{ArgsSpec, ToolArgs};
pub use crate::call::Call;
pub use crate::content::{CacheScope, Role};
pub use crate::elicit::form::FormCell;
pub use crate::elicit::{ElicitForm, FormChoice, FormField};
pub use crate::handler::{HandlerFuture, Parameter, reply, run_blocking};
pub use crate::limits::Rate;
pub use crate::missing_derive::{Derived, MissingDerive, NotDerived};
pub use crate::primitive::WarningCode;
pub use crate::prompt::{IntoPromptResult, PromptFn, PromptSpec};
pub use crate::resource::{IntoResourceResult, ResourceFn, ResourceSpec};
pub use crate::schema::NamedRule;
pub use crate::tool::{IntoToolResult, ToolFn, ToolSpec};
pub use garde;
pub use mcp_kit_macros::tool_function;
