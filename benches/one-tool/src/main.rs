//! The server that mcp-kit's speed and build time are measured with: the floor's
//! one tool, written as a user would, with everything that is on by default.

use std::error::Error;

use mcp_kit::prelude::*;
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

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::builder("one-tool", env!("CARGO_PKG_VERSION"))
        .tool::<add>()
        .build()?;
    let mut stdio = mcp_kit::transport::Stdio::take()?;
    if std::env::var("GREET").is_ok() {
        stdio.greet(&server);
    }
    let workers: usize = std::env::var("WORKERS").map_or(2, |n| n.parse().unwrap_or(2));
    if workers == 0 {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(server.serve_taken(stdio))?;
    } else {
        let rt = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build()?;
        rt.block_on(
            async move { tokio::spawn(async move { server.serve_taken(stdio).await }).await },
        )??;
        rt.shutdown_background();
    }
    Ok(())
}
