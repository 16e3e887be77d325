use mcp_kit::tool;

/// Works for a while.
#[tool(task = "optional")]
async fn work() -> &'static str {
    "done"
}

fn main() {}
