use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Item {
    #[garde(skip)]
    name: String,
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Order {
    #[garde(dive)]
    items: Vec<Item>,
}

fn main() {}
