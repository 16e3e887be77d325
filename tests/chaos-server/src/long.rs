//! Tools whose calls become tasks.

use std::error::Error;
use std::time::Duration;

use garde::Validate;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

use crate::questions;

/// How often `long` reports its progress.
const STEP: u64 = 50;

pub(crate) fn register(server: ServerBuilder) -> Result<ServerBuilder, Box<dyn Error>> {
    let mut server = server.tool::<long>().tool::<ask_task>();
    if let Some(time) = questions::duration("CHAOS_TASK_TTL")? {
        server = server.limits(|limits| limits.finished_task_time = time);
    }
    Ok(server)
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct LongArgs {
    /// How long to work, in milliseconds.
    #[garde(range(max = 3_600_000))]
    ms: u64,
    /// Whether to fail in the end.
    #[serde(default)]
    #[garde(skip)]
    fail: bool,
}

/// Work for a while.
#[tool(task)]
async fn long(args: LongArgs, progress: Progress) -> Result<&'static str, ToolError> {
    let LongArgs { ms, fail } = args;
    #[expect(clippy::cast_precision_loss, reason = "an hour has few milliseconds")]
    let report = |done: u64| progress.report(done as f64, Some(ms as f64), None);
    let mut done = 0;
    while done < ms {
        let step = STEP.min(ms - done);
        sleep(Duration::from_millis(step)).await;
        done += step;
        report(done);
    }
    match fail {
        true => Err(ToolError::user("The long work failed.")),
        false => Ok("long done"),
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Confirmation {
    /// Whether to go on.
    #[garde(skip)]
    ok: bool,
}

/// Ask while the work is done.
#[tool(task)]
async fn ask_task(client: Client) -> Result<&'static str, ToolError> {
    let confirmation = client.elicit::<Confirmation>("Go on?").await?.accepted();
    Ok(match confirmation {
        Some(Confirmation { ok: true }) => "ok",
        _ => "not ok",
    })
}
