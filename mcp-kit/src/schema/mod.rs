//! JSON Schema: simplified for clients, compiled once, and checked directly
//! over the text of a message.

mod coerce;
mod compile;
mod cursor;
mod finding;
mod node;
mod number;
mod portable;
mod run_time;
#[cfg(feature = "cli")]
pub(crate) mod shown;
#[cfg(feature = "json-schema")]
mod standard;
mod string_rule;
pub(crate) mod text_form;
mod text_rule;
mod tidy;
mod walk;
mod words;

pub(crate) use coerce::{Coerced, Rewrites};
pub(crate) use compile::{NOTES, typed};
pub(crate) use cursor::{Cursor, Malformed};
pub(crate) use finding::{Finding, child_item, child_member, last_member, place_of};
pub(crate) use number::Number;
pub(crate) use portable::{
    ORDER, Obstacle, limit_problems, obstacles, run_time_input, run_time_output, typed_input,
    typed_output,
};
pub(crate) use run_time::{RunTime, Standard};
pub use string_rule::NamedRule;
pub(crate) use string_rule::StringRule;
pub(crate) use text_form::TextForm;
pub(crate) use text_rule::{TextRule, foreign_to_ecma, length};
pub(crate) use tidy::{bounds_of_format, describe, each};
pub(crate) use walk::Validator;
#[cfg(feature = "cli")]
pub(crate) use words::nearest;
pub(crate) use words::{Step, push_step};
