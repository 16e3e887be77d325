//! Traverses a schema as JSON, and replaces what only Rust programmers
//! understand in schemars' output: the names of number types.

use serde_json::{Map, Value, json};

use crate::support::json::Members as _;

/// Keywords that hold one schema.
const ONE: &[&str] = &[
    "items",
    "additionalProperties",
    "not",
    "unevaluatedProperties",
    "unevaluatedItems",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
];

/// Keywords that hold a list of schemas.
const MANY: &[&str] = &["prefixItems", "allOf", "anyOf", "oneOf"];

/// Keywords that hold a schema for each name.
const NAMED: &[&str] = &[
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];

/// Returns the schemas directly inside a schema, each with the keyword that
/// holds it.
pub(crate) fn inside(object: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    for (keyword, inner) in object.each() {
        let keyword = keyword.as_str();
        if ONE.contains(&keyword) {
            found.push((keyword, inner));
        } else if MANY.contains(&keyword) {
            let many = inner.as_array().into_iter().flatten();
            found.extend(many.map(|one| (keyword, one)));
        } else if NAMED.contains(&keyword) {
            let named = inner.each();
            found.extend(named.map(|(_, one)| (keyword, one)));
        }
    }
    found
}

/// Returns the same schemas as [`inside`], to be changed.
pub(crate) fn inside_mut(object: &mut Map<String, Value>) -> Vec<(&str, &mut Value)> {
    let mut found = Vec::new();
    for (keyword, inner) in object.iter_mut() {
        let keyword = keyword.as_str();
        if ONE.contains(&keyword) {
            found.push((keyword, inner));
        } else if MANY.contains(&keyword) {
            let many = inner.as_array_mut().into_iter().flatten();
            found.extend(many.map(|one| (keyword, one)));
        } else if NAMED.contains(&keyword) {
            let named = inner.as_object_mut().into_iter().flatten();
            found.extend(named.map(|(_, one)| (keyword, one)));
        }
    }
    found
}

/// Calls a function on every schema inside a schema, starting with itself.
pub(crate) fn each(schema: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Value::Object(object) = schema else {
        return;
    };
    visit(object);
    for (_, inner) in inside_mut(object) {
        each(inner, visit);
    }
}

/// Returns the limits of a Rust number, by schemars' name for it.
pub(crate) fn bounds_of_format(format: &str) -> Option<(Option<Value>, Option<Value>)> {
    let both = |min: Value, max: Value| Some((Some(min), Some(max)));
    match format {
        "int8" => both(json!(i8::MIN), json!(i8::MAX)),
        "int16" => both(json!(i16::MIN), json!(i16::MAX)),
        "int32" => both(json!(i32::MIN), json!(i32::MAX)),
        "int64" => both(json!(i64::MIN), json!(i64::MAX)),
        "int" => both(json!(isize::MIN), json!(isize::MAX)),
        "uint8" => both(json!(0), json!(u8::MAX)),
        "uint16" => both(json!(0), json!(u16::MAX)),
        "uint32" => both(json!(0), json!(u32::MAX)),
        "uint64" => both(json!(0), json!(u64::MAX)),
        "uint" => both(json!(0), json!(usize::MAX)),
        // JSON numbers that large are not exact anywhere, so no limit is
        // published.
        "uint128" => Some((Some(json!(0)), None)),
        "int128" | "float" | "double" => Some((None, None)),
        _ => None,
    }
}

/// Adds rules in words to a description, each as a sentence.
pub(crate) fn describe(schema: &mut Map<String, Value>, words: &[String]) {
    if words.is_empty() {
        return;
    }
    let mut text = schema
        .member("description")
        .and_then(Value::as_str)
        .map(|text| text.trim_end().to_owned())
        .unwrap_or_default();
    for words in words {
        if !text.is_empty() {
            if !text.ends_with(['.', '!', '?', ':', '`', ')']) {
                text.push('.');
            }
            text.push(' ');
        }
        let words = words.trim();
        if begins_with_name(words, schema) {
            text.push_str(words);
        } else {
            let mut letters = words.chars();
            text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            text.push_str(letters.as_str());
        }
        if !text.ends_with(['.', '!', '?']) {
            text.push('.');
        }
    }
    schema.set_member("description", text.into());
}

/// Whether the first word is the name of an argument, whose case must not
/// change.
fn begins_with_name(words: &str, schema: &Map<String, Value>) -> bool {
    let first = words
        .split(|c: char| c.is_whitespace() || ".,:;".contains(c))
        .next()
        .unwrap_or_default();
    let properties = schema.member("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| properties.contains_key(first))
        || first.chars().skip(1).any(|c| c == '_' || c.is_uppercase())
}

/// Adds a list to a description, one line for each entry, under a heading.
pub(crate) fn describe_list(schema: &mut Map<String, Value>, heading: &str, lines: &[String]) {
    let mut text = schema
        .member("description")
        .and_then(Value::as_str)
        .map(|text| text.trim_end().to_owned())
        .unwrap_or_default();
    let heading = Some(heading.to_owned()).filter(|heading| !heading.is_empty());
    for line in heading
        .into_iter()
        .chain(lines.iter().map(|line| format!("- {line}")))
    {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    schema.set_member("description", text.into());
}
