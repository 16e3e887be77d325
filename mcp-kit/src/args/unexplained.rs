//! Finds keywords of a schema that neither the type nor a rule checks: from a
//! handwritten `JsonSchema`, or from an attribute.

use serde_json::{Map, Value, json};

use super::rules::LIMITS;
use super::shape::Shape;

/// Returns the keywords of one place that are not checked. `by_rule` returns
/// whether one of garde's rules explains a keyword.
pub(super) fn keywords(
    schema: &Map<String, Value>,
    shape: &Shape,
    by_rule: impl Fn(&str, &Value) -> bool,
) -> Vec<String> {
    let unexplained = schema.iter().filter(|(keyword, value)| {
        let explained = match keyword.as_str() {
            limit if LIMITS.contains(&limit) => {
                by_rule(limit, value) || is_types_own(limit, value, shape)
            }
            "format" => by_rule("format", value) || has_format(value, shape),
            "type" => is_type(value, shape),
            "enum" | "const" => matches!(shape, Shape::Enum(_)),
            "allOf" | "anyOf" | "oneOf" => matches!(shape, Shape::Enum(_) | Shape::Struct(_)),
            "not" => {
                matches!(shape, Shape::Scalar { zero: false, .. }) && *value == &json!({"const": 0})
            }
            "uniqueItems" => matches!(shape, Shape::Set(_)),
            "contains" | "dependentRequired" | "dependentSchemas" | "else" | "if"
            | "maxContains" | "minContains" | "propertyNames" | "then" => false,
            _ => true,
        };
        !explained
    });
    let said = |(keyword, value): (&String, &Value)| {
        format!(
            "the schema says `{keyword}` {value}, and nothing checks it: write the rule in \
             `#[garde(…)]`, or take it out of the schema"
        )
    };
    // Any JSON, or a type that is opaque as a whole.
    match shape {
        Shape::Leaf => Vec::new(),
        _ => unexplained.map(said).collect(),
    }
}

/// Whether a limit belongs to the type: schemars writes it, serde enforces it.
fn is_types_own(limit: &str, value: &Value, shape: &Shape) -> bool {
    let items = |count: usize| matches!(limit, "minItems" | "maxItems") && value == &json!(count);
    match shape {
        Shape::Scalar {
            format: Some("char"),
            ..
        } => matches!(limit, "minLength" | "maxLength") && value == &json!(1),
        Shape::Array(count, _) => items(*count),
        Shape::Tuple(fields) => items(fields.iter().filter(|field| !field.skipped).count()),
        Shape::Text(form) => limit == "pattern" && form.pattern.is_some(),
        _ => false,
    }
}

fn has_format(value: &Value, shape: &Shape) -> bool {
    match shape {
        Shape::Scalar { format, .. } => format.is_some_and(|format| value == format),
        Shape::Text(_) => true,
        _ => false,
    }
}

fn is_type(value: &Value, shape: &Shape) -> bool {
    let expected: &[&str] = match shape {
        Shape::Scalar { json, .. } => &[json, "null"],
        Shape::Text(_) => &["string", "number", "null"],
        Shape::List(_) | Shape::Array(..) | Shape::Set(_) | Shape::Tuple(_) => &["array", "null"],
        Shape::Map(..) => &["object", "null"],
        Shape::Struct(of) if !of.fields.is_empty() => &["object", "null"],
        _ => return true,
    };
    let is = |name: &Value| name.as_str().is_some_and(|name| expected.contains(&name));
    match value {
        Value::Array(names) => names.iter().all(is) && names.iter().any(|n| n == expected[0]),
        name => name == expected[0],
    }
}
