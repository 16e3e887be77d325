//! The server that mcp-kit's speed over HTTP is measured with: the floor's one
//! tool, written as a user would, with everything that is on by default, and with
//! every limit counted. The rates are beyond what a load can reach, so that none
//! of its calls is refused.

use std::process::ExitCode;

use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::server::BuildError;
use schemars::JsonSchema;
use serde::Deserialize;

const UNREACHED: Rate = Rate::per_second(1_000_000);

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
    Server::builder("one-tool-http", env!("CARGO_PKG_VERSION"))
        .tool::<add>()
        .rate_limit(UNREACHED)
        .http(|http| {
            http.address_rate(Some(UNREACHED))
                .principal_rate(Some(UNREACHED))
        })
        .build()
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}
