//! The prompts, which do the same kinds of harm as the tools.

use std::io;
use std::time::Duration;

use garde::Validate;
use mcp_kit::Error;
use mcp_kit::completion::CompletionRequest;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

/// Adds every prompt.
pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .prompt_with::<greet>(|greet| greet.complete("name", names))
        .prompt::<leak_prompt>()
        .prompt::<panic_prompt>()
        .prompt::<admin_prompt>()
        .prompt::<slow_prompt>()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct GreetArgs {
    /// Whom to greet.
    #[garde(length(chars, min = 1, max = 40))]
    name: String,
    /// How to greet: formal or casual.
    #[garde(skip)]
    tone: Option<Tone>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Formal,
    Casual,
}

/// Suggests guests whose names begin with the text.
async fn names(request: CompletionRequest) -> Vec<&'static str> {
    let names = ["ada", "alan", "alice"].into_iter();
    names
        .filter(|name| name.starts_with(request.value()))
        .collect()
}

/// Greets a guest.
#[prompt]
async fn greet(args: GreetArgs) -> String {
    let tone = match args.tone {
        Some(Tone::Formal) => "formal",
        Some(Tone::Casual) | None => "casual",
    };
    format!("Greet {}, {tone}.", args.name)
}

/// Fails with an internal error, with a secret in its source.
#[prompt]
async fn leak_prompt() -> Result<String, Error> {
    Err(io::Error::other(
        "cannot connect to postgres://prod_admin:hunter2@db/prod",
    ))?
}

/// Panics, with a secret in the message.
#[prompt]
#[expect(clippy::panic, reason = "this is the harm that the prompt does")]
async fn panic_prompt() -> String {
    panic!("the password hunter2 was refused")
}

/// Lets administrators in.
#[prompt(scope = "admin")]
async fn admin_prompt() -> &'static str {
    "welcome"
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct SlowArgs {
    /// How long to sleep, in milliseconds.
    #[garde(skip)]
    ms: u64,
}

/// Sleeps for a while, at most half a second.
#[prompt(timeout = "500ms")]
async fn slow_prompt(args: SlowArgs) -> String {
    tokio::time::sleep(Duration::from_millis(args.ms)).await;
    format!("slept {}", args.ms)
}
