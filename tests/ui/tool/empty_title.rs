use mcp_kit::{Server, ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

/// Searches.
#[tool(title = "")]
async fn search(args: Args) -> String {
    args.query
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
