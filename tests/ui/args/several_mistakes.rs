use garde::Validate;
use mcp_kit::{Server, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(length(max = 80))]
    query: String,
    #[garde(custom(|_: &u32, _: &()| Ok(())))]
    page: u32,
    #[garde(skip)]
    #[tool_args(opaqe)]
    rest: String,
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
