//! The tools that the tests call.

use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;

use crate::gate::gated;
pub use crate::gate::{Gate, gate};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
pub struct Amount {
    #[garde(skip)]
    pub of: usize,
}

/// Reports how far it is.
#[tool]
pub async fn count(args: Amount, progress: Progress) -> String {
    for step in 1..=args.of {
        progress.report(step as f64, None, Some(&"x".repeat(100)));
    }
    format!("counted {}", args.of)
}

/// Answers at length.
#[tool]
pub async fn big(args: Amount) -> String {
    "x".repeat(args.of)
}

/// Who calls.
#[tool]
pub async fn whoami(caller: Principal) -> String {
    caller.name().to_owned()
}

/// Which client calls, from where.
#[tool]
pub async fn whence(request: mcp_kit::RequestInfo) -> String {
    let client = request.client().map_or("", |client| client.name());
    format!(
        "{client} {:?} {}",
        request.address(),
        request.session_id().is_some()
    )
}

/// Never called by who has no scope.
#[tool(scope = "secrets")]
pub async fn secret() -> &'static str {
    "secret"
}

/// A server with all of them but the gate.
pub fn server() -> ServerBuilder {
    Server::builder("test", "1")
        .tool::<count>()
        .tool::<big>()
        .tool::<whoami>()
        .tool::<secret>()
        .tool::<whence>()
        .without_call_log()
        .http(|http| http.call_rate(None).sse())
}

/// And one whose calls wait at `gate`.
pub fn gated_server(gate: &Gate) -> ServerBuilder {
    server().state(gate.clone()).tool::<gated>()
}
