//! A rule that garde has and mcp-kit does not know can be described or left opaque.

use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolArgs)]
struct Args {
    #[garde(forbidden("a", "b"))]
    #[tool_args(rule = "must not be a or b")]
    query: String,
    #[garde(ipv5)]
    #[tool_args(opaque)]
    host: String,
}

impl garde::Validate for Args {
    type Context = ();

    fn validate_into(
        &self,
        _: &Self::Context,
        _: &mut dyn FnMut() -> garde::Path,
        _: &mut garde::Report,
    ) {
    }
}

/// Search the web.
#[tool(read_only, open_world)]
async fn search(args: Args) -> String {
    format!("{} {}", args.query, args.host)
}

fn main() -> Result<(), mcp_kit::server::BuildError> {
    let server = Server::builder("ui", "1.0.0").tool::<search>().build()?;
    drop(server);
    Ok(())
}
