use mcp_kit::{Server, State, ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Paging {
    #[garde(range(min = 1))]
    page: u32,
}

/// Searches.
#[tool]
async fn search(args: Args, State(base): State<String>, paging: Paging) -> String {
    format!("{base} {} {}", args.query, paging.page)
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
