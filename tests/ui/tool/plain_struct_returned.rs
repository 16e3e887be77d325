use mcp_kit::{Server, ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Hits {
    count: usize,
}

/// Searches.
#[tool]
async fn search(args: Args) -> Hits {
    Hits { count: args.query.len() }
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
