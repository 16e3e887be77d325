//! The resources: text and bytes, templates, and each kind of trouble that a
//! read can have.

use std::io;
use std::time::Duration;

use garde::Validate;
use mcp_kit::Error;
use mcp_kit::completion::CompletionRequest;
use mcp_kit::prelude::*;
use mcp_kit::resource::ResourceUri;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::files::{FileArgs, Root};

/// Adds every resource and template.
pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .resource::<welcome>()
        .resource::<pixel>()
        .resource_with::<note>(|note| note.readable_by(is_for).complete("owner", owners))
        .resource::<file>()
        .resource::<leak_resource>()
        .resource::<panic_resource>()
        .resource::<secret>()
        .resource::<slow_resource>()
}

/// Greets.
#[resource(uri = "note://welcome", mime_type = "text/markdown")]
async fn welcome() -> &'static str {
    "welcome"
}

/// A grey pixel.
#[resource(uri = "blob://pixel", mime_type = "image/png", size = 67)]
async fn pixel() -> &'static [u8; 67] {
    b"\x89PNG\r\n\x1a\n\
      \x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00\x3a\x7e\x9b\x55\
      \x00\x00\x00\x0aIDAT\x78\xda\x63\x60\x00\x00\x00\x02\x00\x01\xe5\x27\xde\xfc\
      \x00\x00\x00\x00IEND\xae\x42\x60\x82"
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct NoteArgs {
    /// The owner of the note.
    #[garde(length(chars, min = 1, max = 20), custom(lower_case))]
    #[tool_args(rule = "must have only the letters a to z")]
    owner: String,
    /// The number of the note.
    #[garde(range(min = 1, max = 100))]
    id: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "garde passes it")]
fn lower_case(owner: &str, (): &()) -> garde::Result {
    match owner.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Ok(()),
        false => Err(garde::Error::new("has another character than a to z")),
    }
}

/// Suggests the owners whose names begin with the text.
async fn owners(request: CompletionRequest) -> Vec<&'static str> {
    let owners = ["alice", "bob", "carol"].into_iter();
    owners
        .filter(|owner| owner.starts_with(request.value()))
        .collect()
}

/// A note of a person.
#[resource(uri = "note://{owner}/{id}", mime_type = "text/plain")]
async fn note(args: NoteArgs) -> String {
    format!("note {} of {}", args.id, args.owner)
}

/// Bob's notes are for himself, and for the caller on this machine.
fn is_for(principal: &Principal, uri: &ResourceUri) -> bool {
    uri.value("owner") != Some("bob") || matches!(principal.name(), "bob" | "local")
}

/// A text file of at most 256 KiB.
#[resource(uri = "file://{+path}", mime_type = "text/plain")]
async fn file(args: FileArgs, State(root): State<Root>) -> Result<String, Error> {
    root.read(&args.path).await
}

/// Fails with an internal error, with a secret in its source.
#[resource(uri = "leak://db")]
async fn leak_resource() -> Result<String, Error> {
    Err(io::Error::other(
        "cannot connect to postgres://prod_admin:hunter2@db/prod",
    ))?
}

/// Panics, with a secret in the message.
#[resource(uri = "panic://now")]
#[expect(clippy::panic, reason = "this is the harm that it does")]
async fn panic_resource() -> String {
    panic!("the password hunter2 was refused")
}

/// Lets administrators in.
#[resource(uri = "secret://admin", scope = "admin")]
async fn secret() -> &'static str {
    "welcome"
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct SlowArgs {
    /// How long to sleep, in milliseconds.
    #[garde(skip)]
    ms: u64,
}

/// Sleeps for a while, at most half a second.
#[resource(uri = "slow://{ms}", timeout = "500ms")]
async fn slow_resource(args: SlowArgs) -> String {
    tokio::time::sleep(Duration::from_millis(args.ms)).await;
    format!("slept {}", args.ms)
}
