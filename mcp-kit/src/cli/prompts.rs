//! `prompts` lists the prompts of the server, `prompt` prints the messages of
//! one.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::build::Failure;
use super::call::request;
use super::content::shown;
use super::output::{count, print};
use super::runtime::LazyRuntime;
use super::tools::member;
use crate::client::GetPromptResult;
use crate::primitive::{Kind, PromptDefinition};
use crate::server::Server;
use crate::support::json::Members as _;

/// Prints every prompt with its arguments.
pub(super) fn prompts(server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        return print(&format!("{:#}\n", server.listed(Kind::Prompt)));
    }
    let prompts = server.prompts();
    let mut text = format!(
        "{} {}: {}\n",
        server.name(),
        server.version(),
        count(prompts.len(), "prompt")
    );
    for prompt in prompts {
        text.push('\n');
        describe(&mut text, &prompt);
    }
    print(&text)
}

// Writing into a `String` cannot fail.
fn describe(text: &mut String, prompt: &PromptDefinition) {
    text.push_str(prompt.name());
    if let Some(title) = prompt.title() {
        let _ = write!(text, " – {title}");
    }
    text.push('\n');
    for line in prompt.description().trim().lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    if prompt.arguments().is_empty() {
        text.push_str("  no arguments\n");
        return;
    }
    text.push_str("  arguments:\n");
    let schemas = prompt.common.arguments.schema().at("properties");
    for argument in prompt.arguments() {
        let name = argument.name();
        text.push_str("    ");
        member(text, name, &schemas[name], argument.is_required());
    }
}

/// Requests the messages of `prompt` and prints them.
pub(super) fn prompt(
    server: &Server,
    runtime: &LazyRuntime,
    prompt: &str,
    arguments: &str,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let result: GetPromptResult = match request(server, runtime, (Kind::Prompt, prompt), arguments)?
    {
        Ok(result) => result,
        Err(code) => return Ok(code),
    };
    if as_json {
        return print(&format!("{:#}\n", result.json()));
    }
    let mut text = String::new();
    if let Some(description) = result.description() {
        let _ = writeln!(text, "{description}\n");
    }
    for message in result.messages() {
        write_message(&mut text, message);
    }
    print(&text)
}

/// Writes "user: the text", or one line for media and links.
fn write_message(text: &mut String, message: &Value) {
    let role = message.at("role").as_str().unwrap_or_default();
    let _ = writeln!(text, "{role}: {}", shown(message.at("content")));
}
