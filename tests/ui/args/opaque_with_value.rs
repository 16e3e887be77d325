use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    #[tool_args(opaque = true)]
    query: String,
}

/// Search the web.
#[tool]
async fn search(args: Args) -> String {
    args.query
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
