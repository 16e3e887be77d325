//! Every field that a form can have.

use std::collections::{BTreeSet, HashSet};

use garde::Validate;
use mcp_kit::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema, ToolArgs, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Color {
    Red,
    Blue,
}

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
#[garde(allow_unvalidated)]
struct Everything {
    text: String,
    letter: char,
    number: Option<f64>,
    count: std::num::NonZeroU16,
    yes: bool,
    color: Color,
    colors: Vec<Color>,
    set: HashSet<Color>,
    sorted: Option<BTreeSet<Color>>,
    #[tool_args(opaque)]
    own: Own,
    #[serde(skip)]
    hidden: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Own(u8);

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Consent {}

fn is_form<T: mcp_kit::elicit::ElicitForm>() {}

fn main() {
    is_form::<Everything>();
    is_form::<Consent>();
}
