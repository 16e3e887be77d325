//! A framework for MCP servers that people put in production.

#[doc(hidden)]
pub mod __private;
pub mod args;
pub mod context;
mod limiter;
pub mod middleware;
mod panics;
pub mod protocol;
mod reference;
mod schema;
pub mod server;
mod text;
pub mod tool;
pub mod transport;

pub use async_trait::async_trait;

pub use args::ToolArgs;
pub use context::{Cancellation, Extension, Principal, Progress, State};
pub use server::Server;
pub use tool::{Json, ResultExt, ToolError};
