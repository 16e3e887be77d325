//! A server as a user would build it; what it sends to a collector is looked at
//! from outside.

use std::process::ExitCode;
use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::server::BuildError;
use schemars::JsonSchema;
use serde::Deserialize;
use tracing::Instrument as _;

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Secret {
    /// What nobody else should see.
    #[garde(length(chars, max = 100))]
    secret: String,
}

/// Says how long the secret is.
#[tool]
async fn keeps(secret: Secret) -> String {
    tracing::info!("kept");
    secret.secret.len().to_string()
}

/// Opens spans: one of its own, one in a task, one that is too detailed.
#[tool]
async fn works() -> Result<(), ToolError> {
    async {}
        .instrument(tracing::info_span!("inside", step = 1))
        .await;
    let left = async { tracing::info_span!("in a task").in_scope(|| ()) };
    tokio::spawn(left.in_current_span()).await?;
    tracing::debug_span!("too detailed").in_scope(|| ());
    Ok(())
}

/// Opens a span on a thread of its own.
#[tool(blocking)]
fn blocks() {
    tracing::info_span!("on a thread").in_scope(|| tracing::info!("blocked"));
}

/// Fails with a text that only the log may have.
#[tool]
async fn leaks() -> Result<(), ToolError> {
    Err(ToolError::internal("postgres://admin:hunter2@db"))
}

/// Panics.
#[tool]
#[allow(clippy::panic)]
async fn panics() {
    panic!("hunter2");
}

/// Refuses with a message.
#[tool]
async fn refuses() -> Result<(), ToolError> {
    Err(ToolError::user("Not with hunter2."))
}

/// Never ends by itself.
#[tool(timeout = "10ms")]
async fn endless() {
    std::future::pending().await
}

/// Blocks its thread for longer than it may.
#[tool(blocking, timeout = "10ms")]
fn sleeps() {
    std::thread::sleep(Duration::from_millis(300));
}

/// Waits until it is cancelled.
#[tool]
async fn waits(progress: Progress) {
    progress.report(1.0, None, None);
    std::future::pending().await
}

fn build() -> Result<Server, BuildError> {
    Server::builder("traced", env!("CARGO_PKG_VERSION"))
        .tool::<keeps>()
        .tool::<works>()
        .tool::<blocks>()
        .tool::<leaks>()
        .tool::<panics>()
        .tool::<refuses>()
        .tool::<endless>()
        .tool::<sleeps>()
        .tool::<waits>()
        .build()
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}
