//! A server that runs programs, for `tests/programs.rs`.

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use mcp_kit::guard::Command;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Run {
    /// An argument of the program.
    #[garde(skip)]
    value: String,
}

/// Run the program.
#[tool]
async fn run(args: Run, State(command): State<Command>) -> Result<String, ToolError> {
    let output = command.value(args.value).run().await?;
    let truncated = output.stdout_truncated;
    Ok(format!("{truncated} {}", output.text()?))
}

/// Run the program in a task that no call waits for.
#[tool]
async fn run_aside(args: Run, State(command): State<Command>) -> &'static str {
    tokio::spawn(command.value(args.value).run());
    "started"
}

/// The program that `run_second` runs.
#[derive(Clone)]
struct Second(Command);

/// Run the second program in a task that no call waits for.
#[tool]
async fn run_second(_args: Run, State(Second(command)): State<Second>) -> &'static str {
    tokio::spawn(command.run());
    "started"
}

/// Block every worker of the runtime, for ever. Each that is blocked adds a file.
#[tool]
async fn block(args: Run) -> &'static str {
    for number in 0..64 {
        let file = format!("{}-{number}", args.value);
        tokio::spawn(async move {
            let _ = std::fs::write(file, "");
            loop {
                thread::sleep(Duration::from_secs(60));
            }
        });
    }
    "blocked"
}

#[derive(clap::Args)]
struct Options {
    /// The program to run.
    #[arg(long, default_value = "/bin/true")]
    program: std::path::PathBuf,
    /// Another program to run.
    #[arg(long, default_value = "/bin/true")]
    second: std::path::PathBuf,
}

fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    let command = Command::new(options.program)?.time_limit(Duration::from_secs(600));
    let second = Second(Command::new(options.second)?);
    Ok(Server::builder("runner", "1.0.0")
        .state(command)
        .state(second)
        .limits(|limits| {
            limits.drain_time = Duration::from_millis(200);
            limits.call_time = Duration::from_secs(600);
        })
        .tool::<run>()
        .tool::<run_aside>()
        .tool::<run_second>()
        .tool::<block>()
        .build()?)
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}
