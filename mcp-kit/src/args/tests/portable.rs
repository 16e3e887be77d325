//! The published form of every shape of type, against the rules that hosts and
//! models' APIs have for schemas.

use super::zoo::{self, Animal};
use super::*;
use crate::schema;

const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "uri",
    "uuid",
    "ipv4",
    "ipv6",
];

/// Returns the parts of a schema that hosts refuse, each with its place.
struct Linter<'s> {
    root: &'s Value,
    input: bool,
    found: Vec<String>,
}

impl Linter<'_> {
    fn wrong(&mut self, at: &str, what: &str) {
        self.found.push(format!("{at}: {what}"));
    }

    fn schema(&mut self, schema: &Value, at: &str) {
        let Some(object) = schema.as_object() else {
            return self.wrong(at, "is not an object");
        };
        if has_null_type(object) && self.input && at.ends_with('?') {
            self.wrong(at, "is optional and admits null");
        }
        for (keyword, value) in object {
            let at = format!("{at}/{keyword}");
            match keyword.as_str() {
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
                | "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
                | "maxProperties" => match value.as_f64() {
                    Some(limit) if limit.abs() <= 9_007_199_254_740_991.0 => {}
                    _ => self.wrong(&at, &format!("is {value}")),
                },
                "default" | "enum" | "examples" => {
                    if value.to_string().len() > 15 && has_large_number(value) {
                        self.wrong(&at, "has a number that is not exact everywhere");
                    }
                }
                "const" => self.wrong(&at, "is not in every dialect"),
                "format" => {
                    if !FORMATS.contains(&value.as_str().unwrap_or_default()) {
                        self.wrong(&at, &format!("is {value}"));
                    }
                }
                "$ref" => {
                    if !self.leads_back(value.as_str().unwrap_or_default()) {
                        self.wrong(&at, "is not recursive");
                    }
                }
                "oneOf" | "anyOf" => {
                    let branches = value.as_array().unwrap();
                    if branches.iter().all(|branch| branch.get("enum").is_some()) {
                        self.wrong(&at, "could be one enum");
                    }
                    if branches.len() < 2 {
                        self.wrong(&at, "is not a choice");
                    }
                    for branch in branches {
                        // The place may be left out in each of them.
                        let optional = if at.contains('?') && !at.contains("?/p") {
                            "?"
                        } else {
                            ""
                        };
                        self.schema(branch, &format!("{at}{optional}"));
                    }
                }
                "prefixItems" | "allOf" => {
                    for one in value.as_array().unwrap() {
                        self.schema(one, &at);
                    }
                }
                "properties" => {
                    let required = object.get("required").cloned().unwrap_or(json!([]));
                    for (name, one) in value.as_object().unwrap() {
                        let optional = if required.as_array().unwrap().contains(&json!(name)) {
                            ""
                        } else {
                            "?"
                        };
                        self.schema(one, &format!("{at}/{name}{optional}"));
                    }
                }
                "$defs" | "patternProperties" => {
                    for (name, one) in value.as_object().unwrap() {
                        self.schema(one, &format!("{at}/{name}"));
                    }
                }
                "additionalProperties" if value.is_boolean() => {}
                "items" | "not" | "additionalProperties" => self.schema(value, &at),
                "type" | "required" | "uniqueItems" | "description" | "pattern" | "deprecated" => {}
                other => self.wrong(&at, &format!("is a keyword `{other}`")),
            }
        }
        let is_list = object.get("prefixItems").is_some()
            || object
                .get("type")
                .is_some_and(|kind| kind.to_string().contains("array"));
        if is_list && !object.contains_key("items") {
            self.wrong(at, "is a list without items");
        }
    }

    fn leads_back(&self, reference: &str) -> bool {
        let target = self.root.pointer(reference.trim_start_matches('#'));
        target.is_some_and(|target| target.to_string().contains(&format!("{:?}", reference)))
    }
}

fn has_null_type(object: &serde_json::Map<String, Value>) -> bool {
    let kind = object
        .get("type")
        .map(ToString::to_string)
        .unwrap_or_default();
    let values = object.get("enum").and_then(Value::as_array);
    // `null` alone is all that there is to say.
    kind.contains("null") && kind.contains('[')
        || values.is_some_and(|of| of.contains(&Value::Null))
}

fn has_large_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|of| of.abs() > 9_007_199_254_740_991.0),
        Value::Array(items) => items.iter().any(has_large_number),
        Value::Object(members) => members.values().any(has_large_number),
        _ => false,
    }
}

fn lint(schema: &Value, input: bool) -> Vec<String> {
    let mut linter = Linter {
        root: schema,
        input,
        found: Vec::new(),
    };
    linter.schema(schema, "#");
    if input {
        if schema["type"] != "object" || !schema["properties"].is_object() {
            linter.wrong("#", "is not an object with properties");
        }
        for keyword in ["oneOf", "anyOf", "allOf", "enum", "not", "$ref"] {
            if schema.get(keyword).is_some() {
                linter.wrong("#", &format!("has `{keyword}`"));
            }
        }
    }
    linter.found
}

fn inputs() -> Vec<Animal> {
    let mut all = zoo::plain();
    #[cfg(feature = "regex")]
    all.extend(zoo::patterns());
    all.extend(zoo::odd());
    all.extend(zoo::portable());
    all.extend(zoo::roots());
    all
}

/// Options in options, whose `null` is not the same as absence.
const NULL_IS_MEANT: &[&str] = &[
    "f_opt_opt: #/properties/x?: is optional and admits null",
    "p_u64: #/properties/i?: is optional and admits null",
    "p_documented: #/properties/d?: is optional and admits null",
];

#[test]
fn every_published_input_is_portable() {
    let mut wrong = Vec::new();
    let mut meant = 0;
    for (name, spec, _) in inputs() {
        match CompiledArgs::of(&spec()) {
            Ok(args) => wrong.extend(
                lint(args.schema(), true)
                    .into_iter()
                    .map(|what| format!("{name}: {what}\n    {}", args.schema())),
            ),
            Err(problems) => wrong.push(format!("{name}: {problems:?}")),
        }
    }
    wrong.retain(|what| {
        let is_meant = NULL_IS_MEANT.iter().any(|of| what.starts_with(of));
        meant += usize::from(is_meant);
        !is_meant
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(meant, NULL_IS_MEANT.len());
}

#[test]
fn every_published_output_is_portable() {
    let mut wrong = Vec::new();
    for (name, schema) in zoo::results() {
        let schema = schema::typed_output(schema);
        wrong.extend(
            lint(&schema, false)
                .into_iter()
                .map(|what| format!("{name}: {what}\n    {schema}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn published_inputs_agree_with_what_is_checked() {
    for (_, _, agrees) in inputs() {
        agrees();
    }
}
