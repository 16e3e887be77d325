use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    #[tool_args(rule = "must be even")]
    count: u32,
    /// An opaque field's rule is serde's to check.
    #[garde(skip)]
    #[tool_args(opaque, rule = "must be a date such as 2026-12-31")]
    day: String,
}

fn main() {}
