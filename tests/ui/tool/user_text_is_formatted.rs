use mcp_kit::prelude::*;

/// Search the web.
#[tool]
async fn search() -> Result<String, ToolError> {
    Err(ToolError::user(format!("page {} is empty", 3)))
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
