//! Tools that ask the client: its user, its model, its roots. Also those that send
//! log messages. The same code serves both eras of the protocol.

use std::time::Duration;

use garde::Validate;
use mcp_kit::extract::{LogLevel, SampleRequest, UrlElicitation};
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<test_tool_with_logging>()
        .tool::<test_logging_tool>()
        .tool::<test_sampling>()
        .tool::<test_missing_capability>()
        .tool::<test_elicitation>()
        .tool::<test_streaming_elicitation>()
        .tool::<test_elicitation_sep1034_defaults>()
        .tool::<test_elicitation_sep1330_enums>()
        .tool::<test_url_elicitation>()
}

/// Sends three log messages, 50 ms apart.
#[tool(read_only, open_world = false)]
async fn test_tool_with_logging(client: Client) -> &'static str {
    client.log(LogLevel::Info, "Tool execution started");
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.log(LogLevel::Info, "Tool processing data");
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.log(LogLevel::Info, "Tool execution completed");
    "All three log messages were sent."
}

/// Sends a log message, to clients that asked for them.
#[tool(read_only, open_world = false)]
async fn test_logging_tool(client: Client) -> &'static str {
    client.log(LogLevel::Info, json!({"event": "called"}));
    "The log message was sent, unless the client did not ask for it."
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct SamplingArgs {
    /// The prompt for the client's model.
    #[garde(length(chars, min = 1, max = 1000))]
    prompt: String,
}

/// Asks the client's model.
#[tool(read_only, open_world = false)]
async fn test_sampling(args: SamplingArgs, client: Client) -> Result<String, ToolError> {
    let answer = client.sample(SampleRequest::new(args.prompt, 100)).await?;
    Ok(format!("LLM response: {}", answer.text()))
}

/// Asks the client's model, whatever the client declared.
#[tool(read_only, open_world = false)]
async fn test_missing_capability(client: Client) -> Result<String, ToolError> {
    let answer = client.sample(SampleRequest::new("Hello?", 10)).await?;
    Ok(answer.text())
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct ElicitationArgs {
    /// The message for the user.
    #[garde(length(chars, min = 1, max = 1000))]
    message: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Account {
    /// User's response
    #[garde(length(chars, min = 1, max = 100))]
    username: String,
    /// User's email address
    #[garde(length(chars, min = 3, max = 200))]
    email: String,
}

/// Asks the user for a name and an address.
#[tool(read_only, open_world = false)]
async fn test_elicitation(args: ElicitationArgs, client: Client) -> Result<String, ToolError> {
    let answer = client.elicit::<Account>(&args.message).await?;
    Ok(format!("User response: {}", described(answer)?))
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Consent {
    /// Whether to go on.
    #[garde(skip)]
    ok: bool,
}

/// Reports progress, then asks the user.
#[tool(read_only, open_world = false)]
async fn test_streaming_elicitation(
    client: Client,
    progress: Progress,
) -> Result<String, ToolError> {
    progress.report(1.0, Some(2.0), None);
    let answer = client.elicit::<Consent>("Go on?").await?;
    progress.report(2.0, Some(2.0), None);
    Ok(format!("User response: {}", described(answer)?))
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Active,
    Inactive,
    Pending,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate, ElicitForm)]
#[garde(allow_unvalidated)]
struct Defaults {
    #[serde(default = "john_doe")]
    name: String,
    #[serde(default = "thirty")]
    age: u32,
    #[serde(default = "high_score")]
    score: f64,
    #[serde(default)]
    status: Status,
    #[serde(default = "yes")]
    verified: bool,
}

fn john_doe() -> String {
    "John Doe".to_owned()
}

fn thirty() -> u32 {
    30
}

fn high_score() -> f64 {
    95.5
}

fn yes() -> bool {
    true
}

/// Asks the user with a form whose fields all have defaults.
#[tool(read_only, open_world = false)]
async fn test_elicitation_sep1034_defaults(client: Client) -> Result<String, ToolError> {
    let answer = client.elicit::<Defaults>("Is all of this right?").await?;
    Ok(format!("Elicitation completed: {}", described(answer)?))
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Untitled {
    Option1,
    Option2,
    Option3,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Titled {
    /// First Option
    Value1,
    /// Second Option
    Value2,
    /// Third Option
    Value3,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Legacy {
    Opt1,
    Opt2,
    Opt3,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Validate, ElicitForm)]
#[serde(rename_all = "camelCase")]
#[garde(allow_unvalidated)]
struct Choices {
    untitled_single: Untitled,
    titled_single: Titled,
    // The form of 2025-06-18, which is deprecated.
    #[schemars(extend("enumNames" = ["Option One", "Option Two", "Option Three"]))]
    legacy_enum: Legacy,
    untitled_multi: Vec<Untitled>,
    titled_multi: Vec<Titled>,
}

/// Asks the user with each kind of choice.
#[tool(read_only, open_world = false)]
async fn test_elicitation_sep1330_enums(client: Client) -> Result<String, ToolError> {
    let answer = client.elicit::<Choices>("What do you choose?").await?;
    Ok(format!("Elicitation completed: {}", described(answer)?))
}

/// Asks the user to open a URL. The interaction is complete as soon as the user has agreed
/// to it.
#[tool(read_only, open_world = false)]
async fn test_url_elicitation(client: Client) -> Result<String, ToolError> {
    let elicitation = UrlElicitation::new(&client)?;
    let url = format!("https://example.com/connect/{}", elicitation.id());
    let answer = client
        .elicit_url_for(&elicitation, "Connect?", &url)
        .await?;
    if answer == Elicited::Accepted(()) {
        elicitation.complete();
    }
    Ok(format!("User response: {}", described(answer)?))
}

/// What the user did, and the content of the answer.
fn described<T: Serialize>(answer: Elicited<T>) -> Result<String, ToolError> {
    Ok(match answer {
        Elicited::Accepted(content) => {
            format!(
                "action=accept, content={}",
                serde_json::to_string(&content)?
            )
        }
        Elicited::Declined => "action=decline".to_owned(),
        Elicited::Cancelled => "action=cancel".to_owned(),
    })
}
