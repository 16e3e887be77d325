use mcp_kit::prelude::*;

/// Search the web.
#[tool]
async fn search() -> Result<String, ToolError> {
    std::fs::read_to_string("a").or_user(format!("page {} is empty", 3))
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
