//! Run-time schemas with keywords that mcp-kit's own walk does not support.

use super::*;

fn of(schema: Value) -> CompiledArgs {
    CompiledArgs::from_schema(schema).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// Returns the report about arguments; empty if they are accepted.
fn said(args: &CompiledArgs, value: &Value) -> String {
    match args.decode(Some(&value.to_string())) {
        Ok(Decoded::Json(_)) => String::new(),
        Ok(other) => panic!("{other:?}"),
        Err(report) => report.to_string().replace("Invalid arguments: ", ""),
    }
}

#[test]
fn every_keyword_of_the_standard_is_checked() {
    let cases = [
        (
            json!({ "if": { "properties": { "a": { "const": 1 } }, "required": ["a"] },
                "then": { "required": ["b"] }, "else": { "required": ["c"] } }),
            json!({ "a": 1, "b": 2 }),
            json!({ "a": 1 }),
            "b: is required",
        ),
        (
            json!({ "dependentRequired": { "card": ["address"] }, "additionalProperties": true }),
            json!({ "card": 1, "address": 2 }),
            json!({ "card": 1 }),
            "address: is required",
        ),
        (
            json!({ "dependentSchemas": { "a": { "properties": { "b": { "minimum": 5 } } } } }),
            json!({ "a": 1, "b": 5 }),
            json!({ "a": 1, "b": 4 }),
            "b: must be at least 5",
        ),
        (
            json!({ "properties": { "a": { "contains": { "type": "string" }, "maxContains": 1 } } }),
            json!({ "a": [1, "x"] }),
            json!({ "a": [1, 2] }),
            "a: does not contain the items that `contains` requires",
        ),
        (
            json!({ "propertyNames": { "maxLength": 3 }, "additionalProperties": true }),
            json!({ "abc": 1 }),
            json!({ "abcd": 1 }),
            "has an invalid name",
        ),
        (
            json!({ "allOf": [{ "properties": { "a": true } }], "unevaluatedProperties": false }),
            json!({ "a": 1 }),
            json!({ "a": 1, "b\u{202e}": 1 }),
            "unknown argument \"b\\u{202e}\"",
        ),
        (
            json!({ "properties": { "a": { "prefixItems": [true], "unevaluatedItems": false } } }),
            json!({ "a": [1] }),
            json!({ "a": [1, 2] }),
            "a: has more items than are allowed",
        ),
        (
            json!({ "properties": { "a": { "$ref": "#whole" } },
                "$defs": { "x": { "$anchor": "whole", "type": "integer" } } }),
            json!({ "a": 1 }),
            json!({ "a": "secret" }),
            "a: must be of the type integer",
        ),
        (
            json!({ "properties": { "a": { "$ref": "https://example.com/item" } },
                "$defs": { "x": { "$id": "https://example.com/item", "maxLength": 2 } } }),
            json!({ "a": "ab" }),
            json!({ "a": "abc" }),
            "a: must have at most 2 characters",
        ),
        (
            json!({ "$dynamicAnchor": "node", "properties": { "v": { "type": "integer" },
                "c": { "type": "array", "items": { "$dynamicRef": "#node" } } } }),
            json!({ "v": 1, "c": [{ "v": 2 }] }),
            json!({ "v": 1, "c": [{ "v": "x" }] }),
            "c[0].v: must be of the type integer",
        ),
        (
            json!({ "properties": { "a": { "pattern": "^(?=.*\\d)[a-z\\d]+$" } } }),
            json!({ "a": "a1" }),
            json!({ "a": "ab" }),
            "a: must match the pattern ^(?=.*\\d)[a-z\\d]+$",
        ),
        // What the walk would get wrong by itself: it passes over a part.
        (
            json!({ "properties": { "a": { "not": { "contains": { "const": 1 } } } } }),
            json!({ "a": [2] }),
            json!({ "a": [1] }),
            "a: breaks the rule `not` of the schema",
        ),
        (
            json!({ "properties": { "a": { "oneOf": [
                { "type": "array", "contains": { "const": 1 } },
                { "type": "array", "contains": { "const": 2 } } ] } } }),
            json!({ "a": [2, 3] }),
            json!({ "a": [1, 2] }),
            "a: fits more than one of the allowed forms",
        ),
    ];
    for (schema, right, wrong, text) in cases {
        let args = of(schema.clone());
        assert_eq!(said(&args, &right), "", "{schema}");
        let report = said(&args, &wrong);
        assert!(report.contains(text), "{schema}: {report}");
        assert!(!report.contains("secret"), "{report}");
    }
}

#[test]
fn the_walk_reports_what_it_knows_and_all_of_it() {
    let args = of(json!({
        "properties": { "name": { "type": "string" }, "age": { "minimum": 0 } },
        "required": ["name"],
        "dependentRequired": { "age": ["name"] },
        "additionalProperties": false,
    }));
    assert_eq!(
        said(&args, &json!({ "age": -1, "nme": "x" })),
        "age: must be at least 0; name: is required; \
         unknown argument \"nme\" (did you mean \"name\"?)"
    );
}

/// Clients receive what the author wrote, names and references included.
#[test]
fn a_schema_with_named_parts_is_published_as_it_is() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "place": { "$anchor": "place", "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } } } },
        "properties": {
            "name": { "type": "string" },
            "home": { "$ref": "#/$defs/place" },
            "work": { "$ref": "#place" },
            "contact": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contact": { "type": "string", "enum": ["phone"] } },
            "required": ["contact"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    });
    let args = of(schema.clone());
    assert_eq!(args.schema(), &schema);
    let right = json!({ "contact": "phone", "phone": "1", "work": { "city": "Ulm" } });
    assert_eq!(said(&args, &right), "");
    let wrong = json!({ "contact": "phone", "email": "a@b", "home": { "city": 1 } });
    assert_eq!(said(&args, &wrong), "home.city: must be a string");
    let wrong = json!({ "contact": "phone", "email": "a@b" });
    assert_eq!(said(&args, &wrong), "phone: is required");
}

#[test]
fn nothing_is_fetched() {
    for target in [
        "https://example.com/x.json",
        "file:///etc/passwd",
        "other.json",
        "#nowhere",
    ] {
        let schema = json!({ "properties": { "a": { "$ref": target } } });
        let problems = CompiledArgs::from_schema(schema).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("nothing is fetched"), "{problems:?}");
    }
    let problems = CompiledArgs::from_schema(json!({ "if": { "minLength": "x" } })).unwrap_err();
    assert!(problems[0].contains("is not of type"), "{problems:?}");
}

/// A value that is nested so deep, with `leaf` inside.
fn nested(depth: usize, leaf: &Value) -> Value {
    (0..depth).fold(leaf.clone(), |inside, _| json!({ "c": inside }))
}

#[test]
fn schemas_that_explode_are_refused_or_cost_little() {
    // References that double thirty times.
    let mut defs = serde_json::Map::new();
    for at in 0..30 {
        let next = json!({ "$ref": format!("#/$defs/a{}", at + 1) });
        defs.insert(format!("a{at}"), json!({ "allOf": [next, next] }));
    }
    defs.insert("a30".into(), json!({ "contains": true }));
    let laughs = json!({ "allOf": [{ "$ref": "#/$defs/a0" }], "$defs": defs });
    let problems = CompiledArgs::from_schema(laughs).unwrap_err();
    assert!(problems[0].contains("expand to more than"), "{problems:?}");
    // Ways that multiply with each level.
    let way = |name: &str| json!({ "type": "object", "properties": { "c": { "$ref": "#" } }, "required": [name] });
    let forms = json!({ "anyOf": [way("x"), way("y"), way("c"), { "type": "integer" }], "if": {} });
    let args = of(json!({ "type": "object", "anyOf": forms["anyOf"], "if": {} }));
    let text = said(&args, &nested(100, &json!("x")));
    assert!(!text.is_empty() && text.len() < 500, "{text}");
    // Circles that end nowhere.
    let circle = json!({ "allOf": [{ "$ref": "#/$defs/a" }], "if": {},
        "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } });
    let _ = said(&of(circle), &json!({}));
    // One way is no trouble at any depth that JSON may have.
    let list = json!({ "properties": { "c": { "$ref": "#" } }, "if": { "required": ["z"] }, "then": false });
    assert_eq!(said(&of(list), &nested(120, &json!({}))), "");
    // A pattern that backtracks for ever.
    let slow = json!({ "properties": { "a": { "pattern": "^(a+)+\\1(?=b)$" } } });
    assert!(!said(&of(slow), &json!({ "a": "a".repeat(5_000) })).is_empty());
}
