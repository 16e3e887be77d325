use garde::Validate;
use mcp_kit::{Server, ToolArgs, tool};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    #[serde(deserialize_with = "lenient")]
    query: String,
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

fn lenient<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from)
}
