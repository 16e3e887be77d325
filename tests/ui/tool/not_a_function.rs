use mcp_kit::tool;

/// Searches.
#[tool]
struct Search;

fn main() {
}
