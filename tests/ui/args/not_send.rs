use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    query: std::rc::Rc<String>,
}

/// Search the web.
#[tool(blocking)]
fn search(args: Args) -> String {
    args.query.to_string()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
