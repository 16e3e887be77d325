use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ElicitForm)]
struct Seat {
    row: u8,
}

fn main() {}
