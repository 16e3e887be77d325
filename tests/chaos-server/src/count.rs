//! Tools that report their progress: `count` as a client watches it, and `flood`,
//! which reports more than any client reads.

use std::time::Duration;

use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct CountArgs {
    /// How far to count.
    #[garde(range(min = 1, max = 1_000))]
    to: u32,
    /// How long each number takes, in milliseconds.
    #[garde(range(max = 100))]
    ms: u64,
}

/// Counts from one, and reports each number as its progress.
#[tool(timeout = "2m", read_only)]
pub(crate) async fn count(args: CountArgs, progress: Progress) -> &'static str {
    for number in 1..=args.to {
        sleep(Duration::from_millis(args.ms)).await;
        progress.report(number.into(), Some(args.to.into()), None);
    }
    "counted"
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct FloodArgs {
    /// How many reports to send.
    #[garde(range(min = 1, max = 100_000))]
    to: u32,
    /// The length of the message that each report has, in bytes.
    #[serde(default)]
    #[garde(range(max = 10_000))]
    bytes: u32,
}

/// Reports its progress as fast as it can.
#[tool(timeout = "3s", read_only)]
pub(crate) async fn flood(args: FloodArgs, progress: Progress) -> Result<String, ToolError> {
    let message = "x".repeat(usize::try_from(args.bytes)?);
    let message = (!message.is_empty()).then_some(message.as_str());
    for number in 1..=args.to {
        tokio::task::yield_now().await;
        progress.report(number.into(), Some(args.to.into()), message);
    }
    Ok(format!("reported {}", args.to))
}
