//! Makes inputs from a schema: a good one, and many that differ from it at one
//! place.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::scalars::{good_text, numbers, texts};
use super::{MAX_DEPTH, MAX_LENGTH, MIXED_INPUTS, Variant, admits_type, list, members, resolve};
use crate::schema::{NOTES, typed};

/// Makes inputs from a schema.
pub(super) struct Inputs<'s> {
    pub(super) root: &'s Value,
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
    pub(super) fn variants(&self, schema: &'s Value, depth: usize) -> Vec<Variant> {
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
            for count in [bound.saturating_sub(1), bound, bound.saturating_add(1)] {
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
        let by_pattern = members(schema, "patternProperties").next();
        let rest = schema
            .get("additionalProperties")
            .filter(|rest| rest.is_object())
            .or(by_pattern.map(|(_, schema)| schema));
        let Some(rest) = rest else {
            return;
        };
        for key in KEYS {
            let whole = changed(&least, key, Some(self.good(rest, depth + 1)));
            found.push(Variant::new(whole, format!("the key {key:?}")));
        }
        if by_pattern.is_some() {
            return;
        }
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
            for count in [bound.saturating_sub(1), bound, bound.saturating_add(1)] {
                if count <= MAX_LENGTH {
                    let members = (0..count).map(|n| (format!("k{n}"), self.good(rest, depth + 1)));
                    let what = format!("{count} entries, {keyword} {bound}");
                    found.push(Variant::new(Value::Object(members.collect()), what));
                }
            }
        }
    }

    /// Inputs in which several members are taken from different variants.
    pub(super) fn mix(&self, variants: &mut Vec<Variant>) {
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

/// Keys around the limits of the types that a map may have as keys.
const KEYS: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "01",
    "1.0",
    "127",
    "128",
    "255",
    "256",
    "65536",
    "4294967296",
    "18446744073709551616",
    "a",
    "ab",
    "true",
    "2026-01-31",
    "192.0.2.1",
    "2001:db8::1",
    "192.0.2.1:80",
    "00000000-0000-4000-8000-000000000000",
];

fn allows_null(schema: &Value) -> bool {
    list(schema, "anyOf").any(|branch| branch.get("type") == Some(&json!("null")))
}
