use mcp_kit::{Server, ToolArgs, prompt};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    path: String,
}

/// Reviews.
#[prompt]
async fn review(args: Args) -> usize {
    args.path.len()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").prompt::<review>().build();
}
