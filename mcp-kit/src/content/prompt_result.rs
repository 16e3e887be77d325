//! The result of a prompt: messages for a conversation.

use serde::Serialize;
use serde_json::{Map, Value};

use super::result_meta::meta_methods;
use super::{Content, ResultMeta};
use crate::protocol::encode;

/// The speaker of a message in a conversation. (Specification: `Role`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person who uses the host.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Returns its word on the wire: `user`, `assistant`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a prompt: a speaker, and one block of content of any kind.
/// (Specification: `PromptMessage`.)
///
/// ```
/// use mcp_kit::content::{EmbeddedResource, PromptMessage};
///
/// let messages = vec![
///     PromptMessage::user("Review this file."),
///     PromptMessage::user(EmbeddedResource::from_text("file:///main.rs", "fn main() {}")),
///     PromptMessage::assistant("I begin with the error handling."),
/// ];
/// assert_eq!(messages[0].as_text(), Some("Review this file."));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptMessage {
    pub(crate) role: Role,
    pub(crate) content: Content,
}

impl PromptMessage {
    /// Creates a message of `role`.
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self {
            role,
            content: content.into(),
        }
    }

    /// Creates a message of the user: text, or any block.
    pub fn user(content: impl Into<Content>) -> Self {
        Self::new(Role::User, content)
    }

    /// Creates a message of the model, such as the beginning of its answer.
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// Returns the speaker.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the content.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Returns the text, if the content is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }
}

/// The result of a prompt: its messages, and a description of them.
/// (Specification: `GetPromptResult`.)
///
/// Most prompts return text or a list of messages; this type adds the
/// description, which hosts may show beside the messages.
///
/// ```
/// use mcp_kit::content::{PromptMessage, PromptResult};
///
/// let result = PromptResult::new(vec![PromptMessage::user("Summarise the incident.")])
///     .with_description("An incident summary for managers");
/// assert_eq!(result.messages().len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptResult {
    pub(crate) description: Option<String>,
    pub(crate) messages: Vec<PromptMessage>,
    pub(crate) meta: ResultMeta,
}

impl PromptResult {
    /// Creates a result of these messages, in the order of the conversation.
    #[must_use]
    pub fn new(messages: Vec<PromptMessage>) -> Self {
        Self {
            description: None,
            messages,
            meta: ResultMeta::default(),
        }
    }

    /// Sets a description of these messages, for people.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    meta_methods! {}

    /// Returns the description.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns the messages.
    #[must_use]
    pub fn messages(&self) -> &[PromptMessage] {
        &self.messages
    }

    /// Returns the bytes of the contents and the description as JSON.
    pub(crate) fn size(&self) -> usize {
        self.total(Content::size)
    }

    /// Whether [`size`](Self::size) is at most `bytes`. Most results are so
    /// small that nothing has to be counted.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.total(Content::size_at_most) <= bytes || self.size() <= bytes
    }

    fn total(&self, size: impl Fn(&Content) -> usize) -> usize {
        /// `{"role":"assistant","content":{"type":"text","text":…}},`
        const FRAME: usize = 64;
        let messages = self.messages.iter();
        let of_messages = messages
            .map(|message| FRAME + size(&message.content))
            .fold(0, usize::saturating_add);
        let of_description = self.description.as_deref().map_or(0, encode::string_size);
        of_messages
            .saturating_add(of_description)
            .saturating_add(self.meta.size())
    }
}
