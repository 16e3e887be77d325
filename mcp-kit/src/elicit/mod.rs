//! Forms for the client's user: argument structs that are flat.
//!
//! ```text
//!  struct that derives ElicitForm ──► requestedSchema, in the form of the
//!                                     client's version        (form)
//!  the user's answer ──► args: serde, garde, report ──► T
//! ```
//!
//! A form is compiled when it is first asked, once per process. Its answers are
//! decoded and checked like a tool's arguments. The [`FormField`] trait is the
//! list of types that a field can have.

mod field;
pub(crate) mod form;
#[cfg(test)]
mod tests;

pub use field::{FormChoice, FormField};
pub(crate) use form::Form;

use crate::args::ToolArgs;

/// A form that [`Client::elicit`](crate::extract::Client::elicit) can ask of the
/// client's user: a struct with named fields that derives `Deserialize`,
/// `JsonSchema`, `Validate` and `ElicitForm`.
///
/// Derive it, never implement it: the derive checks that the struct has the flat
/// shape that the specification allows. Each field is
///
/// | field | shown as |
/// |---|---|
/// | `String`, `char`, URLs, dates and the other types that are a text | text; `length(chars, …)`, `email` and `url` of garde, and dates, are published |
/// | an integer, a float | a number; `range(…)` is published |
/// | `bool` | a checkbox |
/// | an enum without fields that derives `ToolArgs` | a choice of one value |
/// | `Vec`, `HashSet` or `BTreeSet` of such an enum | a choice of several values (2025-11-25 and later); `length(…)` is published |
/// | `Option` of these | may be left out |
///
/// A field's doc comment is its description, and `#[schemars(title = "…")]` its
/// label. The values of an enum are labelled by their `title`, or else by the
/// first paragraph of their doc comments. `#[serde(default)]` is what the client fills in
/// beforehand. Rules that a form cannot express, such as `pattern`, are described
/// in words; the answer is checked against all of them.
///
/// A form must not ask for secrets such as passwords: the client and its model may
/// read the answer. Use [`Client::elicit_url`](crate::extract::Client::elicit_url).
///
/// ```
/// use garde::Validate;
/// use mcp_kit::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
/// struct Seat {
///     /// The row, counted from the front.
///     #[schemars(title = "Row")]
///     #[garde(range(min = 1, max = 30))]
///     row: u8,
///     #[garde(skip)]
///     place: Option<Place>,
/// }
///
/// #[derive(Deserialize, JsonSchema, ToolArgs)]
/// #[serde(rename_all = "lowercase")]
/// enum Place {
///     /// At the window
///     Window,
///     /// At the aisle
///     Aisle,
/// }
///
/// mcp_kit::testing::assert_schema_agrees::<Seat>();
/// ```
///
/// Specification: [elicitation](https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form",
    label = "does not derive `ElicitForm`",
    note = "derive `Deserialize`, `JsonSchema`, `Validate` and `ElicitForm` for a struct with flat fields"
)]
pub trait ElicitForm: ToolArgs {
    #[doc(hidden)]
    fn __form() -> &'static form::FormCell;
}
