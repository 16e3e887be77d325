//! What a model reads, and what the schema promises, trap by trap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod choices;
mod cookbook;
mod fuzz;
mod keys;
mod normalised;
mod portable;
mod promises;
mod properties;
mod repeats;
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

/// What the report says after `Invalid arguments: `.
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
fn a_name_given_twice_is_told() {
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

#[derive(Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[serde(alias = "quick")]
    Fast,
    Slow,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Modes {
    #[garde(skip)]
    mode: Mode,
    #[garde(skip)]
    other: Option<Mode>,
}

#[test]
fn enums_list_their_values() {
    assert_eq!(
        decoded::<Modes>(r#"{"mode":"quick","other":null}"#).mode,
        Mode::Fast
    );
    assert_eq!(
        refused::<Modes>(r#"{"mode":"medium","other":"none"}"#),
        r#"mode: must be "fast" or "slow"; other: must be "fast", "slow" or null"#
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
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Circle {
        #[garde(range(min = 1))]
        radius: u32,
    },
    Square(#[garde(dive)] Square),
    #[serde(alias = "nothing")]
    Empty,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Square {
    #[garde(range(max = 9))]
    side: u8,
}

#[test]
fn an_internally_tagged_root_is_an_object() {
    assert_eq!(schema::<Shape>()["type"], json!("object"));
    decoded::<Shape>(r#"{"radius":1,"kind":"circle"}"#);
    decoded::<Shape>(r#"{"kind":"nothing"}"#);
    assert_eq!(
        refused::<Shape>(r#"{"kind":"square","side":10}"#),
        "side: must be at most 9"
    );
    assert_eq!(
        refused::<Shape>(r#"{"kind":"circle","radius":0}"#),
        "radius: must be at least 1"
    );
    assert_eq!(refused::<Shape>(r#"{"radius":1}"#), "kind: is required");
    assert_eq!(
        refused::<Shape>(r#"{"kind":"oval"}"#),
        r#"kind: must be "circle", "square" or "empty""#
    );
    assert_eq!(
        refused::<Shape>(r#"{"kind":"circle","radius":1,"radios":2}"#),
        r#"unknown argument "radios" (did you mean "radius"?)"#
    );
    assert_eq!(
        refused::<Shape>(r#"{"kind":"empty","side":2}"#),
        r#"unknown argument "side""#
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Flat {
    #[garde(length(chars, min = 1))]
    name: String,
    #[serde(flatten)]
    #[garde(dive)]
    paging: Paging,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "camelCase")]
struct Paging {
    #[garde(range(max = 50))]
    page_size: u8,
    #[garde(custom(even))]
    #[tool_args(rule = "must be an even number")]
    #[serde(default)]
    offset: u32,
}

fn even(value: &u32, (): &()) -> garde::Result {
    if value.is_multiple_of(2) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("{value} is odd")))
    }
}

#[test]
fn flattened_fields_stand_where_they_are_sent() {
    assert_eq!(
        decoded::<Flat>(r#"{"name":"a","pageSize":3}"#)
            .paging
            .page_size,
        3
    );
    assert_eq!(
        refused::<Flat>(r#"{"name":"a","pageSize":51,"offset":3,"pagesiz":1}"#),
        "pageSize: must be at most 50; offset: must be an even number; \
         unknown argument \"pagesiz\" (did you mean \"pageSize\"?)"
    );
    assert_eq!(
        schema::<Flat>()["properties"]["offset"]["description"],
        json!("Must be an even number.")
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct FlatEnum {
    #[garde(range(max = 5))]
    depth: u8,
    #[serde(flatten)]
    #[garde(dive)]
    shape: Shape,
}

#[test]
fn a_flattened_enum_refuses_unknown_names_too() {
    decoded::<FlatEnum>(r#"{"depth":1,"kind":"circle","radius":2}"#);
    assert_eq!(
        refused::<FlatEnum>(r#"{"depth":6,"kind":"circle","radius":0,"side":1}"#),
        "depth: must be at most 5; radius: must be at least 1; unknown argument \"side\""
    );
    assert_eq!(
        refused::<FlatEnum>(r#"{"depth":1,"kind":"empty"}"#.replace("1,", "9,").as_str()),
        "depth: must be at most 5"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct FlatOption {
    #[serde(flatten)]
    #[garde(dive)]
    square: Option<Square>,
}

#[test]
fn a_flattened_option_is_a_build_error() {
    let problems = problems::<FlatOption>();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("swallows every mistake"),
        "{problems:?}"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Texts {
    #[garde(ascii)]
    a: Option<String>,
    #[garde(alphanumeric)]
    b: Option<String>,
    #[garde(prefix("a+"), suffix(".rs"))]
    c: Option<String>,
    #[garde(contains("(x)"))]
    d: Option<String>,
    #[garde(ip)]
    e: Option<String>,
    #[garde(ipv4)]
    f: Option<String>,
    #[garde(skip)]
    g: Option<std::net::IpAddr>,
    #[garde(ascii, length(chars, min = 2, max = 3))]
    h: Option<String>,
    #[garde(length(bytes, max = 4))]
    #[tool_args(rule = "must fit into 4 bytes of UTF-8")]
    i: Option<String>,
    #[garde(skip)]
    j: Option<char>,
}

#[test]
fn rules_that_schemars_drops_are_published_and_reported() {
    let schema = schema::<Texts>();
    let of = |name: &str| schema["properties"][name].clone();
    assert_eq!(
        of("a"),
        json!({"type":"string","pattern":r"^[\x00-\x7F]*$"})
    );
    assert_eq!(
        of("b"),
        json!({"type":"string","description":"Must contain only letters and digits."})
    );
    assert_eq!(of("c")["pattern"], json!(r"^a\+"));
    assert_eq!(of("c")["allOf"], json!([{"pattern": r"\.rs$"}]));
    assert_eq!(of("d")["pattern"], json!(r"\(x\)"));
    assert_eq!(
        of("e")["anyOf"],
        json!([{"format":"ipv4"},{"format":"ipv6"}])
    );
    assert_eq!(of("f")["format"], json!("ipv4"));
    assert_eq!(of("g")["anyOf"], of("e")["anyOf"]);
    assert_eq!(
        (of("h")["minLength"].clone(), of("h")["maxLength"].clone()),
        (json!(2), json!(3))
    );
    assert_eq!(of("i")["maxLength"], json!(4));
    assert_eq!(
        of("i")["description"],
        json!("Must fit into 4 bytes of UTF-8.")
    );
    assert_eq!(
        refused::<Texts>(
            r#"{"a":"é","b":"a b","c":"x","d":"x","e":"1.2.3","f":"::1","g":"me","h":"abcd","i":"ééé","j":"ab"}"#
        ),
        "a: must contain only ASCII characters; b: must contain only letters and digits; \
         c: must start with \"a+\"; c: must end with \".rs\"; d: must contain \"(x)\"; \
         e: must be an IP address; f: must be an IPv4 address; g: must be an IP address; \
         h: must have at most 3 characters; i: must fit into 4 bytes of UTF-8; \
         j: must have exactly 1 character"
    );
    decoded::<Texts>(
        r#"{"a":"a","b":"ab1é","c":"a+.rs","d":"-(x)","e":"::1","f":"1.2.3.4","g":"::1","h":"ab","i":"éé","j":"é"}"#,
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Numbers {
    #[garde(skip)]
    a: Option<u64>,
    #[garde(skip)]
    b: Option<i64>,
    #[garde(skip)]
    c: Option<u128>,
    #[garde(range(min = 0.5, max = 1.5))]
    d: Option<f64>,
    #[garde(skip)]
    e: Option<std::num::NonZeroU8>,
    #[garde(skip)]
    f: Option<std::num::NonZeroI8>,
}

#[test]
fn numbers_have_their_types_bounds() {
    let schema = schema::<Numbers>();
    let bounds = |name: &str| {
        let of = &schema["properties"][name];
        (of["minimum"].clone(), of["maximum"].clone())
    };
    // 64-bit limits are checked, and not published.
    assert_eq!(bounds("a"), (json!(0), Value::Null));
    assert_eq!(bounds("b"), (Value::Null, Value::Null));
    assert_eq!(bounds("c"), (json!(0), Value::Null));
    assert_eq!(bounds("e"), (json!(1), json!(255)));
    assert!(!schema.to_string().contains("format"));
    assert_eq!(
        refused::<Numbers>(
            r#"{"a":18446744073709551616,"b":-9223372036854775809,"c":-1,"d":2,"e":0,"f":0}"#
        ),
        "a: must be at most 18446744073709551615; b: must be at least -9223372036854775808; \
         c: must be at least 0; d: must be at most 1.5; e: must be at least 1; f: must not be 0"
    );
    decoded::<Numbers>(r#"{"a":18446744073709551615,"c":99999999999999999999999,"d":1}"#);
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

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Opaque {
    #[garde(skip)]
    #[tool_args(opaque)]
    #[schemars(with = "String")]
    inner: Secret,
    #[garde(length(min = 1))]
    headers: BTreeMap<String, u8>,
}

#[derive(Debug)]
struct Secret;

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("no good: {text}")))
    }
}

#[test]
fn the_place_is_named_where_only_serde_knows_why() {
    let said = refused::<Opaque>(r#"{"headers":{"a b":1}, "inner":"hunter2"}"#);
    assert_eq!(said, "inner: is not acceptable here");
    let said = refused::<Opaque>("{\n\"headers\":{\"a b\":\"x\"},\n\"inner\":\"hunter2\"}");
    assert_eq!(said, r#"headers["a b"]: must be a whole number"#);
    assert_eq!(
        refused::<Opaque>(r#"{"inner":1,"headers":{}}"#),
        "inner: must be a string; headers: must have at least 1 entry"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, rule = "must have a start before the end")]
#[garde(custom(ordered))]
struct Span {
    #[garde(skip)]
    start: u32,
    #[garde(skip)]
    end: u32,
}

fn ordered(span: &Span, (): &()) -> garde::Result {
    if span.start < span.end {
        Ok(())
    } else {
        Err(garde::Error::new(format!("{}", span.end)))
    }
}

#[test]
fn a_rule_on_the_whole_struct_is_told_in_its_words() {
    assert_eq!(
        refused::<Span>(r#"{"start":77,"end":66}"#),
        "must have a start before the end"
    );
    assert_eq!(
        schema::<Span>()["description"],
        json!("Must have a start before the end.")
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct BadDefault {
    #[serde(default = "five")]
    #[garde(range(min = 6))]
    count: u8,
}

type Text = String;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct HiddenBytes {
    #[garde(length(max = 5))]
    text: Text,
}

#[test]
fn disagreements_are_build_errors_with_the_fix() {
    assert!(problems::<BadDefault>()[0].contains("the default of \"count\""));
    let problem = &problems::<HiddenBytes>()[0];
    assert!(problem.starts_with("`HiddenBytes.text`") && problem.contains("length(chars, …)"));
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
enum Either {
    Text(#[garde(length(chars, max = 3))] String),
    #[serde(alias = "num")]
    Number {
        #[garde(range(max = 5))]
        value: u8,
    },
    Nothing,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Choices {
    #[garde(dive)]
    either: Option<Either>,
    #[garde(dive)]
    #[serde(default)]
    any: Option<Any>,
    #[garde(dive)]
    #[serde(default)]
    beside: Vec<Beside>,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(untagged)]
enum Any {
    Id(#[garde(range(max = 9))] u8),
    Named {
        #[garde(length(chars, min = 2))]
        name: String,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(tag = "t", content = "c")]
enum Beside {
    One(
        #[garde(custom(even))]
        #[tool_args(rule = "must be an even number")]
        u32,
    ),
    Two(#[garde(range(max = 1))] u8, #[garde(skip)] String),
}

#[test]
fn every_kind_of_enum_is_reported_at_its_place() {
    for (raw, said) in [
        (
            r#"{"either":{"Text":"long"}}"#,
            "either.Text: must have at most 3 characters",
        ),
        (
            r#"{"either":{"num":{"value":6}}}"#,
            "either.Number.value: must be at most 5",
        ),
        (
            r#"{"either":{"Number":{"value":1,"w":6}}}"#,
            r#"either.Number: unknown argument "w""#,
        ),
        (
            r#"{"either":"Nothin"}"#,
            r#"either: must be "Nothing", or an object with one member named "Text" or "Number""#,
        ),
        (
            r#"{"either":3}"#,
            "either: must be \"Nothing\", or an object with one member named \"Text\" or \"Number\", \
             or null",
        ),
        (
            r#"{"either":{"Nope":1}}"#,
            r#"either: must be "Nothing", or an object with one member named "Text" or "Number""#,
        ),
        (r#"{"any":10}"#, "any: must be at most 9"),
        (
            r#"{"any":{"name":"x"}}"#,
            "any.name: must have at least 2 characters",
        ),
        (
            r#"{"any":{"name":"xx","more":1}}"#,
            r#"any: unknown argument "more""#,
        ),
        (
            r#"{"any":true}"#,
            "any: must be a whole number, an object with one member named \"name\" or null",
        ),
        (
            r#"{"beside":[{"t":"One","c":3}]}"#,
            "beside[0].c: must be an even number",
        ),
        (
            r#"{"beside":[{"t":"Two","c":[2,"a"]}]}"#,
            "beside[0].c[0]: must be at most 1",
        ),
        (
            r#"{"beside":[{"t":"Two","c":[1]}]}"#,
            "beside[0].c: must have exactly 2 items",
        ),
        (r#"{"beside":[{"t":"Two"}]}"#, "beside[0].c: is required"),
    ] {
        assert_eq!(refused::<Choices>(raw), said, "{raw}");
    }
    for raw in [
        r#"{"either":{"Text":"abc"},"any":{"name":"xx"}}"#,
        r#"{"either":"Nothing","any":9,"beside":[{"c":2,"t":"One"},{"t":"Two","c":[1,"x"]}]}"#,
        r#"{"either":null,"any":null}"#,
        "{}",
    ] {
        decoded::<Choices>(raw);
    }
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
