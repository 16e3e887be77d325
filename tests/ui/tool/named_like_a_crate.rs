use mcp_kit::prelude::*;

/// Search the web.
#[tool]
async fn serde_json() -> String {
    serde_json::json!({ "a": 1 }).to_string()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<serde_json>().build();
}
