use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Row(#[garde(skip)] u8);

fn main() {}
