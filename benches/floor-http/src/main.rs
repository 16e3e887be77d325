//! The floor over HTTP: the least that an MCP server behind hyper has to do,
//! written by hand.
//!
//! It is the yardstick for mcp-kit's speed over HTTP, so it is meant to be fast
//! and still honest: hyper reads and writes the messages, every body is parsed as
//! a typed request. Calls of both eras are answered alike. What it leaves out is
//! what a framework is for: keys, limits, sessions, checks of headers, timeouts,
//! logs, contained panics, draining.

mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let address = match arguments.as_slice() {
        [] => "127.0.0.1:0",
        [option, address] if option == "--addr" => address,
        _ => {
            eprintln!("usage: floor-http [--addr ADDRESS:PORT]");
            return ExitCode::from(2);
        }
    };
    match serve::serve(address) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("floor-http: {error}");
            ExitCode::FAILURE
        }
    }
}
