//! Tools and a prompt that ask the client: its user, its model, its folders.

use std::env;
use std::error::Error;
use std::time::Duration;

use garde::Validate;
use mcp_kit::extract::{LogLevel, SampleRequest};
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::trace::Trace;

/// The bytes that a state key must have.
const KEY_BYTES: usize = 32;

/// Adds every tool and prompt that asks.
pub(crate) fn register(server: ServerBuilder) -> Result<ServerBuilder, Box<dyn Error>> {
    let mut server = server
        .tool::<confirm>()
        .tool::<two_questions>()
        .tool::<summarise>()
        .tool::<roots>()
        .tool::<log>()
        .prompt::<ask_prompt>();
    if let Ok(mut key) = env::var("CHAOS_STATE_KEY") {
        // Tests write short ones.
        while key.len() < KEY_BYTES {
            key.push('.');
        }
        server = server.state_key(key);
    }
    if let Some(time) = duration("CHAOS_STATE_TTL")? {
        server = server.limits(|limits| limits.question_time = time);
    }
    Ok(server)
}

/// Reads a time of the environment, if it is set: `500ms`, `2s`, `10min`; a number
/// alone is in seconds.
pub(crate) fn duration(name: &str) -> Result<Option<Duration>, Box<dyn Error>> {
    let Ok(text) = env::var(name) else {
        return Ok(None);
    };
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_suffix(unit).unwrap_or_default().parse()?;
    match unit {
        "ms" => Ok(Some(Duration::from_millis(number))),
        "s" | "" => Ok(Some(Duration::from_secs(number))),
        "min" | "m" => Ok(Some(Duration::from_secs(60 * number))),
        _ => Err(format!("{name}: \"{text}\" is not a time such as 2s").into()),
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct ConfirmArgs {
    /// What to do.
    #[garde(length(chars, min = 1, max = 40))]
    what: String,
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Sure {
    /// Whether to do it.
    #[garde(skip)]
    sure: bool,
    /// Why, or why not.
    #[garde(length(chars, max = 100))]
    reason: Option<String>,
}

/// Does something once its user has agreed, and once only.
#[tool]
async fn confirm(
    args: ConfirmArgs,
    client: Client,
    State(trace): State<Trace>,
) -> Result<String, ToolError> {
    let question = format!("Really {}?", args.what);
    match client.elicit::<Sure>(&question).await? {
        Elicited::Accepted(Sure { sure: true, .. }) => {
            let effect = async { Ok(trace.line(&format!("effect {}", args.what))?) };
            client.once("effect", effect).await?;
            Ok(format!("done {}", args.what))
        }
        Elicited::Accepted(_) | Elicited::Declined => Ok("declined".to_owned()),
        Elicited::Cancelled => Ok("cancelled".to_owned()),
    }
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct First {
    /// The first number.
    #[garde(range(min = 1, max = 10))]
    a: u8,
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Second {
    /// The second number.
    #[garde(range(min = 1, max = 10))]
    b: u8,
}

/// Adds two numbers, each of which it asks for.
#[tool]
async fn two_questions(client: Client, State(trace): State<Trace>) -> Result<String, ToolError> {
    let Some(First { a }) = client.elicit("The first number?").await?.accepted() else {
        return Ok("declined".to_owned());
    };
    let step = async { Ok(trace.line("first")?) };
    client.once("first", step).await?;
    let Some(Second { b }) = client.elicit("The second number?").await?.accepted() else {
        return Ok("declined".to_owned());
    };
    Ok((a + b).to_string())
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct SummariseArgs {
    /// The text.
    #[garde(length(chars, max = 10_000))]
    text: String,
}

/// Lets the client's model summarise a text.
#[tool(read_only)]
async fn summarise(args: SummariseArgs, client: Client) -> Result<String, ToolError> {
    let request = SampleRequest::new(format!("Summarise: {}", args.text), 100);
    let sampled = client.sample(request).await?;
    Ok(format!("summary: {}", sampled.text()))
}

/// Lists the URIs of the client's roots, one a line.
#[tool(read_only)]
async fn roots(client: Client) -> Result<String, ToolError> {
    let roots = client.roots().await?;
    let uris: Vec<_> = roots.into_iter().map(|root| root.uri).collect();
    Ok(uris.join("\n"))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct LogArgs {
    /// How severe it is.
    #[garde(skip)]
    level: Level,
    /// The message.
    #[garde(length(chars, max = 1_000))]
    text: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// Sends a log message to the client.
#[tool(read_only)]
async fn log(args: LogArgs, client: Client) -> &'static str {
    let level = match args.level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Notice => LogLevel::Notice,
        Level::Warning => LogLevel::Warning,
        Level::Error => LogLevel::Error,
        Level::Critical => LogLevel::Critical,
        Level::Alert => LogLevel::Alert,
        Level::Emergency => LogLevel::Emergency,
    };
    client.log(level, args.text);
    "logged"
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Topic {
    /// What to write about.
    #[garde(length(chars, min = 1, max = 100))]
    topic: String,
}

/// Asks for a topic to write about.
#[prompt]
async fn ask_prompt(client: Client) -> Result<String, ToolError> {
    let topic = client.elicit::<Topic>("What about?").await?.accepted();
    let Topic { topic } = topic.or_user("Without a topic there is nothing to write about.")?;
    Ok(format!("Write about {topic}."))
}
