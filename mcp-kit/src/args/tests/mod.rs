//! What a model reads, and what the schema promises, trap by trap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod choices;
mod cookbook;
mod enums;
mod flatten;
mod fuzz;
mod keys;
mod normalised;
mod portable;
mod promises;
mod properties;
mod repeats;
mod rules;
mod run_time;
#[cfg(feature = "json-schema")]
mod standard;
mod types;
mod well_known;
mod zoo;

use std::collections::{BTreeMap, HashSet};

use garde::Validate;
use mcp_kit_macros::ToolArgs;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CompiledArgs, Decoded, ToolArgs};
use enums::*;
use flatten::*;
use rules::*;

fn compiled<T: ToolArgs>() -> CompiledArgs {
    CompiledArgs::of(&T::__spec()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn problems<T: ToolArgs>() -> Vec<String> {
    CompiledArgs::of(&T::__spec()).err().unwrap_or_default()
}

fn schema<T: ToolArgs>() -> Value {
    compiled::<T>().schema().clone()
}

fn decoded<T: ToolArgs>(raw: &str) -> T {
    match compiled::<T>().decode(Some(raw)) {
        Ok(Decoded::Typed(value)) => *value.downcast().expect("the type that was asked for"),
        Ok(Decoded::Json(_)) => panic!("a typed tool"),
        Err(violations) => panic!("{raw}: {violations}"),
    }
}

/// Returns the report after `Invalid arguments: `.
fn refused<T: ToolArgs>(raw: &str) -> String {
    let Err(violations) = compiled::<T>().decode(Some(raw)) else {
        panic!("accepted: {raw}");
    };
    violations
        .to_string()
        .strip_prefix("Invalid arguments: ")
        .unwrap()
        .to_owned()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "camelCase")]
struct Search {
    /// What to search for.
    #[garde(length(chars, min = 1, max = 5))]
    query: String,
    /// How many results to return.
    #[serde(default = "five")]
    #[garde(range(min = 1, max = 10))]
    max_results: u8,
    #[serde(default)]
    #[garde(dive)]
    filters: Vec<Filter>,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[garde(range(max = 100))]
    max_age: u32,
    #[garde(inner(length(chars, max = 3)))]
    site: Option<String>,
}

fn five() -> u8 {
    5
}

#[test]
fn the_schema_is_plain_and_complete() {
    assert_eq!(
        schema::<Search>(),
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["query"],
            "properties": {
                "query": {
                    "type": "string", "minLength": 1, "maxLength": 5,
                    "description": "What to search for."
                },
                "maxResults": {
                    "type": "integer", "minimum": 1, "maximum": 10, "default": 5,
                    "description": "How many results to return."
                },
                "filters": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["maxAge"],
                        "properties": {
                            "maxAge": { "type": "integer", "minimum": 0, "maximum": 100 },
                            "site": { "type": "string", "maxLength": 3 }
                        }
                    }
                }
            }
        })
    );
}

#[test]
fn good_arguments_are_decoded() {
    let args: Search = decoded(r#"{"query":"ééééé","filters":[{"maxAge":3,"site":null}]}"#);
    assert_eq!(
        (
            args.query.as_str(),
            args.max_results,
            args.filters[0].max_age
        ),
        ("ééééé", 5, 3)
    );
}

#[test]
fn the_report_is_complete_and_in_wire_names() {
    assert_eq!(
        refused::<Search>(r#"{"query":"","maxResults":11,"max_result":3}"#),
        "query: must have at least 1 character; maxResults: must be at most 10; \
         unknown argument \"max_result\" (did you mean \"maxResults\"?)"
    );
    assert_eq!(
        refused::<Search>(
            r#"{"filters":[{"maxAge":1},{"maxAge":"x","site":"four","maxage":1},{}]}"#
        ),
        "filters[1].maxAge: must be a whole number; \
         filters[1].site: must have at most 3 characters; \
         filters[2].maxAge: is required; query: is required; \
         filters[1]: unknown argument \"maxage\" (did you mean \"maxAge\"?)"
    );
}

#[test]
fn a_name_of_a_nested_place_is_suggested_with_its_path() {
    assert_eq!(
        refused::<Nested>(r#"{"filter":{"maxAge":1},"max_age":3}"#),
        "unknown argument \"max_age\" (did you mean \"filter.maxAge\"?)"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Nested {
    #[garde(dive)]
    filter: Filter,
}

#[test]
fn a_name_given_twice_is_reported() {
    assert_eq!(
        refused::<Search>(r#"{"query":"a","query":"b"}"#),
        "query: is given twice"
    );
    assert_eq!(
        refused::<Aliased>(r#"{"text":"a","q":"b"}"#),
        "text: is given twice"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Aliased {
    #[serde(alias = "q")]
    #[garde(length(chars, min = 1))]
    text: String,
}

#[test]
fn aliases_are_taken_and_not_published() {
    assert_eq!(decoded::<Aliased>(r#"{"q":"a"}"#).text, "a");
    assert_eq!(
        refused::<Aliased>(r#"{"q":""}"#),
        "text: must have at least 1 character"
    );
    assert!(!schema::<Aliased>().to_string().contains("\"q\""));
}

#[test]
fn a_list_is_no_struct_and_a_map_is_no_enum() {
    assert_eq!(
        refused::<Nested>(r#"{"filter":[1,"a"]}"#),
        "filter: must be an object"
    );
    assert_eq!(refused::<Nested>("[{}]"), "must be an object");
    assert_eq!(
        refused::<Modes>(r#"{"mode":{"fast":null}}"#),
        r#"mode: must be "fast" or "slow""#
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Sets {
    #[garde(length(min = 2))]
    tags: HashSet<String>,
}

#[test]
fn a_set_refuses_doubled_items() {
    assert_eq!(
        schema::<Sets>()["properties"]["tags"]["uniqueItems"],
        json!(true)
    );
    assert_eq!(
        refused::<Sets>(r#"{"tags":["a","b","a"]}"#),
        "tags: must not contain the same item twice"
    );
    assert_eq!(
        refused::<Sets>(r#"{"tags":["a"]}"#),
        "tags: must have at least 2 items"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Tree {
    #[garde(length(chars, max = 3))]
    name: String,
    #[garde(dive)]
    #[serde(default)]
    children: Vec<Tree>,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Forest {
    #[garde(dive)]
    tree: Option<Box<Tree>>,
}

#[test]
fn recursive_types_keep_their_references() {
    assert!(schema::<Tree>()["properties"]["children"]["items"]["$ref"] == "#");
    let forest = schema::<Forest>();
    assert!(forest.to_string().contains("#/$defs/Tree"), "{forest}");
    assert_eq!(
        refused::<Forest>(r#"{"tree":{"name":"a","children":[{"name":"long","nam":1}]}}"#),
        "tree.children[0].name: must have at most 3 characters; \
         tree.children[0]: unknown argument \"nam\" (did you mean \"name\"?)"
    );
}

#[test]
fn unknown_names_are_capped_and_escaped() {
    let long = "x".repeat(500);
    let said = refused::<Search>(&format!(r#"{{"query":"a","{long}":1,"a\"b\u202e\n":2}}"#));
    assert!(said.contains(r#""a\"b\u{202e}\u{a}""#), "{said}");
    assert!(said.len() < 250, "{said}");
    let many: Vec<String> = (0..100).map(|n| format!(r#""unknown{n}":1"#)).collect();
    let said = refused::<Search>(&format!(r#"{{"query":"a",{}}}"#, many.join(",")));
    assert!(said.ends_with("and 90 more unknown arguments"), "{said}");
}

#[test]
fn tools_without_arguments_take_none() {
    let none = CompiledArgs::none();
    for raw in [None, Some("null"), Some("{}"), Some(" { } ")] {
        assert!(none.decode(raw).is_ok(), "{raw:?}");
    }
    let said = none.decode(Some(r#"{"a":1}"#)).unwrap_err().to_string();
    assert_eq!(said, r#"Invalid arguments: unknown argument "a""#);
}

#[test]
fn logs_get_known_names_only() {
    let names = compiled::<Aliased>();
    assert_eq!(
        names
            .argument_names(Some(r#"{"q":"secret","evil\n":1}"#))
            .to_string(),
        "text (+1 unknown)"
    );
    assert_eq!(names.argument_names(None).to_string(), "");
    let names = compiled::<Shape>();
    assert_eq!(
        names
            .argument_names(Some(r#"{"kind":"circle","radius":1}"#))
            .to_string(),
        "kind,radius"
    );
}

#[test]
fn text_that_is_no_json_is_refused() {
    for raw in [
        "",
        "{",
        "{\"query\":}",
        "{\"query\":\"a\"",
        "nul",
        "{\"query\":\"\\ud800\"}",
        "[[[",
    ] {
        assert!(compiled::<Search>().decode(Some(raw)).is_err(), "{raw}");
        assert!(CompiledArgs::none().decode(Some(raw)).is_err(), "{raw}");
    }
    assert_eq!(
        refused::<Search>(r#"{"query":"\ud800"}"#),
        "query: must be valid Unicode text"
    );
}

#[test]
fn deep_text_is_refused_without_harm() {
    let deep = format!(
        r#"{{"query":"a","filters":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(refused::<Search>(&deep), "filters[0]: must be an object");
    let mut tree = String::from(r#"{"name":"a"}"#);
    for _ in 0..200 {
        tree = format!(r#"{{"name":"a","children":[{tree}]}}"#);
    }
    assert!(
        refused::<Tree>(&tree).contains("is nested too deeply"),
        "{}",
        refused::<Tree>(&tree)
    );
}

#[test]
fn schemas_and_decoding_agree() {
    use crate::testing::assert_schema_agrees as agrees;
    agrees::<Search>();
    agrees::<Nested>();
    agrees::<Aliased>();
    agrees::<Modes>();
    agrees::<Sets>();
    agrees::<Shape>();
    agrees::<Flat>();
    agrees::<FlatEnum>();
    agrees::<Texts>();
    agrees::<Numbers>();
    agrees::<Tree>();
    agrees::<Forest>();
    agrees::<Opaque>();
    agrees::<Span>();
    agrees::<Choices>();
}
