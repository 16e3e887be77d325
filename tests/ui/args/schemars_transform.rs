use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

fn at_least_three(schema: &mut schemars::Schema) {
    schema.insert("minLength".into(), 3.into());
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Args {
    #[garde(skip)]
    #[schemars(transform = at_least_three)]
    query: String,
}

fn main() {}
