use mcp_kit::prelude::*;

fn load() -> Result<String, String> {
    Err("no network".to_owned())
}

/// Search the web.
#[tool]
async fn search() -> Result<String, ToolError> {
    Ok(load()?)
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
