use mcp_kit::prelude::*;

/// Search the web.
#[tool]
async fn search() -> Result<String, ToolError> {
    Err("nothing was found".into())
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
