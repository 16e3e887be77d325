use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(dive)]
    paging: Paging,
}

#[derive(Deserialize, JsonSchema, ToolArgs)]
struct Paging {
    page: u8,
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
