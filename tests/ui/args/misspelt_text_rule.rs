use garde::Validate;
use mcp_kit::guard::text;
use mcp_kit::{Server, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, max = 80), custom(text::slgu))]
    page: String,
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
