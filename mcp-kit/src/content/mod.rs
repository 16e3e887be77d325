//! Content: what results are made of.

mod annotations;
mod block;
mod cache_hints;
mod completions;
pub(crate) mod finite;
pub(crate) mod icon;
mod method_result;
mod prompt_result;
mod resource;
mod result_meta;
#[cfg(feature = "cli")]
pub(crate) mod shown;
mod tool_result;

pub use annotations::ResourceAnnotations;
pub use block::{Audio, Content, EmbeddedResource, Image, ResourceLink, Text};
pub use cache_hints::CacheScope;
pub(crate) use cache_hints::{CacheHints, write_cache_hints};
pub use completions::Completions;
pub use method_result::MethodResult;
pub(crate) use method_result::NoResult;
pub use prompt_result::{PromptMessage, PromptResult, Role};
pub use resource::{ResourceContents, ResourcePage, ResourceResult};
pub(crate) use result_meta::ResultMeta;
pub use tool_result::ToolResult;
