//! Whether a type's published schema and its decoding refuse the same inputs.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::args::{ArgsSpec, CompiledArgs, DecodeError, ToolArgs, broken, publish};
use crate::schema::{NOTES, Validator, place_of, typed};

/// More inputs than this are not tried.
const MAX_INPUTS: usize = 20_000;
/// Inputs with several places changed at once.
const MIXED_INPUTS: usize = 500;
/// Recursive types are followed this far.
const MAX_DEPTH: usize = 5;
/// Lists and texts whose bounds are larger are not built.
const MAX_LENGTH: u64 = 2_000;

/// Checks that the published schema of an argument type and its decoding agree.
///
/// Inputs on both sides of every bound in the schema are tried: lengths (with
/// characters of one, two and four bytes), ranges, numbers of items, values of
/// enums, missing and unknown members, wrong types, at every nested place. They
/// are the same in every run. Where only a rule that is told in words refuses an
/// input, or the inside of an opaque field, that is no disagreement.
///
/// # Panics
/// On the first disagreement, with the place, the input and both verdicts; and
/// if the type would not pass when a server is built.
#[allow(clippy::panic)]
#[track_caller]
pub fn assert_schema_agrees<T: ToolArgs>() {
    if let Err(disagreement) = disagreement(&T::__spec()) {
        panic!("{disagreement}");
    }
}

fn disagreement(spec: &ArgsSpec) -> Result<(), String> {
    let name = spec.type_name;
    let mend = |problems: Vec<String>| format!("`{name}`:\n  {}", problems.join("\n  "));
    let compiled = CompiledArgs::of(spec).map_err(mend)?;
    let noted = publish::publish(spec).map_err(mend)?;
    let judge = Judge {
        spec,
        compiled: &compiled,
        validator: typed(&noted),
        noted: &noted,
    };
    let inputs = Inputs { root: &noted };
    let mut variants = inputs.variants(&noted, 0);
    inputs.mix(&mut variants);
    // Absent arguments are an empty object.
    variants.retain(|variant| !variant.value.is_null());
    variants.truncate(MAX_INPUTS);
    variants
        .iter()
        .try_for_each(|variant| judge.compare(variant))
}

/// An input, and what is special about it.
#[derive(Clone)]
struct Variant {
    value: Value,
    what: String,
}

impl Variant {
    fn new(value: Value, what: impl Into<String>) -> Self {
        Self {
            value,
            what: what.into(),
        }
    }
}

struct Judge<'a> {
    spec: &'a ArgsSpec,
    compiled: &'a CompiledArgs,
    validator: Validator,
    noted: &'a Value,
}

impl Judge<'_> {
    fn compare(&self, variant: &Variant) -> Result<(), String> {
        let text = variant.value.to_string();
        let admitted = self.validator.admits(&text);
        let decoded = self.compiled.decode(Some(&text));
        let (verdicts, why) = match (&decoded, admitted) {
            (Ok(_), true) | (Err(_), false) => return Ok(()),
            (Err(_), true) if self.is_exempt(&text) => return Ok(()),
            (Err(violations), true) => (
                "the schema accepts it, and decoding refuses it",
                violations.to_string(),
            ),
            (Ok(_), false) => {
                let findings = self.validator.findings(&text);
                let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
                (
                    "the schema refuses it, and decoding accepts it",
                    found.join("; "),
                )
            }
        };
        let shown: String = text.chars().take(300).collect();
        Err(format!(
            "`{}` and its schema disagree ({}): {verdicts}.\n  input: {shown}\n  why: {why}",
            self.spec.type_name, variant.what
        ))
    }

    /// Whether only what the schema cannot know of refuses an input.
    fn is_exempt(&self, text: &str) -> bool {
        match (self.spec.decode)(text) {
            Ok(_) => false,
            Err(DecodeError::Rules(report)) => {
                broken::only_worded(&report, (self.spec.shape)(), text)
            }
            Err(DecodeError::Json(error)) => {
                let mut opaque = BTreeSet::new();
                opaque_places(self.noted, self.noted, String::new(), 0, &mut opaque);
                let place = without_indexes(&place_of(text, error.line(), error.column()));
                let last = without_indexes(&crate::schema::last_member(text));
                opaque
                    .iter()
                    .any(|at| place.starts_with(at.as_str()) || (place.is_empty() && last == *at))
            }
        }
    }
}

/// Places that serde and garde alone know, as paths without indexes.
fn opaque_places(
    root: &Value,
    schema: &Value,
    at: String,
    depth: usize,
    found: &mut BTreeSet<String>,
) {
    if depth > MAX_DEPTH {
        return;
    }
    let schema = resolve(root, schema);
    if schema
        .get(NOTES)
        .is_some_and(|notes| notes.get("opaque").is_some())
    {
        found.insert(at);
        return;
    }
    for (name, property) in members(schema, "properties") {
        let separator = if at.is_empty() { "" } else { "." };
        opaque_places(
            root,
            property,
            format!("{at}{separator}{name}"),
            depth + 1,
            found,
        );
    }
    if let Some(items) = schema.get("items") {
        opaque_places(root, items, format!("{at}[]"), depth + 1, found);
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        for branch in list(schema, keyword) {
            opaque_places(root, branch, at.clone(), depth + 1, found);
        }
    }
}

fn without_indexes(path: &str) -> String {
    path.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let target = schema.get("$ref").and_then(Value::as_str);
    target
        .and_then(|target| root.pointer(target.trim_start_matches('#')))
        .unwrap_or(schema)
}

fn members<'s>(schema: &'s Value, keyword: &str) -> impl Iterator<Item = (&'s String, &'s Value)> {
    schema
        .get(keyword)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn list<'s>(schema: &'s Value, keyword: &str) -> impl Iterator<Item = &'s Value> {
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn admits_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    }
}

/// Makes inputs from a schema.
struct Inputs<'s> {
    root: &'s Value,
}

impl<'s> Inputs<'s> {
    /// A value that the schema admits, as far as one can be made.
    fn good(&self, schema: &'s Value, depth: usize) -> Value {
        if let Some(given) = schema
            .get("default")
            .or_else(|| schema.get("examples")?.get(0))
        {
            return given.clone();
        }
        let schema = resolve(self.root, schema);
        if let Some(one) = schema.get("const").or_else(|| schema.get("enum")?.get(0)) {
            return one.clone();
        }
        if depth > MAX_DEPTH && (admits_type(schema, "null") || allows_null(schema)) {
            return Value::Null;
        }
        let branch = ["oneOf", "anyOf"].iter().find_map(|keyword| {
            let first = schema.get(*keyword)?.get(0)?;
            first.get("format").is_none().then_some(first)
        });
        if let Some(branch) = branch {
            return self.good(branch, depth + 1);
        }
        if admits_type(schema, "object") || schema.get("properties").is_some() {
            return self.good_object(schema, depth, true);
        }
        if admits_type(schema, "array") {
            let count = schema
                .get("minItems")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            return self.items(schema, count.min(MAX_LENGTH), depth);
        }
        if admits_type(schema, "string") {
            return good_text(schema).into();
        }
        if admits_type(schema, "integer") || admits_type(schema, "number") {
            return schema
                .get("minimum")
                .or_else(|| schema.get("maximum"))
                .cloned()
                .unwrap_or(json!(1));
        }
        if admits_type(schema, "boolean") {
            json!(true)
        } else {
            Value::Null
        }
    }

    fn good_object(&self, schema: &'s Value, depth: usize, required_only: bool) -> Value {
        let mut object = Map::new();
        for (name, property) in members(schema, "properties") {
            if !required_only || list(schema, "required").any(|required| required == name) {
                object.insert(name.clone(), self.good(property, depth + 1));
            }
        }
        let least = schema
            .get("minProperties")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if let Some(rest) = schema
            .get("additionalProperties")
            .filter(|rest| rest.is_object())
        {
            for index in 0..least.min(MAX_LENGTH) {
                object.insert(format!("k{index}"), self.good(rest, depth + 1));
            }
        }
        object.into()
    }

    /// A list of so many items, different ones where they have to be.
    fn items(&self, schema: &'s Value, count: u64, depth: usize) -> Value {
        let prefix: Vec<&Value> = list(schema, "prefixItems").collect();
        let unique = schema.get("uniqueItems") == Some(&json!(true));
        let item = schema.get("items");
        let different: Vec<Value> = match item {
            Some(item) if unique => {
                let validator = typed(item);
                let fits = |value: &Value| validator.admits(&value.to_string());
                let mut seen = BTreeSet::new();
                let found = self.variants(item, depth + 1).into_iter().map(|v| v.value);
                let more = (0..count).map(|n| json!(format!("a{n}")));
                let found = found
                    .chain(more)
                    .filter(|v| fits(v) && seen.insert(v.to_string()));
                found.collect()
            }
            _ => Vec::new(),
        };
        let one = |index: usize| match (prefix.get(index), item) {
            (Some(schema), _) => self.good(schema, depth + 1),
            (None, Some(_)) if unique && !different.is_empty() => {
                different[index % different.len()].clone()
            }
            (None, Some(item)) => self.good(item, depth + 1),
            (None, None) => json!(1),
        };
        (0..usize::try_from(count).unwrap_or_default())
            .map(one)
            .collect()
    }

    /// Values around every rule of one place, good ones and bad ones.
    fn variants(&self, schema: &'s Value, depth: usize) -> Vec<Variant> {
        let mut found: Vec<Variant> = Vec::new();
        let good = self.good(schema, depth);
        found.push(Variant::new(good, "as described"));
        let schema = resolve(self.root, schema);
        let opaque = schema
            .get(NOTES)
            .is_some_and(|notes| notes.get("opaque").is_some());
        if depth > MAX_DEPTH || opaque {
            return found;
        }
        for wrong in [
            json!(null),
            json!(true),
            json!(7),
            json!(1.5),
            json!(2.0),
            json!("x"),
            json!([]),
            json!({}),
        ] {
            found.push(Variant::new(wrong, "another type"));
        }
        for value in list(schema, "enum").chain(schema.get("const")) {
            found.push(Variant::new(value.clone(), "a listed value"));
            if let Some(text) = value.as_str() {
                found.push(Variant::new(json!(format!("{text}x")), "no listed value"));
                found.push(Variant::new(
                    json!({ text: null }),
                    "a listed value as a member",
                ));
            }
        }
        if admits_type(schema, "string") {
            texts(schema, &mut found);
        }
        if admits_type(schema, "integer") || admits_type(schema, "number") {
            numbers(schema, &mut found);
        }
        if admits_type(schema, "array") {
            self.lists(schema, depth, &mut found);
        }
        if admits_type(schema, "object") || schema.get("properties").is_some() {
            self.objects(schema, depth, &mut found);
        }
        for keyword in ["oneOf", "anyOf"] {
            for branch in list(schema, keyword) {
                found.extend(self.variants(branch, depth + 1));
            }
        }
        found
    }

    fn lists(&self, schema: &'s Value, depth: usize, found: &mut Vec<Variant>) {
        for keyword in ["minItems", "maxItems"] {
            let Some(bound) = schema.get(keyword).and_then(Value::as_u64) else {
                continue;
            };
            for count in [bound.saturating_sub(1), bound, bound + 1] {
                if count <= MAX_LENGTH {
                    let what = format!("{count} items, {keyword} {bound}");
                    found.push(Variant::new(self.items(schema, count, depth), what));
                }
            }
        }
        let places = list(schema, "prefixItems")
            .chain(schema.get("items"))
            .enumerate();
        for (index, item) in places {
            let least = schema
                .get("minItems")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            for variant in self.variants(item, depth + 1) {
                let mut whole =
                    self.items(schema, least.clamp(index as u64 + 1, MAX_LENGTH), depth);
                whole[index] = variant.value.clone();
                found.push(Variant::new(whole, format!("[{index}]: {}", variant.what)));
                if index == 0 {
                    let doubled = json!([variant.value, variant.value]);
                    found.push(Variant::new(doubled, "the same item twice"));
                }
            }
        }
    }

    fn objects(&self, schema: &'s Value, depth: usize, found: &mut Vec<Variant>) {
        let least = self.good_object(schema, depth, true);
        let all = self.good_object(schema, depth, false);
        let changed = |base: &Value, name: &str, value: Option<Value>| {
            let mut object = base.as_object().cloned().unwrap_or_default();
            match value {
                Some(value) => object.insert(name.to_owned(), value),
                None => object.remove(name),
            };
            Value::Object(object)
        };
        found.push(Variant::new(all.clone(), "every member"));
        let unknown = changed(&least, "mcpKitUnknown", Some(json!(1)));
        found.push(Variant::new(unknown, "an unknown member"));
        for (name, property) in members(schema, "properties") {
            found.push(Variant::new(
                changed(&all, name, None),
                format!("without {name}"),
            ));
            for variant in self.variants(property, depth + 1) {
                let whole = changed(&least, name, Some(variant.value));
                found.push(Variant::new(whole, format!("{name}: {}", variant.what)));
            }
        }
        let Some(rest) = schema
            .get("additionalProperties")
            .filter(|rest| rest.is_object())
        else {
            return;
        };
        for variant in self.variants(rest, depth + 1) {
            let whole = changed(&least, "k0", Some(variant.value));
            found.push(Variant::new(
                whole,
                format!("of a member: {}", variant.what),
            ));
        }
        for keyword in ["minProperties", "maxProperties"] {
            let Some(bound) = schema.get(keyword).and_then(Value::as_u64) else {
                continue;
            };
            for count in [bound.saturating_sub(1), bound, bound + 1] {
                if count <= MAX_LENGTH {
                    let members = (0..count).map(|n| (format!("k{n}"), self.good(rest, depth + 1)));
                    let what = format!("{count} entries, {keyword} {bound}");
                    found.push(Variant::new(Value::Object(members.collect()), what));
                }
            }
        }
    }

    /// Inputs in which several members are taken from different variants.
    fn mix(&self, variants: &mut Vec<Variant>) {
        let objects: Vec<Map<String, Value>> = variants
            .iter()
            .filter_map(|variant| variant.value.as_object().cloned())
            .collect();
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut pick = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 16).unwrap_or_default() % objects.len().max(1)
        };
        for _ in 0..MIXED_INPUTS.min(objects.len() * 4) {
            let mut mixed = objects[pick()].clone();
            for _ in 0..2 {
                mixed.extend(objects[pick()].clone());
            }
            variants.push(Variant::new(
                Value::Object(mixed),
                "several members at once",
            ));
        }
    }
}

fn allows_null(schema: &Value) -> bool {
    list(schema, "anyOf").any(|branch| branch.get("type") == Some(&json!("null")))
}

/// Texts around the bounds of length, of narrow and of wide characters.
fn texts(schema: &Value, found: &mut Vec<Variant>) {
    let good = good_text(schema);
    for keyword in ["minLength", "maxLength"] {
        let Some(bound) = schema.get(keyword).and_then(Value::as_u64) else {
            continue;
        };
        for count in [bound.saturating_sub(1), bound, bound + 1] {
            if count > MAX_LENGTH {
                continue;
            }
            for fill in ["a", "é", "😀"] {
                let count = usize::try_from(count).unwrap_or_default();
                let what = format!("{count} characters {fill:?}, {keyword} {bound}");
                found.push(Variant::new(json!(fill.repeat(count)), what.clone()));
                let missing = count.saturating_sub(good.chars().count());
                found.push(Variant::new(
                    json!(good.clone() + &fill.repeat(missing)),
                    what,
                ));
            }
        }
    }
    found.extend(
        SAMPLES
            .iter()
            .map(|text| Variant::new(json!(text), "a sample of text")),
    );
    found.push(Variant::new(
        json!(format!("{good}é")),
        "a wide character at the end",
    ));
    found.push(Variant::new(
        json!(format!("\u{7f}{good}")),
        "a control character in front",
    ));
}

/// Texts of which one often fits a pattern or a format.
const SAMPLES: &[&str] = &[
    "",
    "a",
    "ab",
    "abc",
    "A1",
    "0",
    "12",
    "a b",
    "a-b",
    "a_b",
    "AB-12",
    "a.b",
    "/a/b",
    "2026-01-31",
    "2026-01-31T12:00:00Z",
    "en-GB",
    "#a0b1c2",
    "a@example.com",
    "https://example.com/",
    "192.0.2.1",
    "2001:db8::1",
    "192.0.2.1:80",
    "00000000-0000-4000-8000-000000000000",
    "é",
];

/// A text that a place admits, as far as one can be found.
fn good_text(schema: &Value) -> String {
    let validator = typed(schema);
    let fits = |text: &String| validator.admits(&json!(text).to_string());
    let mut made = SAMPLES
        .iter()
        .map(|text| (*text).to_owned())
        .collect::<Vec<_>>();
    let (mut front, mut back) = (String::new(), String::new());
    let rules = schema.get(NOTES).and_then(|notes| notes.get("rules"));
    for rule in rules.and_then(Value::as_array).into_iter().flatten() {
        let part = || rule["rule"][1].as_str().unwrap_or_default();
        match rule["rule"][0].as_str() {
            Some("prefix") => front.insert_str(0, part()),
            Some("contains") => front.push_str(part()),
            Some("suffix") => back.push_str(part()),
            _ => {}
        }
    }
    let least = schema
        .get("minLength")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    for fill in [0, least.min(MAX_LENGTH), 1, 2, 3, 8, 16, 32] {
        let fill = usize::try_from(fill).unwrap_or_default();
        made.push(format!("{front}{}{back}", "a".repeat(fill)));
        let short = fill.saturating_sub(front.chars().count() + back.chars().count());
        made.push(format!("{front}{}{back}", "a".repeat(short)));
        made.push("1".repeat(fill));
    }
    made.into_iter().find(fits).unwrap_or_default()
}

/// Numbers around the bounds.
fn numbers(schema: &Value, found: &mut Vec<Variant>) {
    let bounds = [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ];
    for keyword in bounds {
        let Some(bound) = schema.get(keyword) else {
            continue;
        };
        let mut push = |value: Value| {
            let what = format!("{value}, {keyword} {bound}");
            found.push(Variant::new(value, what));
        };
        push(bound.clone());
        if let Some(whole) = bound.as_number().and_then(serde_json::Number::as_i128) {
            for near in [whole - 1, whole + 1] {
                if let Some(near) = serde_json::Number::from_i128(near) {
                    push(Value::Number(near));
                }
            }
        }
        if let Some(float) = bound.as_f64() {
            for near in [float - 0.5, float + 0.5, float - 1.0, float + 1.0] {
                push(json!(near));
            }
        }
    }
    for value in [
        json!(0),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e30),
    ] {
        found.push(Variant::new(value, "a number of its own"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, dead_code)]
mod tests {
    use garde::Validate;
    use mcp_kit_macros::ToolArgs;
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;

    /// Its schema promises what nobody checks.
    #[derive(Debug, Deserialize)]
    struct Loose(String);

    impl JsonSchema for Loose {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Loose".into()
        }

        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "string", "maxLength": 3 })
        }
    }

    impl crate::args::shape::Shaped for Loose {
        fn shape() -> &'static crate::args::shape::Shape {
            &crate::args::shape::Shape::Leaf
        }
    }

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    struct Holder {
        #[garde(skip)]
        loose: Loose,
    }

    #[test]
    fn a_promise_that_nobody_keeps_is_found() {
        let said = disagreement(&ArgsSpec::of::<Holder>()).unwrap_err();
        assert!(said.contains("loose: 4 characters"), "{said}");
        assert!(
            said.contains("the schema refuses it, and decoding accepts it"),
            "{said}"
        );
    }

    /// Its decoding refuses what the schema promises.
    #[derive(Debug)]
    struct Tight;

    impl<'de> Deserialize<'de> for Tight {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            match u8::deserialize(deserializer)? {
                7 => Err(serde::de::Error::custom("unlucky")),
                _ => Ok(Self),
            }
        }
    }

    impl JsonSchema for Tight {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Tight".into()
        }

        fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            u8::json_schema(generator)
        }
    }

    impl crate::args::shape::Shaped for Tight {
        fn shape() -> &'static crate::args::shape::Shape {
            &crate::args::shape::Shape::Leaf
        }
    }

    #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
    #[tool_args(crate = crate)]
    struct Refuser {
        #[garde(skip)]
        tight: Tight,
    }

    #[test]
    fn a_refusal_that_the_schema_does_not_know_is_found() {
        let said = disagreement(&ArgsSpec::of::<Refuser>()).unwrap_err();
        assert!(
            said.contains("the schema accepts it, and decoding refuses it"),
            "{said}"
        );
        assert!(said.contains(r#"{"tight":7}"#), "{said}");
    }
}
