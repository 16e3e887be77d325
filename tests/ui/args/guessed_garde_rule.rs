use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(not_blank)]
    query: String,
}

/// Search the web.
#[tool]
async fn search(args: Args) -> String {
    let _ = args;
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
