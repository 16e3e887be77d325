use std::collections::HashMap;

use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Order {
    #[garde(skip)]
    tags: Vec<String>,
    #[garde(skip)]
    counts: Option<HashMap<String, u8>>,
    #[garde(skip)]
    size: (u8, u8),
    #[garde(skip)]
    name: String,
    #[garde(skip)]
    anything: serde_json::Value,
}

fn main() {}
