//! A framework for MCP servers that people put in production.

#[doc(hidden)]
pub mod __private;
pub mod args;
#[cfg(feature = "cli")]
pub mod cli;
pub mod context;
mod limiter;
#[cfg(feature = "logging")]
pub mod logging;
pub mod middleware;
mod panics;
pub mod prelude;
pub mod protocol;
mod reference;
mod schema;
pub mod server;
pub mod testing;
mod text;
pub mod tool;
pub mod transport;

pub use async_trait::async_trait;

pub use args::ToolArgs;
pub use context::{Cancellation, Extension, Principal, Progress, State};
/// The macros; `ToolArgs` is both the trait and its derive.
pub use mcp_kit_macros::{ToolArgs, tool};
pub use server::Server;
pub use tool::{Json, ResultExt, ToolError};
