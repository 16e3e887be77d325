//! The server that the official conformance suite runs against. It has the tools
//! that the suite's scenarios call, under the names that the suite gives them.
//!
//! `.ci/conformance` installs the suite, starts this server and runs every
//! scenario. By hand: `cargo run -p conformance-server -- http --addr 127.0.0.1:0`
//! logs the address that the system chose.

mod changes;
mod content;
mod prompts;
mod questions;
mod resources;
mod rounds;
mod schemas;
mod skills;
mod tasks;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use mcp_kit::Server;
use mcp_kit::limits::Rate;

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}

fn build() -> Result<Server, Box<dyn Error>> {
    // Several runs of the suite, all from one address, exceed the default rates.
    let rate: Rate = "10000/s".parse()?;
    let server = Server::builder("conformance-server", env!("CARGO_PKG_VERSION"))
        .instructions("Each tool returns what one scenario of the conformance suite expects.")
        .rate_limit(rate)
        .http(|http| http.address_rate(rate));
    let server = schemas::register(tools::register(server));
    let server = rounds::register(questions::register(server));
    let server = changes::register(server);
    let server = tasks::register(resources::register(server));
    let server = skills::register(server)?;
    Ok(prompts::register(server).build()?)
}
