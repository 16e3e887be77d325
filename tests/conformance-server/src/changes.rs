//! What changes while the server runs: a tool and a prompt that come and go.

use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::registry::RegistryError;
use mcp_kit::server::ServerBuilder;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<test_trigger_tool_change>()
        .tool::<test_trigger_prompt_change>()
        .tool::<now_and_then>()
        .prompt::<now_and_then_prompt>()
}

/// Hides the tool now_and_then, or shows it again.
#[tool(destructive = false, open_world = false)]
async fn test_trigger_tool_change(server: Server) -> Result<String, ToolError> {
    toggle(&server, Kind::Tool, "now_and_then")
}

/// Hides the prompt now_and_then_prompt, or shows it again.
#[tool(destructive = false, open_world = false)]
async fn test_trigger_prompt_change(server: Server) -> Result<String, ToolError> {
    toggle(&server, Kind::Prompt, "now_and_then_prompt")
}

fn toggle(server: &Server, kind: Kind, name: &str) -> Result<String, ToolError> {
    let registry = server.registry();
    let is_hidden = registry.is_hidden(kind, name);
    let change: Result<(), RegistryError> = if is_hidden {
        registry.show(kind, name)
    } else {
        registry.hide(kind, name)
    };
    change?;
    Ok(format!(
        "{name} is now {}.",
        if is_hidden { "shown" } else { "hidden" }
    ))
}

/// Is there now and then.
#[tool(read_only, open_world = false)]
async fn now_and_then() -> &'static str {
    "I am here."
}

/// Is there now and then.
#[prompt]
async fn now_and_then_prompt() -> &'static str {
    "I am here."
}
