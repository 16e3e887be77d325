use mcp_kit::tool::ToolResult;
use mcp_kit::{Server, prompt};

/// Reviews.
#[prompt]
async fn review() -> ToolResult {
    ToolResult::text("Review the change.")
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").prompt::<review>().build();
}
