//! The tools that the tests call.

use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;

pub use crate::gate::{Gate, gate, gated};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
pub struct Time {
    #[garde(skip)]
    pub ms: u64,
}

/// Waits.
#[tool]
pub async fn wait(args: Time) -> String {
    tokio::time::sleep(Duration::from_millis(args.ms)).await;
    format!("waited {}", args.ms)
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
pub struct Reports {
    #[garde(skip)]
    pub to: u32,
    /// Between two reports.
    #[garde(skip)]
    #[serde(default)]
    pub ms: u64,
    /// In each report.
    #[garde(skip)]
    #[serde(default)]
    pub bytes: usize,
}

/// Reports how far it is.
#[tool]
pub async fn count(args: Reports, progress: Progress) -> String {
    let text = "x".repeat(args.bytes);
    for step in 1..=args.to {
        tokio::time::sleep(Duration::from_millis(args.ms)).await;
        progress.report(f64::from(step), None, Some(&text));
    }
    format!("counted {}", args.to)
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
pub struct Size {
    #[garde(skip)]
    pub bytes: usize,
}

/// Answers at length.
#[tool]
pub async fn big(args: Size) -> String {
    "x".repeat(args.bytes)
}

/// Who calls.
#[tool]
pub async fn whoami(caller: Principal) -> String {
    caller.name().to_owned()
}

/// A server with all of them.
pub fn server() -> ServerBuilder {
    Server::builder("test", "1")
        .tool::<wait>()
        .tool::<count>()
        .tool::<big>()
        .without_call_log()
        .http(|http| http.allow_unauthenticated().call_rate(None))
}

/// And one where whatever takes a moment is made a stream.
pub fn hasty(server: ServerBuilder) -> ServerBuilder {
    server.http(|http| http.limits(|limits| limits.keep_alive = Duration::from_millis(30)))
}

/// And one whose calls wait at `gate`.
pub fn gated_server(gate: &Gate) -> ServerBuilder {
    server().state(gate.clone()).tool::<gated>()
}
