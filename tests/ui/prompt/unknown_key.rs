use mcp_kit::{Server, prompt};

/// Reviews.
#[prompt(titel = "Review", messages = "Review the change.")]
async fn review() -> &'static str {
    "Review the change."
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").prompt::<review>().build();
}
