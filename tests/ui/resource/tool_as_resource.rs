use mcp_kit::prelude::*;

/// Searches.
#[tool]
async fn search() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<search>().build();
}
