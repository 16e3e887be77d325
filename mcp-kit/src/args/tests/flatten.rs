//! Flattened fields: they are sent beside the others, and reported there.

use super::*;

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
pub(super) struct Flat {
    #[garde(length(chars, min = 1))]
    name: String,
    #[serde(flatten)]
    #[garde(dive)]
    paging: Paging,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paging {
    #[garde(range(max = 50))]
    page_size: u8,
    #[garde(custom(even))]
    #[tool_args(rule = "must be an even number")]
    #[serde(default)]
    offset: u32,
}

pub(super) fn even(value: &u32, (): &()) -> garde::Result {
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
pub(super) struct FlatEnum {
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
pub(super) struct FlatOption {
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
