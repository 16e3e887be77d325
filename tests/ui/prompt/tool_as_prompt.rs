use mcp_kit::{Server, tool};

/// Reviews.
#[tool]
async fn review() -> &'static str {
    "Review the change."
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").prompt::<review>().build();
}
