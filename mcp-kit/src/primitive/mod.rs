//! Primitives: what a server offers, as data. Names, descriptions, hints and
//! schemas; what a call of one does is elsewhere (`call`, `tool`).

mod info;
#[cfg(feature = "http")]
mod param_header;
mod tool;
mod warning_code;

pub(crate) use info::Scopes;
pub use info::{Kind, PrimitiveInfo};
#[cfg(feature = "http")]
pub(crate) use param_header::ParamHeader;
pub use tool::{Annotations, ToolDefinition};
pub use warning_code::WarningCode;
