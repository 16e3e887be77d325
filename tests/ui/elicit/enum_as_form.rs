use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ElicitForm)]
enum Color {
    Red,
    Blue,
}

fn main() {}
