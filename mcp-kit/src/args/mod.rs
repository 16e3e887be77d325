//! A tool's arguments: what the schema promises, what serde decodes and what
//! garde checks, kept to be the same rules.

#[doc(hidden)]
pub mod shape;
