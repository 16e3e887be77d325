//! Prompts with each kind of message.

use garde::Validate;
use mcp_kit::completion::CompletionRequest;
use mcp_kit::content::{EmbeddedResource, Image};
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::content::PIXEL;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .prompt::<test_simple_prompt>()
        .prompt_with::<test_prompt_with_arguments>(|prompt| prompt.complete("arg1", words))
        .prompt::<test_prompt_with_embedded_resource>()
        .prompt::<test_prompt_with_image>()
}

/// Returns one message.
#[prompt]
async fn test_simple_prompt() -> &'static str {
    "This is a simple prompt for testing."
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct TwoArgs {
    /// The first argument.
    #[garde(length(chars, max = 1000))]
    arg1: String,
    /// The second argument.
    #[garde(length(chars, max = 1000))]
    arg2: String,
}

/// Suggests words that begin with the text.
async fn words(request: CompletionRequest) -> Vec<&'static str> {
    let words = ["paris", "park", "party"].into_iter();
    words
        .filter(|word| word.starts_with(request.value()))
        .collect()
}

/// Returns a message that has both arguments.
#[prompt]
async fn test_prompt_with_arguments(args: TwoArgs) -> String {
    format!(
        "Prompt with arguments: arg1='{}', arg2='{}'",
        args.arg1, args.arg2
    )
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
struct EmbedArgs {
    /// The URI of the resource to embed.
    #[garde(length(chars, min = 1, max = 1000))]
    resource_uri: String,
}

/// Returns a message with a resource in it.
#[prompt]
async fn test_prompt_with_embedded_resource(args: EmbedArgs) -> Vec<PromptMessage> {
    let resource =
        EmbeddedResource::from_text(args.resource_uri, "Embedded resource content for testing.");
    vec![
        PromptMessage::user(resource.with_mime_type("text/plain")),
        PromptMessage::user("Please process the embedded resource above."),
    ]
}

/// Returns a message with an image in it.
#[prompt]
async fn test_prompt_with_image() -> Vec<PromptMessage> {
    vec![
        PromptMessage::user(Image::new(PIXEL, "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ]
}
