//! Content blocks, and the results that consist of them.

mod block;
pub(crate) mod finite;
mod tool_result;

pub use block::{Audio, Content, EmbeddedResource, Image, ResourceLink, Text};
pub use tool_result::ToolResult;
