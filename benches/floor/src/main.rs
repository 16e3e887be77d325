//! The floor: the least that an MCP server over stdio has to do, written by hand.
//!
//! It is the yardstick for mcp-kit's speed, so it is meant to be fast and still
//! honest: real JSON parsing, typed arguments, the right error codes. What it
//! leaves out is what a framework is for: limits, timeouts, logs, concurrency,
//! contained panics, draining. It opens its pipes through `/proc`: Linux only.

#[cfg(target_os = "linux")]
mod stdio;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match stdio::serve(floor::answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("floor: this server runs on Linux only");
    ExitCode::FAILURE
}
