//! The result of a tool's call.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::result_meta::meta_methods;
use super::{Content, ResultMeta};

/// The result of a call: content for the model and, if the tool has an output
/// schema, the same as structured content.
#[derive(Clone, Debug, Default)]
pub struct ToolResult {
    pub(crate) content: Vec<Content>,
    pub(crate) structured: Option<Box<RawValue>>,
    pub(crate) is_error: bool,
    pub(crate) meta: ResultMeta,
}

impl ToolResult {
    /// Creates a result of one text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![Content::text(text)])
    }

    /// Creates a result of these blocks.
    #[must_use]
    pub fn new(content: Vec<Content>) -> Self {
        Self {
            content,
            structured: None,
            is_error: false,
            meta: ResultMeta::default(),
        }
    }

    /// Replaces the blocks, for example with a text that reads better than the
    /// JSON of the structured content.
    #[must_use]
    pub fn with_content(mut self, content: Vec<Content>) -> Self {
        self.content = content;
        self
    }

    /// Marks the result as a failure (`isError`), for a tool that passes on
    /// another server's answer.
    #[must_use]
    pub fn into_failure(mut self) -> Self {
        self.is_error = true;
        self
    }

    meta_methods! {
        ///
        /// ```
        /// use mcp_kit::tool::ToolResult;
        ///
        /// let result = ToolResult::text("3 rows").with_meta("example.com/elapsed", 12);
        /// assert_eq!(result.meta().unwrap()["example.com/elapsed"], 12);
        /// ```
    }

    /// Returns the blocks of content.
    #[must_use]
    pub fn content(&self) -> &[Content] {
        &self.content
    }

    /// Returns the text, if the content is one block of text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.content.as_slice() {
            [Content::Text(text)] => Some(text.as_str()),
            _ => None,
        }
    }

    /// Returns the structured content as JSON text.
    #[must_use]
    pub fn structured_content(&self) -> Option<&RawValue> {
        self.structured.as_deref()
    }

    /// Whether the result reports a failure.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// Returns the bytes of the content and the structured content as JSON.
    pub(crate) fn size(&self) -> usize {
        let structured = self.structured.as_ref().map_or(0, |json| json.get().len());
        self.content.iter().map(Content::size).sum::<usize>() + structured + self.meta.size()
    }

    /// Whether [`size`](Self::size) is at most `bytes`. Most results are so
    /// small that nothing has to be counted.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let structured = self.structured.as_ref().map_or(0, |json| json.get().len());
        let most = self
            .content
            .iter()
            .map(Content::size_at_most)
            .sum::<usize>()
            + structured
            + self.meta.size();
        most <= bytes || self.size() <= bytes
    }

    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::text(message).into_failure().in_words()
    }

    /// Replaces an empty result with words: a model that reads an empty text,
    /// or no content, takes it for a fault and often calls again.
    pub(crate) fn in_words(mut self) -> Self {
        let says_nothing = |block: &Content| match block {
            Content::Text(text) => text.as_str().is_empty(),
            _ => false,
        };
        if self.structured.is_none() && self.content.iter().all(says_nothing) {
            self.content = vec![Content::text(if self.is_error {
                "(failed without a message)"
            } else {
                "(no result)"
            })];
        }
        self
    }
}
