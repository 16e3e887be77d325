//! Optional members. Declaring them optional twice, with `null` in a union,
//! makes hosts drop the type, the tool or the list.

use serde_json::{Map, Value, json};

use crate::schema::compile::NOTES;
use crate::support::json::Members as _;

/// Removes `null` from the schemas of members that are not required. Decoding
/// still treats it as absent.
pub(super) fn optional_members(object: &mut Map<String, Value>) {
    let required: Vec<String> = object
        .member("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let properties = object
        .member_mut("properties")
        .and_then(Value::as_object_mut);
    for (name, schema) in properties.into_iter().flatten() {
        if let Some(schema) = schema.as_object_mut()
            && !required.contains(name)
            && !is_meant(schema)
        {
            without_null(schema);
        }
    }
}

/// Whether `null` differs from an absent member: an `Option` in an `Option`.
fn is_meant(schema: &Map<String, Value>) -> bool {
    schema
        .get(NOTES)
        .is_some_and(|notes| notes.member("null").is_some())
}

fn without_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.member_mut("type")
        && types.len() > 1
    {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.set_member("type", only);
        }
    }
    if let Some(values) = schema.member_mut("enum").and_then(Value::as_array_mut)
        && values.iter().any(|value| !value.is_null())
    {
        values.retain(|value| !value.is_null());
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(branches) = schema.member_mut(keyword).and_then(Value::as_array_mut) else {
            continue;
        };
        let others = branches.iter().filter(|branch| !is_null(branch)).count();
        if others == 0 {
            continue;
        }
        branches.retain(|branch| !is_null(branch));
        for branch in branches.iter_mut().filter_map(Value::as_object_mut) {
            without_null(branch);
        }
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            unwrap(schema, keyword, only);
        }
    }
}

fn is_null(schema: &Value) -> bool {
    schema.at("type") == "null"
        || schema.member("enum") == Some(&json!([null]))
        || schema.member("const") == Some(&Value::Null)
}

/// Replaces a choice with its only alternative, unless a keyword beside the
/// choice contradicts it.
pub(super) fn unwrap(schema: &mut Map<String, Value>, keyword: &str, only: Map<String, Value>) {
    let words = [
        "description",
        "title",
        "default",
        "examples",
        "deprecated",
        NOTES,
    ];
    let clashes = |(name, value): (&String, &Value)| {
        name != keyword
            && !words.contains(&name.as_str())
            && schema.member(name).is_some_and(|own| own != value)
    };
    if only.each().any(clashes) {
        return;
    }
    schema.remove_member(keyword);
    for (name, value) in only {
        match (schema.get_mut(&name), value) {
            (Some(Value::Object(own)), Value::Object(more)) if name == NOTES => own.extend(more),
            (Some(_), _) => {}
            (None, value) => {
                schema.insert(name, value);
            }
        }
    }
}
