//! Every key of `#[resource]`, and what a resource may take and return.

use std::time::Duration;

use mcp_kit::content::{ResourceContents, ResourceResult};
use mcp_kit::prelude::*;
use mcp_kit::resource::ResourceUri;

const INDEX: &str = "docs://index";

/// The table of contents.
#[resource(
    uri = INDEX,
    name = "table.of-contents",
    title = "Contents",
    mime_type = "text/markdown; charset=utf-8",
    size = 1_024,
    audience(user, assistant),
    priority = 0.8,
    timeout = Duration::from_secs(1),
    rate = "60/min",
    concurrency = 4,
    result_bytes = 65_536,
    scope = "docs:read",
    allow(long_timeout)
)]
async fn index() -> &'static str {
    "# Contents"
}

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    chapter: u8,
    #[garde(skip)]
    path: String,
    #[garde(skip)]
    #[serde(default)]
    draft: bool,
}

/// A page.
#[resource(uri = "docs://{chapter}/{+path}{?draft}", blocking)]
fn page(uri: ResourceUri, args: Args, State(prefix): State<String>) -> Option<Vec<ResourceContents>> {
    let text = format!("{prefix} {} {} {} {}", uri.as_str(), args.chapter, args.path, args.draft);
    Some(vec![ResourceContents::from_text(text)])
}

/// A table.
#[resource(uri = "docs://table")]
async fn table() -> Result<Json<[u8; 2]>, mcp_kit::Error> {
    Ok(Json([1, 2]))
}

/// Everything.
#[resource(uri = "docs://all")]
async fn all() -> ResourceResult {
    ResourceContents::from_bytes([0]).into()
}

fn main() {
    Server::builder("ui", "1.0.0")
        .state("page".to_owned())
        .resource::<index>()
        .resource_with::<page>(|page| page.readable_by(|_, _| true))
        .resource::<table>()
        .resource::<all>()
        .build()
        .expect("the server can be built");
    // The functions stay functions.
    std::mem::drop((index(), table(), all()));
}
