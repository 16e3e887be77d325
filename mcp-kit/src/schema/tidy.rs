//! What schemars writes, made plain for clients: no titles that repeat a type's
//! name, no Rust formats, no `default: null`; the bounds that those formats
//! stand for are said as bounds.

use serde_json::{Map, Value, json};

/// Calls a function on every schema inside a schema, itself first.
pub(crate) fn each(schema: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Value::Object(object) = schema else {
        return;
    };
    visit(object);
    for (keyword, inner) in object.iter_mut() {
        match keyword.as_str() {
            "items"
            | "additionalProperties"
            | "not"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "contains"
            | "propertyNames"
            | "if"
            | "then"
            | "else" => {
                each(inner, visit);
            }
            "prefixItems" | "allOf" | "anyOf" | "oneOf" => {
                for one in inner.as_array_mut().into_iter().flatten() {
                    each(one, visit);
                }
            }
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                for (_, one) in inner.as_object_mut().into_iter().flatten() {
                    each(one, visit);
                }
            }
            _ => {}
        }
    }
}

/// The bounds of a Rust number, by schemars' name for it.
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
        // JSON numbers that large are not exact anywhere: no bound is said.
        "uint128" => Some((Some(json!(0)), None)),
        "int128" | "float" | "double" => Some((None, None)),
        _ => None,
    }
}

/// An output schema as it is published: plain, and open to further members.
pub(crate) fn output(schema: schemars::Schema) -> Value {
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        root.remove("$schema");
        root.remove("title");
    }
    each(&mut schema, &mut |object| {
        let format = object.get("format").and_then(Value::as_str);
        if let Some((min, max)) = format.and_then(bounds_of_format) {
            object.remove("format");
            say_bound(object, "minimum", min);
            say_bound(object, "maximum", max);
        } else if format == Some("ip") {
            object.remove("format");
            object.insert(
                "anyOf".into(),
                json!([{ "format": "ipv4" }, { "format": "ipv6" }]),
            );
        }
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
    });
    schema
}

fn say_bound(object: &mut Map<String, Value>, keyword: &str, bound: Option<Value>) {
    if let Some(bound) = bound {
        object.entry(keyword).or_insert(bound);
    }
}
