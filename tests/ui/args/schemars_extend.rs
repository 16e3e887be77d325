use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    #[schemars(extend("enum" = ["a", "b"], "x-order" = 1), example = &"a")]
    order: String,
    #[garde(skip)]
    #[schemars(extend("x-unit" = "s", "title" = "Seconds"), title = "Seconds")]
    seconds: u32,
    #[garde(skip)]
    #[schemars(extend("examples" = [{"a": 1}, null], "minimum" = 3))]
    most: u32,
}

fn main() {}
