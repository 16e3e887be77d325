//! The server that mcp-kit's speed and build time are measured with: the floor's
//! one tool, written as a user would, with everything that is on by default.

use std::process::ExitCode;

use mcp_kit::prelude::*;
use mcp_kit::server::BuildError;
use schemars::JsonSchema;
use serde::Deserialize;

/// Two numbers.
#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Terms {
    /// The first one.
    #[garde(skip)]
    a: i64,
    /// The second one.
    #[garde(skip)]
    b: i64,
}

/// Adds two integers.
#[tool(read_only)]
async fn add(terms: Terms) -> Result<i64, ToolError> {
    terms
        .a
        .checked_add(terms.b)
        .or_user("the sum does not fit into 64 bits")
}

fn build() -> Result<Server, BuildError> {
    Server::builder("one-tool", env!("CARGO_PKG_VERSION"))
        .tool::<add>()
        .build()
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}
