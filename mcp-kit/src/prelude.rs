//! What most servers use: `use mcp_kit::prelude::*;`.

pub use crate::context::{
    Cancellation, Extension, FromContext, Principal, Progress, RequestInfo, State,
};
pub use crate::server::Server;
pub use crate::tool::{Content, IntoToolResult, Json, ResultExt, ToolError, ToolResult};
pub use crate::{ToolArgs, tool, user_error};
