//! The types that a prompt may return.

use std::borrow::Cow;

use crate::call::{Error, IntoError};
use crate::content::{
    Audio, Content, EmbeddedResource, Image, PromptMessage, PromptResult, ResourceLink, Text,
};

/// The types that a prompt may return.
///
/// | type | messages |
/// |---|---|
/// | `String`, `&'static str`, [`Text`] | one text of the user |
/// | [`Image`], [`Audio`], [`ResourceLink`], [`EmbeddedResource`], [`Content`] | one message of the user |
/// | [`PromptMessage`] | itself: one message of the user or the model |
/// | `Vec<PromptMessage>` | these messages, in their order |
/// | [`PromptResult`] | messages with a description |
/// | `Result<T, Error>` | `T`'s messages, or a JSON-RPC error |
#[diagnostic::on_unimplemented(
    message = "a prompt cannot return `{Self}`",
    label = "not the messages of a prompt",
    note = "return text, `PromptMessage`, `Vec<PromptMessage>`, a content block, `PromptResult`, or `Result<_, mcp_kit::Error>` of these"
)]
pub trait IntoPromptResult {
    /// Converts the value into the result.
    ///
    /// # Errors
    ///
    /// Returns the prompt's own failure.
    fn into_prompt_result(self) -> Result<PromptResult, Error>;
}

impl IntoPromptResult for PromptResult {
    fn into_prompt_result(self) -> Result<PromptResult, Error> {
        Ok(self)
    }
}

impl IntoPromptResult for Vec<PromptMessage> {
    fn into_prompt_result(self) -> Result<PromptResult, Error> {
        Ok(PromptResult::new(self))
    }
}

impl IntoPromptResult for PromptMessage {
    fn into_prompt_result(self) -> Result<PromptResult, Error> {
        Ok(PromptResult::new(vec![self]))
    }
}

impl<T: IntoPromptResult, E: IntoError> IntoPromptResult for Result<T, E> {
    fn into_prompt_result(self) -> Result<PromptResult, Error> {
        self.map_err(E::into_error)?.into_prompt_result()
    }
}

macro_rules! one_message {
    ($($content:ty),*) => {$(
        impl IntoPromptResult for $content {
            fn into_prompt_result(self) -> Result<PromptResult, Error> {
                PromptMessage::user(self).into_prompt_result()
            }
        }
    )*};
}
one_message!(
    String,
    &'static str,
    Content,
    Text,
    Image,
    Audio,
    ResourceLink,
    EmbeddedResource
);

impl IntoPromptResult for Cow<'static, str> {
    fn into_prompt_result(self) -> Result<PromptResult, Error> {
        self.into_owned().into_prompt_result()
    }
}

impl IntoPromptResult for Box<str> {
    fn into_prompt_result(self) -> Result<PromptResult, Error> {
        String::from(self).into_prompt_result()
    }
}
