//! Schemas that admit `null` beside something else: those of optional values.

use serde_json::{Map, Value, json};

/// Returns the other schema if one is `null`: an optional enum or recursive
/// type.
pub(super) fn beside_null(object: &mut Map<String, Value>) -> Option<&mut Value> {
    let branches = object.get_mut("anyOf")?.as_array_mut()?;
    match branches.as_mut_slice() {
        [inner, null] if null.get("type") == Some(&json!("null")) => Some(inner),
        _ => None,
    }
}

pub(super) fn admits_null(object: &Map<String, Value>) -> bool {
    object
        .get("type")
        .and_then(Value::as_array)
        .is_some_and(|types| types.contains(&json!("null")))
}
