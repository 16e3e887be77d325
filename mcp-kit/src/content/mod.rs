//! Content blocks, and the results that consist of them.

mod block;
pub(crate) mod finite;
mod prompt_result;
mod tool_result;

pub use block::{Audio, Content, EmbeddedResource, Image, ResourceLink, Text};
pub use prompt_result::{PromptMessage, PromptResult, Role};
pub use tool_result::ToolResult;
