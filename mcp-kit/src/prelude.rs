//! The items that most servers use: `use mcp_kit::prelude::*;`.

pub use crate::call::RequestInfo;
pub use crate::call::ResultExt;
pub use crate::caller::Principal;
pub use crate::content::{Content, PromptMessage, PromptResult, ToolResult};
pub use crate::extract::{Cancellation, Client, Elicited, Extension, FromCall, Progress, State};
pub use crate::prompt::IntoPromptResult;
pub use crate::server::Server;
pub use crate::tool::ToolError;
pub use crate::tool::{IntoToolResult, Json};
pub use crate::{ElicitForm, ToolArgs, prompt, resource, tool, user_error};
