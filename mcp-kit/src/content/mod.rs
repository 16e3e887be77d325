//! Content blocks, and the results that consist of them.

mod block;
pub(crate) mod finite;
mod prompt_result;
mod result_meta;
mod tool_result;

pub use block::{Audio, Content, EmbeddedResource, Image, ResourceLink, Text};
pub use prompt_result::{PromptMessage, PromptResult, Role};
pub(crate) use result_meta::ResultMeta;
pub use tool_result::ToolResult;
