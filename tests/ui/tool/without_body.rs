use mcp_kit::prelude::*;

/// Search the web.
#[tool]
async fn search() -> String;

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
