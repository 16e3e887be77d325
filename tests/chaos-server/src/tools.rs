//! The tools, each a kind of trouble that a framework has to contain.

use std::io;
use std::thread;
use std::time::Duration;

use garde::Validate;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::trace::Trace;
use crate::{count, fetch, files, structured};

/// Adds every tool.
pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<add>()
        .tool::<search>()
        .tool::<panic>()
        .tool::<leak>()
        .tool::<fail>()
        .tool::<sleep>()
        .tool::<block>()
        .tool::<slow>()
        .tool_with::<big>(|tool| tool.result_bytes(2 << 20))
        .tool::<print>()
        .tool::<whoami>()
        .tool::<admin>()
        .tool::<files::read_file>()
        .tool::<fetch::fetch>()
        .tool::<count::count>()
        .tool::<structured::structured>()
        .tool::<structured::bad_structured>()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct AddArgs {
    /// The first number.
    #[garde(skip)]
    a: i64,
    /// The second number.
    #[garde(skip)]
    b: i64,
}

/// Adds two integers of 64 bits.
#[tool(read_only, idempotent)]
async fn add(args: AddArgs) -> Result<String, ToolError> {
    let sum = args.a.checked_add(args.b);
    Ok(sum
        .or_user("The sum does not fit into 64 bits. Use smaller numbers.")?
        .to_string())
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
struct SearchArgs {
    /// What to search for.
    #[garde(length(chars, min = 1, max = 500))]
    query: String,
    /// How many results to return.
    #[serde(default = "five")]
    #[garde(range(min = 1, max = 10))]
    max_results: u8,
}

fn five() -> u8 {
    5
}

/// Searches nothing and tells what it was asked for.
#[tool(read_only)]
async fn search(args: SearchArgs) -> String {
    format!("query={} max={}", args.query, args.max_results)
}

/// Panics, with a secret in the message.
#[tool]
#[expect(clippy::panic, reason = "this is the harm that the tool does")]
async fn panic() -> String {
    panic!("the password hunter2 was refused")
}

/// Fails with an internal error, with a secret in its source.
#[tool]
async fn leak() -> Result<String, ToolError> {
    Err(io::Error::other(
        "cannot connect to postgres://prod_admin:hunter2@db/prod",
    ))?
}

/// Fails with a message that is meant for the model.
#[tool]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::user(
        "Search rate limit reached. Try again in 60 seconds.",
    ))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct SleepArgs {
    /// How long to sleep, in milliseconds.
    #[garde(skip)]
    ms: u64,
}

/// Sleeps for a while, at most half a second.
#[tool(timeout = "500ms")]
async fn sleep(args: SleepArgs) -> String {
    tokio::time::sleep(Duration::from_millis(args.ms)).await;
    format!("slept {}", args.ms)
}

/// Sleeps for a while without giving the thread back, at most half a second.
#[tool(blocking, timeout = "500ms")]
fn block(args: SleepArgs) -> String {
    thread::sleep(Duration::from_millis(args.ms));
    format!("slept {}", args.ms)
}

/// Sleeps for a while and leaves a trace of having begun and ended.
#[tool(timeout = "30s")]
async fn slow(args: SleepArgs, State(trace): State<Trace>) -> Result<String, ToolError> {
    trace.line(&format!("start {}", args.ms))?;
    tokio::time::sleep(Duration::from_millis(args.ms)).await;
    trace.line(&format!("done {}", args.ms))?;
    Ok(format!("slept {}", args.ms))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct BigArgs {
    /// How long the text is to be, in bytes.
    #[garde(range(max = 64 << 20))]
    bytes: u64,
}

/// Returns a text of the length that is asked for.
#[tool(read_only)]
async fn big(args: BigArgs) -> Result<String, ToolError> {
    Ok("x".repeat(usize::try_from(args.bytes)?))
}

/// Prints to stdout, where only the protocol may write.
#[tool]
#[expect(clippy::print_stdout, reason = "this is the harm that the tool does")]
async fn print() -> &'static str {
    println!("a stray line");
    "printed"
}

/// Tells the caller's name.
#[tool(read_only)]
async fn whoami(principal: Principal) -> String {
    principal.name().to_owned()
}

/// Lets administrators in.
#[tool(scope = "admin")]
async fn admin() -> &'static str {
    "welcome"
}
