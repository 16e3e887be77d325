use garde::Validate;
use mcp_kit::ToolArgs;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args<'a> {
    #[garde(length(chars, min = 1))]
    #[serde(borrow)]
    query: std::borrow::Cow<'a, str>,
}

fn main() {}
