//! Checks that a type's schema and its decoding refuse the same inputs, and
//! that the published form of the schema differs only in allowed ways.

mod inputs;
mod scalars;

use std::collections::BTreeSet;

use serde_json::Value;

use inputs::Inputs;

use crate::args::{ArgsSpec, CompiledArgs, DecodeError, ToolArgs, broken, publish};
use crate::schema::{NOTES, Rewrites, Validator, each, place_of, typed};

/// More inputs than this are not tried.
const MAX_INPUTS: usize = 20_000;
/// Inputs with several places changed at once.
const MIXED_INPUTS: usize = 500;
/// Recursive types are followed this far.
const MAX_DEPTH: usize = 5;
/// Lists and texts with larger limits are not built.
const MAX_LENGTH: u64 = 2_000;
/// Limits this large are checked and not published.
const TWO_TO_53: f64 = 9_007_199_254_740_992.0;

/// Checks that the published schema of an argument type and its decoding agree.
///
/// Tries inputs on both sides of every limit in the schema: lengths (with
/// characters of one, two and four bytes), ranges, numbers of items, values of
/// enums, missing and unknown members, wrong types, at every nested place. They
/// are the same in every run. If only a rule in words, or the inside of an
/// opaque field, refuses an input, that is not a disagreement.
///
/// The published schema differs from the checked one in three ways, which are
/// not disagreements either: it has no limits outside ±(2⁵³−1), it does not
/// list `null` for a member that may be omitted, and an enum at its root is one
/// object, with the choice in words.
///
/// # Panics
///
/// Panics at the first disagreement, with the place, the input and both
/// verdicts; and if the type would not pass when a server is built.
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
        plain: typed(&without_notes(noted.clone())),
        published: typed(compiled.schema()),
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
    /// The schema before it took its published form.
    plain: Validator,
    published: Validator,
    noted: &'a Value,
}

impl Judge<'_> {
    fn compare(&self, variant: &Variant) -> Result<(), String> {
        let text = variant.value.to_string();
        self.compare_forms(variant, &text)?;
        let admitted = self.validator.admits(&text);
        let decoded = self.compiled.decode_strictly(Some(&text));
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

    /// Compares the published form with the schema that it was made from.
    fn compare_forms(&self, variant: &Variant, text: &str) -> Result<(), String> {
        let wider = match (self.plain.admits(text), self.published.admits(text)) {
            (true, false) => {
                let mut sparse = variant.value.clone();
                let published = self.compiled.schema();
                leave_out_null(published, published, &mut sparse);
                if self.published.admits(&sparse.to_string()) || self.has_open_root_choice() {
                    return Ok(());
                }
                false
            }
            (false, true) if self.has_root_choice() || has_large_number(&variant.value) => {
                return Ok(());
            }
            (false, true) => true,
            _ => return Ok(()),
        };
        let verdict = if wider { "more" } else { "less" };
        let shown: String = text.chars().take(300).collect();
        Err(format!(
            "`{}`: the published schema admits {verdict} than what is checked ({}).\n  input: {shown}",
            self.spec.type_name, variant.what
        ))
    }

    fn has_root_choice(&self) -> bool {
        ["oneOf", "anyOf"]
            .iter()
            .any(|keyword| self.noted.get(*keyword).is_some())
    }

    /// Whether one variant accepts unknown names that another one knows.
    fn has_open_root_choice(&self) -> bool {
        let is_open = |branch: &Value| branch.get("additionalProperties") != Some(&false.into());
        ["oneOf", "anyOf"]
            .iter()
            .any(|keyword| list(self.noted, keyword).any(is_open))
    }

    /// Whether an input is refused only by rules that the schema cannot know.
    fn is_exempt(&self, text: &str) -> bool {
        let rewritten = self.validator.coerce(text, Rewrites::default());
        let text = rewritten
            .as_ref()
            .map_or(text, |rewritten| rewritten.text.as_str());
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

fn without_notes(mut schema: Value) -> Value {
    each(&mut schema, &mut |object| {
        object.remove(NOTES);
    });
    schema
}

/// Removes the members that are `null` and not required: they count as absent.
fn leave_out_null(root: &Value, schema: &Value, value: &mut Value) {
    let schema = resolve(root, schema);
    match value {
        Value::Object(given) => {
            let properties = schema.get("properties");
            given.retain(|name, member| {
                let known = properties.is_some_and(|of| of.get(name).is_some());
                let required = list(schema, "required").any(|required| required == name);
                !member.is_null() || required || !known
            });
            for (name, member) in given.iter_mut() {
                let of_name = properties.and_then(|of| of.get(name));
                if let Some(schema) = of_name.or_else(|| schema.get("additionalProperties")) {
                    leave_out_null(root, schema, member);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let of_place = list(schema, "prefixItems").nth(index);
                if let Some(schema) = of_place.or_else(|| schema.get("items")) {
                    leave_out_null(root, schema, item);
                }
            }
        }
        _ => return,
    }
    for branch in list(schema, "anyOf") {
        leave_out_null(root, branch, value);
    }
}

/// Whether a value has a number outside the published limits.
fn has_large_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|of| of.abs() >= TWO_TO_53),
        Value::Object(members) => members.values().any(has_large_number),
        Value::Array(items) => items.iter().any(has_large_number),
        _ => false,
    }
}

/// Collects the places that only serde and garde know, as paths without
/// indexes.
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

#[cfg(test)]
#[allow(clippy::unwrap_used, dead_code)]
mod tests {
    use garde::Validate;
    use mcp_kit_macros::ToolArgs;
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;

    /// Its schema has a rule that no code checks.
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
    fn a_promise_that_is_not_kept_is_found() {
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
