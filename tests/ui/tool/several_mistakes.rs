use mcp_kit::{Server, ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

#[tool(titel = "Search", timeout = "soon", name = "a b")]
fn search(args: &Args) -> String {
    args.query.clone()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
