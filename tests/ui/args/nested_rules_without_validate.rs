use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolArgs)]
struct Page {
    #[garde(range(max = 50))]
    most: u8,
    offset: Option<u64>,
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(dive)]
    page: Page,
}

/// Search the web.
#[tool]
async fn search(args: Args) -> String {
    let _ = args.page;
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
