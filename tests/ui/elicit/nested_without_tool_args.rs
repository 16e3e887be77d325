use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate)]
struct Address {
    #[garde(skip)]
    city: String,
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Order {
    #[garde(dive)]
    address: Address,
}

fn main() {}
