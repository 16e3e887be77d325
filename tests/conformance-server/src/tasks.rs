//! Tools whose calls become tasks, for clients that declare the extension.

use std::time::Duration;

use garde::Validate;
use mcp_kit::extract::Task;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<slow_compute>()
        .tool::<failing_job>()
        .tool::<protocol_error_job>()
        .tool::<confirm_delete>()
        .tool::<multi_input>()
        .tool::<test_tool_with_task>()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct SlowComputeArgs {
    /// How long to compute, in seconds.
    #[garde(range(max = 120))]
    seconds: u32,
    /// A label for the result.
    #[serde(default)]
    #[garde(length(chars, max = 100))]
    label: String,
}

/// Computes for a number of seconds, and reports each as its progress.
#[tool(task, read_only, open_world = false, timeout = "120s")]
async fn slow_compute(args: SlowComputeArgs, progress: Progress) -> String {
    for second in 0..args.seconds {
        progress.report(second.into(), Some(args.seconds.into()), None);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    format!("Computed {} for {} s.", args.label, args.seconds)
}

/// Fails after a second with a message for the model.
#[tool(task = "required", read_only, open_world = false)]
async fn failing_job() -> Result<String, ToolError> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Err(ToolError::user("This job always fails."))
}

/// Fails with an internal error.
#[tool(task, read_only, open_world = false)]
async fn protocol_error_job() -> Result<String, ToolError> {
    Err(ToolError::internal("this job has an internal error"))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct DeleteArgs {
    /// The file to delete.
    #[garde(length(chars, min = 1, max = 200))]
    filename: String,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Confirmation {
    /// Whether to go on.
    #[garde(skip)]
    confirm: bool,
}

/// Asks before it deletes a file. There is no file, so nothing is lost.
#[tool(task, destructive = false, open_world = false)]
async fn confirm_delete(args: DeleteArgs, client: Client) -> Result<String, ToolError> {
    let question = format!("Delete {}?", args.filename);
    let answer = client.elicit::<Confirmation>(&question).await?;
    Ok(match answer {
        Elicited::Accepted(Confirmation { confirm: true }) => {
            format!("{} was deleted.", args.filename)
        }
        _ => format!("{} was kept.", args.filename),
    })
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Name {
    /// The name.
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Signature {
    /// The name of the person who confirms.
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
    /// Whether to go on.
    #[garde(skip)]
    confirm: bool,
}

/// Asks two questions at once.
#[tool(task, read_only, open_world = false)]
async fn multi_input(client: Client) -> Result<String, ToolError> {
    let (first, second) = tokio::join!(
        client.elicit::<Signature>("Who is the first to confirm?"),
        client.elicit::<Signature>("Who is the second to confirm?"),
    );
    let signatures = [first?, second?].map(Elicited::accepted);
    let names = signatures
        .iter()
        .flatten()
        .filter(|signature| signature.confirm);
    let names: Vec<_> = names.map(|signature| signature.name.as_str()).collect();
    Ok(format!("Confirmed by: {}", names.join(", ")))
}

/// Asks for a name, then becomes a task.
#[tool(task = "required", read_only, open_world = false)]
async fn test_tool_with_task(client: Client, task: Task) -> Result<String, ToolError> {
    let answer = client.elicit::<Name>("What is your name?").key("user_name");
    let name = answer
        .await?
        .accepted()
        .map_or("stranger".to_owned(), |answer| answer.name);
    task.begin().await?;
    Ok(format!("Hello, {name}!"))
}
