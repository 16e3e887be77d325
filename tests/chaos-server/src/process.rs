//! Tools that harm the process as a whole: they print to an output that is not read, hold
//! its threads, or end it.

use std::process::Command;
use std::thread;
use std::time::Duration;

use garde::Validate;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::trace::Trace;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<eprint>()
        .tool::<print_rest>()
        .tool::<child>()
        .tool::<hog>()
        .tool::<exit>()
        .tool::<panic_twice>()
        .tool::<overflow>()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Times {
    /// How often.
    #[garde(skip)]
    times: u32,
}

/// Prints lines to stderr in both ways that Rust has for it.
#[tool]
#[expect(
    clippy::print_stderr,
    clippy::dbg_macro,
    reason = "this is the harm that the tool does"
)]
async fn eprint(args: Times) -> String {
    for time in 0..args.times {
        eprintln!("a line on stderr");
        dbg!(time);
    }
    format!("printed {} times", args.times)
}

/// Prints a line to stdout that has no end.
#[tool]
#[expect(clippy::print_stdout, reason = "this is the harm that the tool does")]
async fn print_rest() -> Result<(), ToolError> {
    use std::io::Write as _;
    print!("no end");
    Ok(std::io::stdout().flush()?)
}

/// Has a child process print.
#[tool(blocking)]
fn child() -> Result<String, ToolError> {
    let status = Command::new("sh")
        .args(["-c", "echo a line of a child"])
        .status()?;
    Ok(status.to_string())
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Hold {
    /// How long, in milliseconds.
    #[garde(skip)]
    ms: u64,
}

/// Holds a thread of the runtime, as an async function must not.
#[tool(timeout = "60s")]
async fn hog(args: Hold, State(trace): State<Trace>) -> Result<String, ToolError> {
    trace.line(&format!("start {}", args.ms))?;
    thread::sleep(Duration::from_millis(args.ms));
    Ok(format!("held {}", args.ms))
}

/// Ends the process.
#[tool]
async fn exit() {
    std::process::exit(3);
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    #[expect(clippy::panic, reason = "this is the harm that the tool does")]
    fn drop(&mut self) {
        panic!("the second panic");
    }
}

/// Panics while it panics.
#[tool]
#[expect(clippy::panic, reason = "this is the harm that the tool does")]
async fn panic_twice() {
    let _then = PanicsWhenDropped;
    panic!("the first panic");
}

/// Uses more stack than there is.
#[tool]
async fn overflow(args: Times) -> String {
    fn deeper(times: u32) -> u64 {
        let room = std::hint::black_box([u64::from(times); 128]);
        if times == 0 {
            return 0;
        }
        deeper(times - 1) + room[usize::try_from(times).unwrap_or_default() % 128]
    }
    deeper(args.times).to_string()
}
