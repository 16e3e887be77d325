//! Shows prompts and their messages to people, for the commands `prompts` and `prompt`.

use serde_json::Value;

use crate::content::shown;
use crate::primitive::PromptDefinition;
use crate::primitive::shown::head;
use crate::schema::shown::member;
use crate::support::json::Members as _;

/// Writes a prompt with its arguments.
pub(super) fn describe(prompt: &PromptDefinition, text: &mut String) {
    head(
        text,
        prompt.name(),
        prompt.title(),
        "",
        prompt.description(),
    );
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

/// Returns the messages as "user: the text", or one line for media and links.
pub(super) fn result(result: &Value) -> String {
    let mut text = String::new();
    if let Some(description) = result.at("description").as_str() {
        text.push_str(&format!("{description}\n\n"));
    }
    for message in result.at("messages").as_array().into_iter().flatten() {
        let role = message.at("role").as_str().unwrap_or_default();
        let content = shown::block(message.at("content"));
        text.push_str(&format!("{role}: {content}\n"));
    }
    text
}
