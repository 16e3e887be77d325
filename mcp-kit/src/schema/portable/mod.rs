//! The published form of a schema: one that every host and every model's API
//! accepts.
//!
//! Checks use the true schema, and clients see this one. It differs in:
//!
//! - numbers outside ±(2⁵³−1), which several APIs refuse, are removed from
//!   limits and described in words if the author set them;
//! - boolean schemas become `{}` and `{"not": {}}`;
//! - an optional input is not required, and does not also list `null`; `null`
//!   still counts as absent;
//! - arrays always have `items`;
//! - alternatives that are single values become one `enum`, with the words of
//!   each value in the description;
//! - a choice between objects at the root of an input becomes one object, with
//!   the choice in words (`root`);
//! - formats are those of JSON Schema, never the name of a Rust type;
//! - a `$ref` remains only where a schema is recursive (`references`).
//!
//! [`obstacles`] finds the parts that this form cannot express.

mod choice;
mod lint;
mod null;
mod references;
mod root;

use serde_json::{Map, Value, json};

use super::compile::NOTES;
use super::number::Number;
use super::tidy::{bounds_of_format, describe, each, inside_mut};
use crate::support::json::Members as _;

pub(crate) use choice::ORDER;
pub(crate) use lint::{Obstacle, obstacles};

/// The largest integer that every JSON reader holds exactly.
const SAFE: i128 = (1 << 53) - 1;

/// Keywords whose value is a number, with the rule in words.
const LIMITS: &[(&str, &str)] = &[
    ("minimum", "must be at least"),
    ("maximum", "must be at most"),
    ("exclusiveMinimum", "must be more than"),
    ("exclusiveMaximum", "must be less than"),
    ("multipleOf", "must be a multiple of"),
    ("minLength", ""),
    ("maxLength", ""),
    ("minItems", ""),
    ("maxItems", ""),
    ("minProperties", ""),
    ("maxProperties", ""),
    ("minContains", ""),
    ("maxContains", ""),
];

/// The formats of JSON Schema 2020-12. Others mean nothing to most readers,
/// and some validators refuse a schema that has one.
const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// Returns the published form of an input schema made from a Rust type.
pub(crate) fn typed_input(schema: Value) -> Value {
    Narrowing {
        input: true,
        typed: true,
    }
    .root(schema)
}

/// Returns the published form of an input schema that is known only at run
/// time.
pub(crate) fn run_time_input(mut schema: Value) -> Value {
    references::inline(&mut schema);
    Narrowing {
        input: true,
        typed: false,
    }
    .root(schema)
}

/// Returns the published form of an output schema made from a Rust type.
pub(crate) fn typed_output(schema: schemars::Schema) -> Value {
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        root.remove_member("$schema");
        root.remove_member("title");
    }
    Narrowing {
        input: false,
        typed: true,
    }
    .root(schema)
}

/// Returns the published form of an output schema that is known only at run
/// time.
pub(crate) fn run_time_output(mut schema: Value) -> Value {
    references::inline(&mut schema);
    Narrowing {
        input: false,
        typed: false,
    }
    .root(schema)
}

/// Returns limits that are not a number, each as a problem. `serde_json` writes
/// an infinite or undefined limit as `null`, which is not a valid schema.
pub(crate) fn limit_problems(schema: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    each(&mut schema.clone(), &mut |object| {
        for (keyword, _) in LIMITS {
            if object.get(*keyword).is_some_and(|limit| !limit.is_number()) {
                problems.push(format!(
                    "the schema's `{keyword}` is not a finite number: give a finite limit, or leave it out"
                ));
            }
        }
    });
    problems
}

#[derive(Clone, Copy)]
struct Narrowing {
    /// Whether this is an input; outputs keep their `null`.
    input: bool,
    /// Whether the schema was made from a Rust type: then `oneOf` never means
    /// more than `anyOf`, since serde takes the first variant that fits.
    typed: bool,
}

impl Narrowing {
    fn root(self, mut schema: Value) -> Value {
        self.schema(&mut schema);
        if let Some(root) = schema.as_object_mut() {
            if self.input {
                root::merge(root);
            }
            if root.at("type") == "object" {
                root.member_or("properties", json!({}));
            }
        }
        each(&mut schema, &mut |object| {
            choice::write_words(object);
            object.remove_member(NOTES);
        });
        schema
    }

    fn schema(self, schema: &mut Value) {
        match schema {
            Value::Bool(true) => *schema = json!({}),
            Value::Bool(false) => *schema = json!({ "not": {} }),
            Value::Object(object) => self.object(object),
            _ => {}
        }
    }

    /// Rewrites the schemas inside first, then this one.
    fn object(self, object: &mut Map<String, Value>) {
        for (keyword, inner) in inside_mut(object) {
            let closes = keyword.starts_with("additional") || keyword.starts_with("unevaluated");
            if !(closes && inner.is_boolean()) {
                self.schema(inner);
            }
        }
        format(object);
        limits(object);
        choice::values(object, self.typed);
        array(object);
        if self.input {
            null::optional_members(object);
        }
        if object.member("default") == Some(&Value::Null) {
            object.remove_member("default");
        }
    }
}

/// Replaces a Rust type's format with limits, and removes formats unknown to
/// JSON Schema.
fn format(object: &mut Map<String, Value>) {
    let Some(format) = object.text("format") else {
        return;
    };
    if let Some((min, max)) = bounds_of_format(format) {
        for (keyword, bound) in [("minimum", min), ("maximum", max)] {
            if let Some(bound) = bound {
                object.member_or(keyword, bound);
            }
        }
    } else if format == "ip" {
        let both = json!([{ "format": "ipv4" }, { "format": "ipv6" }]);
        object.member_or("anyOf", both);
    } else if FORMATS.contains(&format) {
        return;
    }
    object.remove_member("format");
}

/// Removes limits outside the range in which integers are exact.
fn limits(object: &mut Map<String, Value>) {
    let mut words = Vec::new();
    for (keyword, rule) in LIMITS {
        let Some(limit) = object.get(*keyword).and_then(Number::of) else {
            continue;
        };
        if is_safe(limit) {
            continue;
        }
        object.remove(*keyword);
        if !rule.is_empty() && !is_of_a_type(limit) {
            words.push(format!("{rule} {limit}"));
        }
    }
    if let Some(default) = object
        .member("default")
        .filter(|default| !is_exact(default))
    {
        words.push(format!("default: {default}"));
        object.remove_member("default");
    }
    if let Some(examples) = object.member_mut("examples").and_then(Value::as_array_mut) {
        examples.retain(is_exact);
    }
    describe(object, &words);
}

fn is_safe(number: Number) -> bool {
    let safe = Number::Int(SAFE);
    number <= safe && number >= Number::Int(-SAFE)
}

/// Whether a limit is that of a number type, which readers do not need.
fn is_of_a_type(limit: Number) -> bool {
    match limit {
        Number::Int(int) => int >= i128::from(i64::MAX) || int <= i128::from(i64::MIN),
        Number::Float(float) => float.abs() >= f64::from(f32::MAX),
    }
}

/// Whether a value has only numbers that every reader holds.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(_) => Number::of(value).is_some_and(is_safe),
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.each().all(|(_, value)| is_exact(value)),
        _ => true,
    }
}

/// Adds `items` to every array. After `prefixItems` it adds no new rule.
fn array(object: &mut Map<String, Value>) {
    let prefix = object
        .member("prefixItems")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if prefix.is_empty() {
        if choice::has_type(object, "array") {
            object.member_or("items", json!({}));
        }
        return;
    }
    let length = Value::from(prefix.len());
    if object.member("items") == Some(&json!({ "not": {} })) {
        object.remove_member("items");
        let shorter = object.member("maxItems").and_then(Value::as_u64);
        if shorter.is_none_or(|most| most > prefix.len() as u64) {
            object.set_member("maxItems", length.clone());
        }
    }
    let closed = object.member("maxItems").is_some_and(|most| {
        Number::of(most).is_some_and(|most| Number::of(&length).is_some_and(|all| most <= all))
    });
    if !object.has("items") {
        let items = match closed {
            true => choice::either(prefix),
            false => json!({}),
        };
        object.set_member("items", items);
    }
}
