//! Describes schemas for people: in the commands that list primitives, and in forms.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::json::Members as _;

/// The depth to which nested objects are shown; the JSON has all levels.
const DEEPEST: usize = 3;

/// Writes one line for each member of an object's schema, and for what is
/// inside.
pub(crate) fn members(text: &mut String, schema: &Value, depth: usize) {
    for (name, member) in schema.at("properties").each() {
        text.push_str(&"  ".repeat(depth));
        self::member(text, name, member, requires(schema, name));
        let mut inside = member;
        while let Some(value) = contents(inside) {
            inside = value;
        }
        if depth < 1 + DEEPEST && has_members(inside) {
            members(text, inside, depth + 1);
        }
    }
}

/// Writes the line of one member: its name, its type, its limits and its
/// description.
pub(crate) fn member(text: &mut String, name: &str, schema: &Value, is_required: bool) {
    let optional = if is_required { "" } else { ", optional" };
    let _ = write!(text, "{name}: {}{}{optional}", kind(schema), bounds(schema));
    if let Some(description) = schema.at("description").as_str() {
        let mut before = " – ";
        for word in description.split_whitespace() {
            text.push_str(before);
            text.push_str(word);
            before = " ";
        }
    }
    text.push('\n');
}

/// Describes a type: "string", "string (date) or null", "array of integer",
/// "object of string", "one of \"a\", \"b\"", "object {kind: \"circle\",
/// radius} or object {kind: \"point\"}".
pub(crate) fn kind(schema: &Value) -> String {
    if let Some(values) = schema.at("enum").as_array() {
        let all = joined(&mut values.iter().map(Value::to_string), ", ");
        return match values.len() {
            1 => all,
            _ => format!("one of {all}"),
        };
    }
    for combined in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.at(combined).as_array() {
            if schema.has("type") && choices.iter().all(|choice| choice.text("format").is_some()) {
                let formats = choices.iter().filter_map(|choice| choice.text("format"));
                let formats = joined(&mut formats.map(str::to_owned), " or ");
                return named(schema.at("type"), Some(&formats));
            }
            return joined(&mut choices.iter().map(choice), " or ");
        }
    }
    match schema.at("type") {
        Value::String(kind) if kind == "array" => match schema.member("items") {
            Some(items) => format!("array of {}", self::kind(items)),
            None => "array".to_owned(),
        },
        Value::String(kind) if kind == "object" && is_map(schema) => {
            format!(
                "object of {}",
                self::kind(schema.at("additionalProperties"))
            )
        }
        Value::Null => match schema.at("$ref").as_str() {
            Some("#") => "the same again".to_owned(),
            Some(reference) => reference.rsplit('/').next().unwrap_or_default().to_owned(),
            None => "any value".to_owned(),
        },
        kind => named(kind, schema.at("format").as_str()),
    }
}

/// Whether an object accepts any names, with values of one schema.
fn is_map(schema: &Value) -> bool {
    schema.at("additionalProperties").is_object() && !has_members(schema)
}

/// Returns the schema of the items of a list or the values of a map.
fn contents(schema: &Value) -> Option<&Value> {
    match schema.at("items") {
        items @ Value::Object(_) => Some(items),
        _ => is_map(schema).then(|| schema.at("additionalProperties")),
    }
}

/// Formats "string (date) or null".
fn named(kind: &Value, format: Option<&str>) -> String {
    let kinds = match kind {
        Value::Array(kinds) => kinds,
        kind => std::slice::from_ref(kind),
    };
    let with_format = |kind: &str| match format {
        Some(format) if kind != "null" => format!("{kind} ({format})"),
        _ => kind.to_owned(),
    };
    let mut kinds = kinds.iter().filter_map(Value::as_str).map(with_format);
    joined(&mut kinds, " or ")
}

/// Describes an alternative; an object with its members, with `?` after
/// optional ones.
fn choice(schema: &Value) -> String {
    let Some(members) = schema.at("properties").as_object() else {
        return kind(schema);
    };
    let mut members = (members.iter()).map(|(name, member)| {
        match member.at("enum").as_array().map(Vec::as_slice) {
            Some([only]) => format!("{name}: {only}"),
            _ if requires(schema, name) => name.clone(),
            _ => format!("{name}?"),
        }
    });
    format!("object {{{}}}", joined(&mut members, ", "))
}

fn requires(schema: &Value, name: &str) -> bool {
    let required = schema.at("required").as_array();
    required.is_some_and(|required| required.iter().any(|one| one == name))
}

/// Joins texts. Compiled once: `collect` and `join` are compiled for each iterator.
fn joined(texts: &mut dyn Iterator<Item = String>, separator: &str) -> String {
    let mut all = String::new();
    for text in texts {
        if !all.is_empty() {
            all.push_str(separator);
        }
        all.push_str(&text);
    }
    all
}

/// Formats ", at least 1, at most 10, default 5" or ", at most 1 character".
pub(crate) fn bounds(schema: &Value) -> String {
    const BOUNDS: [(&str, &str, &str); 13] = [
        ("minimum", "at least", ""),
        ("exclusiveMinimum", "more than", ""),
        ("maximum", "at most", ""),
        ("exclusiveMaximum", "less than", ""),
        ("multipleOf", "a multiple of", ""),
        ("minLength", "at least", " character"),
        ("maxLength", "at most", " character"),
        ("minItems", "at least", " item"),
        ("maxItems", "at most", " item"),
        ("minProperties", "at least", " member"),
        ("maxProperties", "at most", " member"),
        ("pattern", "pattern", ""),
        ("default", "default", ""),
    ];
    let mut text = String::new();
    for (keyword, words, what) in BOUNDS {
        if let Some(value) = schema.member(keyword) {
            let plural = if what.is_empty() || *value == 1 {
                ""
            } else {
                "s"
            };
            let _ = write!(text, ", {words} {value}{what}{plural}");
        }
    }
    text
}

/// Whether an object has members with names.
pub(crate) fn has_members(schema: &Value) -> bool {
    schema
        .at("properties")
        .as_object()
        .is_some_and(|members| !members.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn formats_and_variants_are_shown() {
        let circle = json!({
            "type": "object",
            "properties": {"kind": {"enum": ["circle"]}, "radius": {}, "color": {}},
            "required": ["kind", "radius"]
        });
        let point = json!({"type": "object", "properties": {"kind": {"enum": ["point"]}}});
        for (schema, shown) in [
            (json!({"type": "string", "format": "date"}), "string (date)"),
            (
                json!({"type": ["string", "null"], "format": "uuid"}),
                "string (uuid) or null",
            ),
            (
                json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
                "string (ipv4 or ipv6)",
            ),
            (
                json!({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}),
                "array of one of \"a\", \"b\"",
            ),
            (
                json!({"anyOf": [circle, point, {"type": "null"}]}),
                "object {color?, kind: \"circle\", radius} or object {kind: \"point\"} or null",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "integer"}}),
                "object of integer",
            ),
            (
                json!({"type": "object", "additionalProperties": {
                    "type": "array", "items": {"type": "string"}
                }}),
                "object of array of string",
            ),
            (
                json!({"type": "object", "additionalProperties": {}}),
                "object of any value",
            ),
            (
                json!({"type": "object", "additionalProperties": false}),
                "object",
            ),
            (json!({"$ref": "#/$defs/Tree"}), "Tree"),
            (json!({}), "any value"),
        ] {
            assert_eq!(kind(&schema), shown);
        }
    }
}
