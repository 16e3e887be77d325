//! Enums: what each representation publishes, and where its mistakes are reported.

use super::*;

#[derive(Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    #[serde(alias = "quick")]
    Fast,
    Slow,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Modes {
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
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Shape {
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
pub(super) struct Square {
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
pub(super) enum Either {
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
pub(super) struct Choices {
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
pub(super) enum Any {
    Id(#[garde(range(max = 9))] u8),
    Named {
        #[garde(length(chars, min = 2))]
        name: String,
    },
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(tag = "t", content = "c")]
pub(super) enum Beside {
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
