use mcp_kit::prelude::*;

struct Web;

impl Web {
    /// Search the web.
    #[tool]
    async fn search() -> String {
        String::new()
    }
}

fn main() {
    let _ = Web::search();
}
