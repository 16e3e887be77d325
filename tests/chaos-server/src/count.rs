//! A tool that reports its progress, for those who test streams.

use std::time::Duration;

use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub(crate) struct CountArgs {
    /// How far to count.
    #[garde(range(min = 1, max = 100_000))]
    to: u32,
    /// How long each number takes, in milliseconds.
    #[serde(default)]
    #[garde(skip)]
    ms: u64,
    /// The length of the message that each number comes with, in bytes.
    #[serde(default)]
    #[garde(range(max = 10_000))]
    bytes: u32,
}

/// Counts from one, and reports each number as its progress.
#[tool(timeout = "3s", read_only)]
pub(crate) async fn count(args: CountArgs, progress: Progress) -> Result<String, ToolError> {
    let message = "x".repeat(usize::try_from(args.bytes)?);
    let message = (!message.is_empty()).then_some(message.as_str());
    for number in 1..=args.to {
        if args.ms > 0 {
            tokio::time::sleep(Duration::from_millis(args.ms)).await;
        } else {
            tokio::task::yield_now().await;
        }
        progress.report(number.into(), Some(args.to.into()), message);
    }
    Ok(format!("counted {}", args.to))
}
