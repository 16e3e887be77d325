//! What a server offers, once it is built: each tool with its chain and limits,
//! the lists of them, and what could serve models better.

mod entry;
mod lint;
mod options;
mod pages;
mod policy;
mod warning;

pub use crate::primitive::WarningCode;
pub(crate) use entry::ToolEntry;
pub use options::ToolOptions;
pub(crate) use options::{Policy, Registered};
pub use policy::ToolPolicy;
pub use warning::Warning;
