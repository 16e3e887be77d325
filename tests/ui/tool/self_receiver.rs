use mcp_kit::{ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

struct Web {
    base: String,
}

impl Web {
    /// Searches.
    #[tool]
    async fn search(&self, args: Args) -> String {
        format!("{}/{}", self.base, args.query)
    }
}

fn main() {
}
