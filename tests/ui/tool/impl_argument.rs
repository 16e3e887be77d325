use mcp_kit::{Server, tool};

/// Searches.
#[tool]
async fn search(args: impl Into<String>) -> String {
    args.into()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
