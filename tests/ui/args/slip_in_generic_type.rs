use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Paged<T: Validate<Context = ()>> {
    #[garde(dive)]
    order: T,
    page: u8,
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Order {
    #[garde(skip)]
    newest: bool,
}

type Args = Paged<Order>;

/// Search the web.
#[tool]
async fn search(args: Args) -> String {
    let _ = args;
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
