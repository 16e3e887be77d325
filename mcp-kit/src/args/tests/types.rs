//! Further types: newtypes, optional lists, maps, patterns, required options.

use super::*;
use crate::testing::assert_schema_agrees as agrees;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Query(#[garde(length(chars, min = 1, max = 4))] String);

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[garde(transparent)]
struct Even(
    #[garde(custom(even))]
    #[tool_args(rule = "must be an even number")]
    u32,
);

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Newtypes {
    #[garde(dive)]
    query: Query,
    #[garde(dive)]
    evens: Vec<Even>,
    #[garde(dive)]
    pair: Option<(Query, Even)>,
}

#[test]
fn a_newtype_is_at_its_fields_place() {
    let published = schema::<Newtypes>();
    let properties = &published["properties"];
    assert_eq!(
        properties["query"],
        json!({"type":"string","minLength":1,"maxLength":4})
    );
    assert_eq!(
        refused::<Newtypes>(r#"{"query":"","evens":[2,3],"pair":["long!",1]}"#),
        "query: must have at least 1 character; pair[0]: must have at most 4 characters; \
         evens[1]: must be an even number; pair[1]: must be an even number"
    );
    agrees::<Newtypes>();
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct RuledNewtype {
    #[garde(custom(short))]
    #[tool_args(rule = "must be short")]
    query: Query,
}

fn short(query: &Query, (): &()) -> garde::Result {
    match query.0.len() {
        ..=4 => Ok(()),
        _ => Err(garde::Error::new("too long")),
    }
}

#[test]
fn a_rule_on_a_newtype_is_a_problem_with_a_remedy() {
    let problems = problems::<RuledNewtype>();
    let remedy = "`RuledNewtype.query`: rules on a newtype belong on the newtype's own field: \
                  move them there, and write `#[garde(dive)]` here";
    assert!(
        problems.iter().any(|problem| problem == remedy),
        "{problems:?}"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Options {
    #[garde(required)]
    needed: Option<String>,
    #[garde(inner(length(min = 1, max = 2)))]
    list: Option<Vec<String>>,
    #[garde(inner(inner(length(chars, max = 2))))]
    texts: Option<Vec<String>>,
    #[garde(length(max = 2), inner(length(chars, max = 3)))]
    names: Vec<String>,
    #[garde(inner(inner(range(max = 3))))]
    grid: [[u8; 2]; 2],
}

#[test]
fn inner_rules_reach_the_place_that_garde_means() {
    let published = schema::<Options>();
    let properties = &published["properties"];
    assert_eq!(published["required"], json!(["needed", "names", "grid"]));
    assert_eq!(properties["needed"], json!({"type":"string"}));
    assert_eq!(
        properties["list"],
        json!({"type":"array","items":{"type":"string"},"minItems":1,"maxItems":2})
    );
    assert_eq!(
        properties["texts"],
        json!({"type":"array","items":{"type":"string","maxLength":2}})
    );
    assert_eq!(
        properties["names"],
        json!({"type":"array","items":{"type":"string","maxLength":3},"maxItems":2})
    );
    assert_eq!(properties["grid"]["items"]["items"]["maximum"], json!(3));
    assert_eq!(
        refused::<Options>(
            r#"{"needed":null,"list":[],"texts":["abc"],"names":["a","b","four"],"grid":[[1,4],[1]]}"#
        ),
        "needed: must be a string; list: must have at least 1 item; \
         texts[0]: must have at most 2 characters; names[2]: must have at most 3 characters; \
         names: must have at most 2 items; grid[0][1]: must be at most 3; \
         grid[1]: must have exactly 2 items"
    );
    agrees::<Options>();
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Maps {
    #[garde(length(max = 2), dive)]
    filters: BTreeMap<String, Filter>,
    #[serde(default)]
    #[garde(skip)]
    by_number: BTreeMap<u8, bool>,
    #[serde(default)]
    #[garde(skip)]
    by_mode: std::collections::HashMap<Mode, i8>,
    #[serde(default)]
    #[garde(skip)]
    any: serde_json::Map<String, Value>,
    #[serde(default)]
    #[garde(skip)]
    whatever: Value,
}

#[test]
fn maps_check_their_values_and_show_their_keys_safely() {
    assert_eq!(
        refused::<Maps>(
            "{\"filters\":{\"a\":{\"maxAge\":101},\"b\\n\":{\"maxAge\":1,\"x\":1},\"c\":{\"maxAge\":1}},\
             \"by_mode\":{\"fats\":1},\"by_number\":{\"1\":2}}"
        ),
        "filters.a.maxAge: must be at most 100; filters: must have at most 2 entries; \
         by_mode: the key \"fats\" must be \"fast\" or \"slow\"; \
         by_number.1: must be true or false; filters[\"b\\u{a}\"]: unknown argument \"x\""
    );
    decoded::<Maps>(
        r#"{"filters":{},"any":{"x":[{}]},"whatever":[1,{"a":2}],"by_number":{"7":true}}"#,
    );
    assert_eq!(
        refused::<Maps>(r#"{"filters":{},"by_number":{"x":true}}"#),
        "by_number: the key \"x\" must be a whole number from 0 to 255"
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(deny_unknown_fields)]
struct Denying {
    #[garde(skip)]
    r#type: Option<String>,
    #[garde(skip)]
    unit: Option<()>,
    #[garde(skip)]
    #[serde(skip)]
    cached: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, allow_unknown)]
struct Allowing {
    #[garde(length(chars, max = 1))]
    r#type: String,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Catching {
    #[garde(skip)]
    name: String,
    #[serde(flatten)]
    #[garde(skip)]
    rest: BTreeMap<String, u8>,
}

#[test]
fn unknown_names_are_refused_unless_it_is_said() {
    assert_eq!(
        refused::<Denying>(r#"{"typ":1}"#),
        r#"unknown argument "typ" (did you mean "type"?)"#
    );
    assert_eq!(
        refused::<Denying>(r#"{"cached":1}"#),
        r#"unknown argument "cached""#
    );
    decoded::<Allowing>(r#"{"type":"a","more":1}"#);
    assert_eq!(schema::<Allowing>().get("additionalProperties"), None);
    assert_eq!(
        refused::<Allowing>(r#"{"type":"ab","more":1}"#),
        "type: must have at most 1 character"
    );
    assert_eq!(decoded::<Catching>(r#"{"name":"a","x":1}"#).rest["x"], 1);
    assert_eq!(
        refused::<Catching>(r#"{"name":"a","x":"y"}"#),
        "x: must be a whole number"
    );
    agrees::<Denying>();
    agrees::<Allowing>();
    agrees::<Catching>();
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
enum Tagged {
    A(#[garde(skip)] u8),
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
enum MaybeText {
    A(#[garde(skip)] u8),
    B,
}

#[test]
fn a_root_that_may_be_no_object_is_a_build_error() {
    assert_eq!(schema::<Tagged>()["type"], json!("object"));
    assert!(problems::<MaybeText>()[0].contains("put it into a field of a struct"));
    assert!(problems::<Query>()[0].contains("a struct with named fields"));
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Worded {
    #[garde(custom(quiet), length(chars, max = 9), custom(quiet))]
    #[tool_args(rule = "must not shout", rule = "must not whisper")]
    text: String,
}

fn quiet(text: &str, (): &()) -> garde::Result {
    if text.contains('!') {
        Err(garde::Error::new(format!("{text} is loud")))
    } else {
        Ok(())
    }
}

#[test]
fn words_are_in_the_schema_and_in_the_report() {
    assert_eq!(
        schema::<Worded>()["properties"]["text"]["description"],
        json!("Must not shout. Must not whisper.")
    );
    assert_eq!(
        refused::<Worded>(r#"{"text":"secret!"}"#),
        "text: must not shout; text: must not whisper"
    );
    assert_eq!(
        refused::<Worded>(r#"{"text":"!!!!!!!!!!!!"}"#),
        "text: must have at most 9 characters; text: must not shout; text: must not whisper"
    );
    agrees::<Worded>();
}

/// Its schema is stricter than its decoding, as hand-written ones often are.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, opaque)]
#[serde(deny_unknown_fields)]
struct Point {
    #[garde(range(max = 9))]
    #[serde(default, alias = "horizontal")]
    x: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Opaques {
    #[garde(dive)]
    point: Point,
    #[garde(skip)]
    #[tool_args(opaque)]
    loose: Filter,
}

#[test]
fn what_is_opaque_is_left_to_serde_and_garde() {
    decoded::<Opaques>(r#"{"point":{"horizontal":1},"loose":{"maxAge":300,"more":1}}"#);
    assert_eq!(
        refused::<Opaques>(r#"{"point":{"x":10},"loose":{"maxAge":1}}"#),
        "point.x: must be at most 9"
    );
    agrees::<Opaques>();
}

#[cfg(feature = "regex")]
mod patterns {
    use super::*;

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    struct Patterned {
        #[garde(pattern(r"^[a-z]+-\d+$"))]
        key: String,
    }

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    struct Foreign {
        #[garde(pattern(r"\Aabc$"))]
        key: String,
    }

    #[test]
    fn patterns_are_published_and_checked() {
        assert_eq!(
            schema::<Patterned>()["properties"]["key"]["pattern"],
            json!(r"^[a-z]+-\d+$")
        );
        assert_eq!(
            refused::<Patterned>(r#"{"key":"x"}"#),
            r"key: must match the pattern ^[a-z]+-\d+$"
        );
        decoded::<Patterned>(r#"{"key":"a-1"}"#);
        agrees::<Patterned>();
        assert!(
            problems::<Foreign>()[0].contains(r"\A"),
            "{:?}",
            problems::<Foreign>()
        );
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct OpaqueWords {
    /// When.
    #[garde(skip)]
    #[tool_args(opaque, rule = "must be a day such as 2026-12-31")]
    day: Option<Day>,
    #[garde(skip)]
    #[serde(default)]
    #[tool_args(opaque, rule = "must be years after 1900")]
    days: Vec<Year>,
    #[garde(skip)]
    #[schemars(extend("format" = "date-time"))]
    #[serde(default)]
    #[tool_args(opaque)]
    stamp: Option<Day>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Day(#[allow(dead_code)] String);

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split('-').count();
        (parts == 3).then_some(Self(text)).ok_or("no day")
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "YearParts")]
#[schemars(with = "YearParts")]
struct Year(#[allow(dead_code)] YearParts);

#[derive(Debug, Deserialize, JsonSchema)]
struct YearParts {
    year: u16,
}

impl TryFrom<YearParts> for Year {
    type Error = &'static str;

    fn try_from(parts: YearParts) -> Result<Self, Self::Error> {
        (parts.year > 1900)
            .then_some(Self(parts))
            .ok_or("too early")
    }
}

#[test]
fn the_words_of_an_opaque_field_reach_description_and_report() {
    let published = schema::<OpaqueWords>();
    assert_eq!(
        published["properties"]["day"]["description"],
        "When. Must be a day such as 2026-12-31."
    );
    assert_eq!(
        refused::<OpaqueWords>(r#"{"day":"31.12."}"#),
        "day: must be a day such as 2026-12-31"
    );
    assert_eq!(
        refused::<OpaqueWords>(r#"{"days":[{"year":2026},{"year":1}]}"#),
        "days: must be years after 1900"
    );
    assert_eq!(
        refused::<OpaqueWords>(r#"{"stamp":"noon"}"#),
        "stamp: must be a date and time such as 2026-12-31T09:30:00Z"
    );
}
