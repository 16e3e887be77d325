use mcp_kit::prompt;

/// Reviews.
#[prompt]
struct Review;

fn main() {
    let _ = Review;
}
