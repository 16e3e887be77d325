use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// As if garde's derive had accepted the rule.
#[derive(Deserialize, JsonSchema, ToolArgs)]
struct Args {
    #[garde(forbidden("a", "b"))]
    query: String,
    #[garde(inner(length(words, max = 3)))]
    tags: Vec<String>,
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

#[derive(Deserialize, JsonSchema, ToolArgs)]
#[garde(ordered)]
struct Range<T> {
    from: T,
    to: T,
}

impl<T> garde::Validate for Range<T> {
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
#[tool]
async fn search(args: Args) -> String {
    let _ = (args.query, args.tags);
    String::new()
}

fn main() {
    let _ = Server::builder("ui", "1.0.0").tool::<search>().build();
    let _ = |range: Range<u8>| (range.from, range.to);
}
