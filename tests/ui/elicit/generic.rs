use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Pick<T: Validate<Context = ()>> {
    #[garde(dive)]
    value: T,
}

fn main() {}
