use mcp_kit::{Server, State, ToolArgs, tool};

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(length(chars, min = 1))]
    query: String,
}

/// Searches.
#[tool]
async fn search<'a>(args: Args, state: State<&'a str>) -> String {
    format!("{} {}", state.0, args.query)
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
}
