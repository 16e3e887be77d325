//! A tool's arguments: the published schema, serde's decoding and garde's
//! checks follow the same rules.
//!
//! A type that derives [`ToolArgs`] is compiled once, when the server is built:
//! the schema is completed from the rules, and every disagreement between the
//! two is a build error. A call then costs one typed decode, garde's checks and
//! one pass over the text for unknown names. Only a call that fails pays for the
//! full report that its client reads.
//!
//! # Arguments as hosts send them
//!
//! Hosts and gateways rewrite what a model wrote: a whole number becomes `5.0`,
//! a list becomes its JSON text, an argument that is not given becomes `null`.
//! The model cannot correct that, so mcp-kit *normalises* it. Arguments are
//! decoded as they are first; only if that fails are they rewritten, by the
//! schema, and decoded again:
//!
//! | sent | the schema at that place | decoded as |
//! |---|---|---|
//! | `5.0`, `1e2`, `-0.0` | whole numbers only | `5`, `100`, `0` |
//! | `"5"`, `"true"`, `"[1,2]"`, `"{…}"` | no text | the JSON in the text |
//! | `null`, `"null"` | an optional argument that is never null | as if it was not given |
//! | `null` | an argument of another variant of an enum | as if it was not given |
//!
//! All such places are rewritten at once, also inside lists, maps, nested
//! structs and JSON texts. Arguments with more than one reading are refused:
//! text if one of several alternatives is a text, a value that fits two
//! alternatives after a rewrite, an argument that appears twice. Arguments that
//! were valid keep their meaning. The tool, and middlewares after validation,
//! see the rewritten text; if it breaks a rule, the report is about that text.
//!
//! The log's line has the number of rewritten places as `normalised`, and
//! `mcp_calls_normalised_total` counts the calls.
//! [`ServerBuilder::strict_arguments`](crate::server::ServerBuilder::strict_arguments)
//! and [`Registration::strict_arguments`](crate::registry::Registration::strict_arguments)
//! turn it off, except for whole numbers, where JSON Schema itself admits `5.0`.
//! Arguments that a host adds to every call are dropped with
//! [`ServerBuilder::ignore_arguments`](crate::server::ServerBuilder::ignore_arguments).
//!
//! The guide explains [arguments and their rules](crate::guide::arguments).

pub(crate) mod broken;
pub(crate) mod compiled;
pub(crate) mod derives;
mod names;
pub(crate) mod publish;
mod repeats;
mod report;
mod rules;
pub(crate) mod shape;
mod shaped;
#[cfg(test)]
mod tests;
mod unexplained;

use std::any::Any;

use garde::Validate;
use serde::de::DeserializeOwned;

pub(crate) use compiled::{Acceptance, CompiledArgs, Decoded};
pub(crate) use derives::{DerivesDeserialize, DerivesJsonSchema, DerivesValidate};
pub(crate) use names::ArgumentNames;
pub(crate) use publish::publish as noted;
pub(crate) use report::Violations;

use shape::{Shape, Shaped};

/// The arguments of a tool: a struct with named fields that derives
/// `Deserialize`, `JsonSchema`, `Validate` and `ToolArgs`.
///
/// Derive it, never implement it: the derive records each field's name on the
/// wire and each garde rule, from which the schema and the report are made.
///
/// Types inside the struct derive it too; an enum of names needs no `Validate`.
/// Types of std, and with mcp-kit's features those of chrono, jiff,
/// `rust_decimal`, url and uuid, are known. Any other type is marked
/// `#[tool_args(opaque)]` at its field: then only serde and garde check it, and
/// `rule = "must …"` describes their check to the model.
///
/// ```
/// use garde::Validate;
/// use mcp_kit::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct Search {
///     /// What to search for.
///     #[garde(length(chars, min = 1, max = 400))]
///     query: String,
///     #[garde(skip)]
///     order: Option<Order>,
///     #[garde(dive)]
///     paging: Paging,
/// }
///
/// #[derive(Deserialize, JsonSchema, ToolArgs)]
/// #[serde(rename_all = "lowercase")]
/// enum Order {
///     Newest,
///     Nearest,
/// }
///
/// #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct Paging {
///     #[garde(range(min = 1, max = 50))]
///     size: u8,
/// }
///
/// mcp_kit::testing::assert_schema_agrees::<Search>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool's argument struct",
    label = "does not derive `ToolArgs`",
    note = "derive `Deserialize`, `JsonSchema`, `Validate` and `ToolArgs` for it"
)]
pub trait ToolArgs: Shaped + Sized + 'static {
    #[doc(hidden)]
    fn __spec() -> ArgsSpec;
}

/// The server's view of an argument type: plain function pointers, so that
/// little code is generated in the user's crate.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ArgsSpec {
    pub type_name: &'static str,
    pub schema: fn(schemars::SchemaGenerator) -> schemars::Schema,
    pub shape: fn() -> &'static Shape,
    pub decode: fn(&str) -> Result<Box<dyn Any + Send>, DecodeError>,
    /// Why nothing of the above is known, for `build()` to report.
    pub missing: Option<&'static str>,
}

impl ArgsSpec {
    pub fn of<T>() -> Self
    where
        T: DerivesDeserialize + DerivesJsonSchema + DerivesValidate + Shaped + Send + 'static,
    {
        Self {
            type_name: std::any::type_name::<T>(),
            schema: schemars::SchemaGenerator::into_root_schema_for::<T>,
            shape: T::shape,
            decode: decode::<T>,
            missing: None,
        }
    }

    /// Of an enum without fields, which has nothing that garde could check.
    pub fn of_names<T>() -> Self
    where
        T: DerivesDeserialize + DerivesJsonSchema + Shaped + Send + 'static,
    {
        Self {
            type_name: std::any::type_name::<T>(),
            schema: schemars::SchemaGenerator::into_root_schema_for::<T>,
            shape: T::shape,
            decode: decode_names::<T>,
            missing: None,
        }
    }
}

fn decode_names<T>(raw: &str) -> Result<Box<dyn Any + Send>, DecodeError>
where
    T: DeserializeOwned + Send + 'static,
{
    let args: T = serde_json::from_str(raw).map_err(DecodeError::Json)?;
    Ok(Box::new(args))
}

fn decode<T>(raw: &str) -> Result<Box<dyn Any + Send>, DecodeError>
where
    T: DeserializeOwned + Validate<Context = ()> + Send + 'static,
{
    let args: T = serde_json::from_str(raw).map_err(DecodeError::Json)?;
    args.validate().map_err(DecodeError::Rules)?;
    Ok(Box::new(args))
}

/// Why a typed decode failed. Neither text is ever shown: both may hold values.
#[doc(hidden)]
#[derive(Debug)]
pub enum DecodeError {
    Json(serde_json::Error),
    Rules(garde::Report),
}
