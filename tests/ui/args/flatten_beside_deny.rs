use garde::Validate;
use mcp_kit::{Server, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(deny_unknown_fields)]
struct Args {
    #[garde(skip)]
    #[serde(flatten)]
    rest: std::collections::HashMap<String, u8>,
}

/// Searches.
#[tool]
async fn search(args: Args) -> String {
    drop(args);
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
