//! The fields of the guide's cookbook: each compiles, is published and keeps
//! its rule.

use serde::Deserializer;

use super::*;
use crate::testing::assert_schema_agrees as agrees;

#[derive(Debug, Deserialize, JsonSchema, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "lowercase")]
enum Order {
    Newest,
    Nearest,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Paging {
    #[garde(range(min = 1, max = 50))]
    size: u8,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
struct Label(#[garde(length(chars, min = 1, max = 3))] String);

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate, rule = "last must not be below first")]
#[garde(custom(in_order))]
struct Span {
    #[garde(skip)]
    first: u8,
    #[garde(skip)]
    last: u8,
}

fn in_order(span: &Span, _: &()) -> garde::Result {
    match span.first <= span.last {
        true => Ok(()),
        false => Err(garde::Error::new("not in order")),
    }
}

fn at_least(least: &u8) -> impl FnOnce(&u8, &()) -> garde::Result + '_ {
    move |value, _| match value >= least {
        true => Ok(()),
        false => Err(garde::Error::new("too small")),
    }
}

#[allow(clippy::option_option, clippy::unnecessary_wraps)]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u8>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[tool_args(crate = crate)]
#[allow(clippy::option_option)]
struct Cookbook {
    #[garde(length(chars, max = 3))]
    note: Option<String>,
    #[garde(length(max = 2), inner(length(chars, max = 3)))]
    #[serde(default)]
    tags: Vec<String>,
    #[garde(length(max = 2), dive)]
    #[serde(default)]
    labels: BTreeMap<String, Label>,
    #[garde(skip)]
    order: Option<Order>,
    #[garde(dive)]
    paging: Option<Paging>,
    #[garde(length(max = 2), dive)]
    #[serde(default)]
    pages: Vec<Paging>,
    #[garde(dive)]
    span: Option<Span>,
    #[garde(skip)]
    low: u8,
    #[garde(custom(at_least(&self.low)))]
    #[tool_args(rule = "must not be below low")]
    high: u8,
    #[garde(skip)]
    #[serde(default, deserialize_with = "given")]
    #[tool_args(opaque, rule = "null removes the limit")]
    limit: Option<Option<u8>>,
    #[garde(skip)]
    #[serde(default)]
    extra: Value,
}

#[test]
fn every_field_of_the_cookbook_is_published_and_checked() {
    let absent: Cookbook = decoded(r#"{"low":1,"high":1}"#);
    assert_eq!(absent.limit, None);
    let null: Cookbook = decoded(r#"{"low":1,"high":1,"limit":null,"extra":{"a":[1]}}"#);
    assert_eq!((null.limit, null.extra), (Some(None), json!({"a": [1]})));
    let given: Cookbook = decoded(r#"{"low":1,"high":1,"limit":5}"#);
    assert_eq!(given.limit, Some(Some(5)));
    assert_eq!(
        refused::<Cookbook>(
            r#"{"note":"four","tags":["four"],"labels":{"a":""},"order":"x","paging":{"size":0},
                "pages":[{"size":51}],"span":{"first":2,"last":1},"low":2,"high":1}"#
        ),
        "note: must have at most 3 characters; tags[0]: must have at most 3 characters; \
         labels.a: must have at least 1 character; order: must be \"newest\", \"nearest\" or null; \
         paging.size: must be at least 1; pages[0].size: must be at most 50"
    );
    assert_eq!(
        refused::<Cookbook>(r#"{"span":{"first":2,"last":1},"low":2,"high":1}"#),
        "high: must not be below low; span: last must not be below first"
    );
    agrees::<Cookbook>();
}

#[test]
fn a_rule_that_begins_with_an_argument_keeps_its_name_as_it_is() {
    let span = super::schema::<Span>();
    assert_eq!(span["description"], "last must not be below first.");
}
