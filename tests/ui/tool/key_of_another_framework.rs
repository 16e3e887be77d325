use mcp_kit::prelude::*;

/// Search the web.
#[tool(rate_limit = "5/s", annotations(idempotent), read-only)]
async fn search() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
