use mcp_kit::prelude::*;

/// Search the web.
#[tool(timeout = "5m", allow(long_timeuot))]
async fn search() -> String {
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
