//! Tools whose calls become tasks, for the scenarios of the extension
//! `io.modelcontextprotocol/tasks`.

use std::time::Duration;

use garde::Validate;
use mcp_kit::extract::Task;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<failing_job>()
        .tool::<protocol_error_job>()
        .tool::<confirm_delete>()
        .tool::<multi_input>()
        .tool::<test_tool_with_task>()
}

/// Fails after a second.
#[tool(task = "required", read_only, open_world = false)]
async fn failing_job() -> Result<&'static str, ToolError> {
    sleep(Duration::from_secs(1)).await;
    Err(ToolError::user("The job failed."))
}

/// Panics.
#[tool(task, read_only, open_world = false)]
async fn protocol_error_job() -> &'static str {
    panic!("the job panics, as its scenario expects")
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct DeleteArgs {
    /// The file.
    #[garde(length(chars, min = 1, max = 200))]
    filename: String,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Confirmation {
    /// Whether to delete it.
    #[garde(skip)]
    confirm: bool,
}

/// Asks before it deletes; it deletes nothing.
#[tool(task, destructive = false, open_world = false)]
async fn confirm_delete(args: DeleteArgs, client: Client) -> Result<String, ToolError> {
    let question = format!("Delete {}?", args.filename);
    let answer = client.elicit::<Confirmation>(&question).await?;
    Ok(match answer.accepted() {
        Some(Confirmation { confirm: true }) => format!("Deleted {}.", args.filename),
        _ => format!("Kept {}.", args.filename),
    })
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Signature {
    /// Any name.
    #[garde(length(chars, max = 100))]
    name: Option<String>,
    /// Any choice.
    #[garde(skip)]
    confirm: Option<bool>,
}

/// Asks two questions at once.
#[tool(task, read_only, open_world = false)]
async fn multi_input(client: Client) -> Result<String, ToolError> {
    let first = client.elicit::<Signature>("Who is first?").key("first");
    let second = client.elicit::<Signature>("Who is second?").key("second");
    let (first, second) = tokio::try_join!(first, second)?;
    let signed = [first, second].map(|answer| match answer.accepted() {
        Some(Signature { name, confirm }) => {
            let name = name.unwrap_or_default();
            format!("{name} ({})", confirm.unwrap_or_default())
        }
        None => "no one".to_owned(),
    });
    Ok(format!("Signed by {}.", signed.join(" and ")))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Name {
    /// The name to be greeted with.
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
}

/// Asks for a name, and becomes a task once it has one.
#[tool(task = "required", read_only, open_world = false)]
async fn test_tool_with_task(client: Client, task: Task) -> Result<String, ToolError> {
    let answer = client.elicit::<Name>("What is your name?").key("user_name");
    let Elicited::Accepted(Name { name }) = answer.await? else {
        return Ok("Nothing to do.".to_owned());
    };
    task.begin().await?;
    sleep(Duration::from_millis(100)).await;
    Ok(format!("Hello, {name}!"))
}
