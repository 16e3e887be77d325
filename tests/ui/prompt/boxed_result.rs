use mcp_kit::prompt::IntoPromptResult;
use mcp_kit::{Server, prompt};

/// Reviews.
#[prompt]
async fn review() -> impl IntoPromptResult {
    "Review the change."
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").prompt::<review>().build();
}
