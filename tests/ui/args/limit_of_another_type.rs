use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

const LONGEST: u32 = 80;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, max = LONGEST))]
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
