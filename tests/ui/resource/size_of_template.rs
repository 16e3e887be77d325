use mcp_kit::prelude::*;

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    page: String,
}

/// A page.
#[resource(uri = "docs://{page}", size = 1_024)]
async fn page(args: Args) -> String {
    args.page
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").resource::<page>().build();
}
