use mcp_kit::{Server, prompt};

/// Reviews.
#[prompt]
async fn review(path: String) -> String {
    path
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").prompt::<review>().build();
}
