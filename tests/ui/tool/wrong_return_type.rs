use mcp_kit::{Server, ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

/// Searches.
#[tool]
async fn search(args: Args) -> std::time::Duration {
    std::time::Duration::from_secs(args.query.len() as u64)
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
