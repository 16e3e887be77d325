use mcp_kit::prelude::*;

/// Search the web.
#[tool(crate = mcp_kit::prelude)]
async fn search() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
