use mcp_kit::prelude::*;

/// Search the web.
#[tool]
async fn search() -> Result<String, ToolError> {
    let text = format!("page {} is empty", 3);
    Err(user_error!(text))
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
