//! What clients see of a form in each version, and how its answers are read.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

use std::collections::HashSet;

use garde::Validate;
use mcp_kit_macros::{ElicitForm, ToolArgs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ElicitForm, Form};
use crate::protocol::ProtocolVersion;

fn schema<T: ElicitForm>(version: ProtocolVersion) -> Option<Value> {
    let form = Form::of::<T>().unwrap().schema(version)?;
    Some(serde_json::from_str(form.get()).unwrap())
}

fn current<T: ElicitForm>() -> Value {
    schema::<T>(ProtocolVersion::V2026_07_28).unwrap()
}

fn read<T: ElicitForm>(content: &Value) -> Result<T, String> {
    let form = Form::of::<T>().unwrap();
    form.read(Some(&content.to_string()))
        .map_err(|violations| violations.listed().to_string())
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "lowercase")]
enum Plain {
    Active,
    Inactive,
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[tool_args(crate = crate)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// At the window.
    ///
    /// With a view.
    Window,
    Middle,
    #[schemars(title = "Aisle seat")]
    Aisle,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
#[serde(rename_all = "camelCase")]
struct Everything {
    /// The name on the ticket.
    #[schemars(title = "Name")]
    #[serde(default = "john")]
    #[garde(length(chars, min = 1, max = 40))]
    full_name: String,
    #[serde(default = "thirty")]
    #[garde(range(min = 18, max = 99))]
    age: u8,
    #[serde(default = "score")]
    #[garde(skip)]
    score: f64,
    #[serde(default = "active")]
    #[garde(skip)]
    status: Plain,
    #[garde(skip)]
    place: Option<Place>,
    #[serde(default)]
    #[garde(skip)]
    verified: bool,
}

fn john() -> String {
    "John Doe".to_owned()
}

fn thirty() -> u8 {
    30
}

fn score() -> f64 {
    95.5
}

fn active() -> Plain {
    Plain::Active
}

#[test]
fn form_schema_has_only_keywords_of_the_specification() {
    assert_eq!(
        current::<Everything>(),
        json!({
            "type": "object",
            "properties": {
                "fullName": {
                    "type": "string", "title": "Name", "description": "The name on the ticket.",
                    "minLength": 1, "maxLength": 40, "default": "John Doe"
                },
                "age": {"type": "integer", "minimum": 18, "maximum": 99, "default": 30},
                "score": {"type": "number", "default": 95.5},
                "status": {"type": "string", "enum": ["active", "inactive"], "default": "active"},
                "place": {"type": "string", "oneOf": [
                    {"const": "window", "title": "At the window"},
                    {"const": "middle", "title": "middle"},
                    {"const": "aisle", "title": "Aisle seat"},
                ]},
                "verified": {"type": "boolean", "default": false},
            }
        })
    );
}

#[test]
fn labels_are_enum_names_in_2025_06_18() {
    let old = schema::<Everything>(ProtocolVersion::V2025_06_18).unwrap();
    assert_eq!(
        old["properties"]["place"],
        json!({
            "type": "string", "enum": ["window", "middle", "aisle"],
            "enumNames": ["At the window", "middle", "Aisle seat"]
        })
    );
    assert_eq!(
        old["properties"]["age"],
        current::<Everything>()["properties"]["age"]
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
struct Several {
    /// Which statuses?
    #[garde(length(min = 1, max = 2))]
    plain: Vec<Plain>,
    #[garde(skip)]
    places: Option<HashSet<Place>>,
}

#[test]
fn lists_of_choices_are_multi_select_since_2025_11_25() {
    assert_eq!(
        current::<Several>(),
        json!({
            "type": "object",
            "properties": {
                "plain": {
                    "type": "array", "description": "Which statuses?", "minItems": 1, "maxItems": 2,
                    "items": {"type": "string", "enum": ["active", "inactive"]}
                },
                "places": {"type": "array", "items": {"anyOf": [
                    {"const": "window", "title": "At the window"},
                    {"const": "middle", "title": "middle"},
                    {"const": "aisle", "title": "Aisle seat"},
                ]}},
            },
            "required": ["plain"]
        })
    );
    assert_eq!(schema::<Several>(ProtocolVersion::V2025_06_18), None);
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
struct Worded {
    #[garde(ascii)]
    code: String,
    #[garde(prefix("EU"), length(chars, max = 9))]
    number: String,
    #[garde(custom(never))]
    #[tool_args(rule = "must be free")]
    handle: String,
    #[garde(skip)]
    address: std::net::Ipv4Addr,
    #[garde(skip)]
    #[schemars(extend("enumNames" = ["Is active", "Is not"]))]
    old: Plain,
}

fn never(_: &str, (): &()) -> garde::Result {
    Err(garde::Error::new("taken"))
}

#[test]
fn rules_that_a_form_cannot_have_are_words() {
    let schema = current::<Worded>();
    let field = |name: &str| schema["properties"][name].clone();
    assert_eq!(
        field("code"),
        json!({"type": "string", "description": "Must contain only ASCII characters."})
    );
    assert_eq!(
        field("number"),
        json!({"type": "string", "maxLength": 9, "description": "Must start with \"EU\"."})
    );
    assert_eq!(
        field("handle"),
        json!({"type": "string", "description": "Must be free."})
    );
    assert_eq!(
        field("address"),
        json!({"type": "string", "description": "Must be an IPv4 address such as 192.0.2.1."})
    );
    assert_eq!(
        field("old"),
        json!({"type": "string", "enum": ["active", "inactive"], "enumNames": ["Is active", "Is not"]})
    );
}

#[cfg(all(feature = "chrono", feature = "url", feature = "uuid"))]
#[test]
fn texts_of_other_crates_have_their_format_or_words() {
    #[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
    #[tool_args(crate = crate)]
    #[garde(allow_unvalidated)]
    struct Texts {
        day: chrono::NaiveDate,
        at: chrono::DateTime<chrono::Utc>,
        site: url::Url,
        id: uuid::Uuid,
    }
    let schema = current::<Texts>();
    let field = |name: &str| schema["properties"][name].clone();
    assert_eq!(field("day"), json!({"type": "string", "format": "date"}));
    assert_eq!(
        field("at"),
        json!({"type": "string", "format": "date-time"})
    );
    assert_eq!(field("site"), json!({"type": "string", "format": "uri"}));
    let id = field("id");
    assert_eq!(id.get("format"), None);
    assert!(
        id["description"]
            .as_str()
            .unwrap()
            .starts_with("Must be a UUID")
    );
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
struct Hidden {
    #[garde(skip)]
    #[tool_args(opaque)]
    nested: Vec<String>,
    #[garde(skip)]
    #[tool_args(opaque)]
    number: u8,
}

#[test]
fn form_without_fields_is_an_empty_object() {
    assert_eq!(
        current::<Nothing>(),
        json!({"type": "object", "properties": {}})
    );
    assert!(read::<Nothing>(&json!({})).is_ok());
}

#[test]
fn opaque_field_is_checked_when_the_form_is_first_asked() {
    let problem = Form::of::<Hidden>().unwrap_err();
    assert!(
        problem.contains("\"nested\" cannot be a field of a form"),
        "{problem}"
    );
    assert!(!problem.contains("\"number\""), "{problem}");
}

#[test]
fn answer_is_decoded_and_defaults_fill_in() {
    let answer: Everything = read(&json!({"age": 25, "place": "aisle"})).unwrap();
    assert_eq!(answer.age, 25);
    assert_eq!(answer.full_name, "John Doe");
    assert_eq!(answer.place, Some(Place::Aisle));
    // As a form's text fields are sometimes sent.
    assert_eq!(read::<Everything>(&json!({"age": "25"})).unwrap().age, 25);
}

#[test]
fn wrong_answer_is_reported_completely() {
    let report = read::<Everything>(&json!({"age": 12, "fullName": "", "status": "gone"}));
    let report = report.unwrap_err();
    for part in [
        "fullName: must have at least 1 character",
        "age: must be at least 18",
        "status: must be \"active\" or \"inactive\"",
    ] {
        assert!(report.contains(part), "{report}");
    }
    let report = read::<Worded>(&json!({
        "code": "é", "number": "US1", "handle": "a", "address": "x", "old": "active"
    }));
    let report = report.unwrap_err();
    for part in ["code:", "number:", "address:"] {
        assert!(report.contains(part), "{report}");
    }
}
