//! Schemas that are known only at run time.

use super::*;

fn of(schema: Value) -> CompiledArgs {
    CompiledArgs::from_schema(schema).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn said(args: &CompiledArgs, raw: &str) -> String {
    args.decode(Some(raw)).unwrap_err().to_string()
}

#[test]
fn they_are_checked_in_full() {
    let args = of(json!({
        "properties": {
            "name": { "type": "string", "minLength": 2 },
            "count": { "type": "integer", "exclusiveMinimum": 0, "multipleOf": 5 },
            "tags": { "type": "array", "items": { "$ref": "#/$defs/tag" }, "uniqueItems": true },
            "point": { "type": "array", "prefixItems": [{ "type": "number" }], "items": false },
            "one": { "oneOf": [{ "type": "integer" }, { "type": "number", "minimum": 10 }] },
            "all": { "allOf": [{ "minimum": 1 }, { "maximum": 3 }] },
            "not": { "not": { "type": "string" } },
        },
        "required": ["name"],
        "$defs": { "tag": { "enum": ["a", "b", 1, null] } },
    }));
    assert_eq!(args.schema()["type"], json!("object"));
    assert_eq!(args.schema()["additionalProperties"], json!(false));
    let Ok(Decoded::Json(map)) = args.decode(Some(
        r#"{"name":"ab","count":10.0,"tags":["a",1.0,null],"point":[1.5],"one":10.5,"all":2,"not":1}"#,
    )) else {
        panic!("refused");
    };
    assert_eq!(map["name"], json!("ab"));
    assert_eq!(
        said(
            &args,
            r#"{"count":3,"tags":["c",1,1.0],"point":[1,2],"one":11,"all":4,"not":"x","nam":"a"}"#
        ),
        "Invalid arguments: count: must be a multiple of 5; \
         tags[0]: must be \"a\", \"b\", 1 or null; tags: must not contain the same item twice; \
         point[1]: must be left out; one: fits more than one of the allowed forms; \
         all: must be at most 3; not: has an invalid value; name: is required; \
         unknown argument \"nam\" (did you mean \"name\"?)"
    );
}

#[test]
fn keywords_that_nothing_checks_are_problems() {
    let problems = CompiledArgs::from_schema(json!({
        "type": "object",
        "properties": {
            "a": { "type": "strin" },
            "b": { "minLenght": 1, "x-mine": 1 },
            "c": { "$ref": "#/$defs/nowhere" },
            "d": { "items": [{ "type": "string" }] },
            "e": { "dependencies": { "a": ["b"] } },
        },
    }))
    .unwrap_err();
    let all = problems.join("\n");
    for part in [
        "#/properties/a: `type` has no meaning for \"strin\"",
        "#/properties/b: `minLenght` is checked by nothing: did you mean `minLength`?",
        "#/properties/c: `$ref` points to \"#/$defs/nowhere\"",
        "#/properties/d: `items` as a list",
        "#/properties/e: `dependencies` is an older dialect's: say `dependentRequired`",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
    assert_eq!(problems.len(), 5, "{all}");
    assert!(CompiledArgs::from_schema(json!({ "type": "string" })).is_err());
    assert!(CompiledArgs::from_schema(json!(true)).is_err());
}

#[test]
fn references_that_go_in_circles_do_no_harm() {
    let args = of(json!({
        "properties": { "a": { "$ref": "#/$defs/a" } },
        "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } },
    }));
    let _ = args.decode(Some(r#"{"a":1}"#));
    let args = of(json!({
        "properties": { "a": { "$ref": "#/$defs/a" } },
        "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "$ref": "#/$defs/a" }] } },
    }));
    assert!(args.decode(Some(r#"{"a":1}"#)).is_err());
}

#[test]
fn additional_properties_stay_as_the_author_said() {
    let args = of(json!({ "additionalProperties": true }));
    assert!(args.decode(Some(r#"{"x":1}"#)).is_ok());
    let args = of(json!({ "additionalProperties": { "type": "integer" } }));
    assert_eq!(
        said(&args, r#"{"x y":"one"}"#),
        r#"Invalid arguments: ["x y"]: must be a whole number"#
    );
}

#[cfg(feature = "regex")]
#[test]
fn patterns_are_checked() {
    let args = of(json!({
        "properties": { "a": { "pattern": "^a" } },
        "patternProperties": { "^x-": { "type": "string" } },
        "additionalProperties": false,
    }));
    assert!(args.decode(Some(r#"{"a":"ab","x-y":"z"}"#)).is_ok());
    assert_eq!(
        said(&args, r#"{"a":"b","x-y":1,"y":1}"#),
        "Invalid arguments: a: must match the pattern ^a; x-y: must be a string; unknown argument \"y\""
    );
}

#[cfg(not(any(feature = "json-schema", feature = "regex")))]
#[test]
fn patterns_want_their_feature() {
    let problems = CompiledArgs::from_schema(json!({ "properties": { "a": { "pattern": "^a" } } }));
    assert!(problems.unwrap_err()[0].contains("feature `regex`"));
}

/// Whatever the standard does not know is a remark: it is published as it is.
#[test]
fn unknown_annotations_are_kept() {
    let schema = json!({
        "$id": "https://example.com/schemas/person",
        "$anchor": "person",
        "x-order": 3,
        "enumNames": ["A", "B"],
        "example": {"a": 1},
        "nullable": true,
        "contentSchema": {"type": "object"},
        "type": "object",
        "properties": {"a": {"type": "integer", "unit": "m", "contentMediaType": "text/plain"}},
    });
    let args = of(schema.clone());
    for (keyword, value) in schema.as_object().unwrap() {
        assert_eq!(&args.schema()[keyword], value, "{keyword}");
    }
    assert!(args.decode(Some(r#"{"a":1}"#)).is_ok());
    assert!(args.decode(Some(r#"{"a":"x"}"#)).is_err());
}

#[cfg(not(feature = "json-schema"))]
#[test]
fn the_rest_of_the_standard_requires_its_feature() {
    let problems = CompiledArgs::from_schema(json!({
        "properties": { "a": { "if": true }, "b": { "$ref": "#b" } },
        "dependentRequired": { "a": ["b"] },
    }));
    let problems = problems.unwrap_err().join("\n");
    for place in [
        "#/properties/a: `if`",
        "#/properties/b: `$ref`",
        "#: `dependentRequired`",
    ] {
        assert!(problems.contains(place), "{place}: {problems}");
    }
    assert_eq!(
        problems.matches("feature `json-schema`").count(),
        3,
        "{problems}"
    );
}
