//! Primitives: what a server offers, as data. Names, descriptions, hints and
//! schemas; what a call of one does is elsewhere (`call`, `tool`).

mod info;
mod tool;
mod warning_code;

pub use info::{Kind, PrimitiveInfo};
pub use tool::{Annotations, ToolDefinition};
pub use warning_code::WarningCode;
