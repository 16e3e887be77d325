use mcp_kit::{Server, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate)]
struct Plain {
    #[garde(length(chars, min = 1))]
    query: String,
}

/// Searches.
#[tool]
async fn search(args: Plain) -> String {
    args.query
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
