use garde::Validate;
use mcp_kit::{Server, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(custom(in_order))]
struct Args {
    #[garde(range(max = 100))]
    from: u32,
    #[garde(range(max = 100))]
    to: u32,
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

fn in_order(args: &Args, _: &()) -> garde::Result {
    match args.from <= args.to {
        true => Ok(()),
        false => Err(garde::Error::new("from must not be after to")),
    }
}
