//! The published schema of an argument type: schemars' output, walked together
//! with the type's shape.
//!
//! The walk adds the rules that schemars omits, removes those that garde does
//! not enforce at a place, refuses unknown names, and turns every disagreement
//! into a problem that `build()` reports. Notes for the walker are left beside
//! the keywords. The checks use this schema; clients see the form that
//! `schema::typed_input` makes of it.

mod enums;
mod keys;
mod members;
mod reach;
mod untagged;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::ArgsSpec;
use super::rules;
use super::shape::{FieldShape, Rule, Shape};
use crate::schema::text_form::words_of_format;
use crate::schema::{NOTES, describe, each, limit_problems, typed};
use crate::support::json::{Members as _, to_text};
use members::{admits_null, beside_null};

/// Keywords that no leaf type of std has.
const INNER: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "items",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "properties",
];

/// Returns the schema with notes, or the problems that the author must fix.
pub(crate) fn publish(spec: &ArgsSpec) -> Result<Value, Vec<String>> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = (spec.schema)(settings.into_generator()).to_value();
    let mut publisher = Publisher::default();
    let Some(root) = schema.as_object_mut() else {
        return Err(vec![format!(
            "`{}`: its schema is not an object",
            spec.type_name
        )]);
    };
    root.remove_member("title");
    if let Some(Value::Object(definitions)) = root.remove_member("$defs") {
        publisher.definitions = definitions;
    }
    let shape = (spec.shape)();
    let name = match resolve(shape) {
        Shape::Struct(of) => of.name,
        Shape::Enum(of) => of.name,
        _ => spec.type_name,
    };
    let at = Frame {
        at: name.to_owned(),
        rules: &[Rule::Dive],
        words: &[],
        worded: false,
        enforced: true,
        opaque: false,
    };
    publisher.schema(&mut schema, shape, &at);
    if let Some(root) = schema.as_object_mut() {
        publisher.finish_root(root, name);
    }
    each(&mut schema, &mut |object| {
        if object.member("default") == Some(&Value::Null) {
            object.remove_member("default");
        }
    });
    if publisher.problems.is_empty() {
        for problem in limit_problems(&schema) {
            publisher.problem(name, &problem);
        }
    }
    publisher.check_defaults(&schema, name);
    if publisher.problems.is_empty() {
        Ok(schema)
    } else {
        Err(publisher.problems)
    }
}

/// Returns the shape behind `Option`, `Box` and similar types.
pub(super) fn resolve(mut shape: &'static Shape) -> &'static Shape {
    while let Shape::Same(inner) | Shape::Optional(inner) | Shape::Said(_, inner) = shape {
        shape = inner();
    }
    shape
}

/// A place, and a field's rules for it.
#[derive(Clone)]
struct Frame {
    at: String,
    rules: &'static [Rule],
    words: &'static [&'static str],
    /// Whether words at the field also describe what is inside it.
    worded: bool,
    /// Whether garde reaches this place.
    enforced: bool,
    opaque: bool,
}

impl Frame {
    fn of(field: &'static FieldShape, at: String, enforced: bool) -> Self {
        let skipped = field.rules.iter().any(|rule| matches!(rule, Rule::Skip));
        Self {
            at,
            rules: field.rules,
            words: field.words,
            worded: false,
            enforced: enforced && !skipped,
            opaque: field.opaque,
        }
    }

    /// Whether garde continues into the type itself.
    fn dives(&self) -> bool {
        self.enforced && self.rules.iter().any(|rule| matches!(rule, Rule::Dive))
    }

    /// Returns the place of each item: the rules of `inner`, and whether `dive`
    /// continues.
    fn inside(&self, at: String) -> Self {
        let inner = self.rules.iter().find_map(|rule| match rule {
            Rule::Inner(rules) => Some(*rules),
            _ => None,
        });
        let rules = match inner {
            Some(rules) => rules,
            None if self.dives() => &[Rule::Dive],
            None => &[],
        };
        Self {
            at,
            rules,
            words: &[],
            worded: self.worded || !self.words.is_empty(),
            enforced: self.enforced,
            opaque: self.opaque,
        }
    }
}

#[derive(Default)]
struct Publisher {
    definitions: Map<String, Value>,
    /// The recursive types that have been walked, and whether garde reached
    /// them.
    walked: BTreeMap<String, bool>,
    problems: Vec<String>,
}

impl Publisher {
    fn problem(&mut self, at: &str, text: &str) {
        self.problems.push(format!("`{at}`: {text}"));
    }

    /// Returns a field's place, if garde reaches the rules inside its type.
    fn frame(&mut self, field: &'static FieldShape, at: String, enforced: bool) -> Frame {
        if enforced
            && !field.opaque
            && let Some(problem) = reach::problem(field)
        {
            self.problem(&at, &problem);
        }
        Frame::of(field, at, enforced)
    }

    fn finish_root(&mut self, root: &mut Map<String, Value>, name: &str) {
        match root.member("type") {
            Some(kind) if kind == "object" => {}
            None => {
                let branches = ["oneOf", "anyOf"].iter().filter_map(|k| root.get(*k)?.as_array());
                let all = branches.flatten().all(|branch| branch.at("type") == "object");
                if all {
                    root.set_member("type", "object".into());
                } else {
                    self.problem(
                        name,
                        "a tool's arguments are an object, and this enum may be something else: \
                         put it into a field of a struct",
                    );
                }
            }
            Some(_) => self.problem(
                name,
                "a tool's arguments are an object: derive `ToolArgs` for a struct with named fields",
            ),
        }
        if !self.definitions.is_empty() {
            root.insert(
                "$defs".into(),
                Value::Object(std::mem::take(&mut self.definitions)),
            );
        }
    }

    fn schema(&mut self, schema: &mut Value, shape: &'static Shape, frame: &Frame) {
        let Value::Object(object) = schema else {
            // `true`: any JSON. A rule in words still needs a description.
            if frame.opaque {
                let mut object = Map::new();
                self.opaque(&mut object, frame);
                *schema = Value::Object(object);
            } else if !frame.words.is_empty() {
                let mut object = Map::new();
                self.write_rules(&mut object, None, frame);
                *schema = Value::Object(object);
            }
            return;
        };
        if let Some(target) = object
            .member("$ref")
            .and_then(Value::as_str)
            .map(str::to_owned)
        {
            self.write_rules(object, None, frame);
            self.definition(&target, shape, frame);
            return;
        }
        if frame.opaque {
            return self.opaque(object, frame);
        }
        if let Some(inner) = beside_null(object) {
            let words = Frame {
                rules: &[],
                ..frame.clone()
            };
            let inside = Frame {
                words: &[],
                ..frame.clone()
            };
            self.schema(inner, shape, &inside);
            let said: Vec<String> = words.words.iter().map(|w| (*w).to_owned()).collect();
            describe(object, &said);
            return;
        }
        self.object(object, shape, frame);
    }

    /// Publishes a recursive type, which is under `$defs`.
    fn definition(&mut self, target: &str, shape: &'static Shape, frame: &Frame) {
        if target == "#" {
            return;
        }
        let enforced = frame.dives();
        let name = target.trim_start_matches("#/$defs/").to_owned();
        match self.walked.get(&name) {
            Some(before) if *before == enforced => return,
            Some(_) => {
                return self.problem(
                    &frame.at,
                    "a recursive type is checked at one place and not at another: \
                     write `#[garde(dive)]` at every field that leads to it",
                );
            }
            None => {
                self.walked.insert(name.clone(), enforced);
            }
        }
        if let Some(mut definition) = self.definitions.remove(&name) {
            if let Some(object) = definition.as_object_mut() {
                object.remove_member("title");
            }
            let inside = Frame {
                at: name.clone(),
                rules: if enforced { &[Rule::Dive] } else { &[] },
                words: &[],
                ..frame.clone()
            };
            self.schema(&mut definition, shape, &inside);
            self.definitions.insert(name, definition);
        }
    }

    fn object(&mut self, object: &mut Map<String, Value>, shape: &'static Shape, frame: &Frame) {
        if frame.opaque {
            return self.opaque(object, frame);
        }
        match shape {
            Shape::Same(inner) | Shape::Optional(inner) => self.same(object, inner(), frame),
            Shape::Newtype(field) => {
                if frame
                    .rules
                    .iter()
                    .any(|rule| !matches!(rule, Rule::Dive | Rule::Skip))
                {
                    self.problem(
                        &frame.at,
                        "rules on a newtype belong on the newtype's own field: move them there, \
                         and write `#[garde(dive)]` here",
                    );
                }
                let inside = self.frame(field, frame.at.clone(), frame.dives());
                self.object(object, (field.shape)(), &inside);
                let said: Vec<String> = frame.words.iter().map(|w| (*w).to_owned()).collect();
                describe(object, &said);
            }
            Shape::Leaf => {
                // A type that is opaque as a whole, or any JSON.
                let opaque = INNER.iter().any(|keyword| object.contains_key(*keyword));
                self.write_rules(object, Some(shape), frame);
                if opaque {
                    note(object, "opaque", true.into());
                }
            }
            Shape::Scalar { format, .. } => {
                self.write_rules(object, Some(shape), frame);
                if *format == Some("float") {
                    note(object, "single", true.into());
                }
            }
            Shape::Text(_) => self.write_rules(object, Some(shape), frame),
            Shape::Said(words, inner) => {
                self.object(object, inner(), frame);
                describe(object, &[(*words).to_owned()]);
                note(object, "says", (*words).into());
            }
            Shape::List(item) | Shape::Array(_, item) | Shape::Set(item) => {
                self.write_rules(object, Some(shape), frame);
                let inside = frame.inside(format!("{}[]", frame.at));
                if let Some(items) = object.member_mut("items") {
                    self.schema(items, item(), &inside);
                }
            }
            Shape::Map(key, value) => self.map(object, shape, (key(), value()), frame),
            Shape::Tuple(fields) => {
                self.write_rules(object, Some(shape), frame);
                self.tuple(object, fields, frame);
            }
            Shape::Struct(of) => {
                let enforced = frame.dives();
                self.write_rules(object, Some(shape), frame);
                let said: Vec<String> = of.words.iter().map(|w| (*w).to_owned()).collect();
                describe(object, if enforced { &said } else { &[] });
                self.structure(object, of, enforced, &frame.at);
            }
            Shape::Enum(of) => {
                let enforced = frame.dives();
                self.write_rules(object, Some(shape), frame);
                self.enumeration(object, of, enforced, &frame.at);
            }
        }
    }

    /// Publishes a place that only serde and garde check. Their own texts are
    /// never shown, so a report uses the author's words, or otherwise the
    /// meaning of the format.
    fn opaque(&mut self, object: &mut Map<String, Value>, frame: &Frame) {
        let format = object.text("format");
        let says = match frame.words {
            [] => format.and_then(words_of_format).map(str::to_owned),
            words => Some(words.join(", ")),
        };
        self.write_rules(object, None, frame);
        if !frame.enforced {
            let said: Vec<String> = frame.words.iter().map(|w| (*w).to_owned()).collect();
            describe(object, &said);
        }
        note(object, "opaque", true.into());
        if let Some(says) = says {
            note(object, "says", says.into());
        }
    }

    /// Publishes `Option` and `Box`, which are the same place. Only `Option` is
    /// a level for `inner`.
    fn same(&mut self, object: &mut Map<String, Value>, shape: &'static Shape, frame: &Frame) {
        let optional = admits_null(object)
            || frame
                .rules
                .iter()
                .any(|rule| matches!(rule, Rule::Required));
        let inner = frame
            .rules
            .iter()
            .any(|rule| matches!(rule, Rule::Inner(_)));
        if !(optional && inner) {
            return self.object(object, shape, frame);
        }
        let inside = frame.inside(frame.at.clone());
        // schemars puts the rules of `inner` on the items of an optional list.
        if let Some(items) = object.member_mut("items").and_then(Value::as_object_mut) {
            rules::take_out(items, inside.rules);
        }
        self.object(
            object,
            shape,
            &Frame {
                words: frame.words,
                ..inside
            },
        );
    }

    fn write_rules(
        &mut self,
        object: &mut Map<String, Value>,
        shape: Option<&'static Shape>,
        frame: &Frame,
    ) {
        let place = rules::Place {
            schema: object,
            rules: frame.rules,
            words: frame.words,
            worded: frame.worded,
            enforced: frame.enforced,
            opaque: frame.opaque,
            shape,
            at: &frame.at,
        };
        self.problems.extend(place.write());
    }

    fn tuple(
        &mut self,
        object: &mut Map<String, Value>,
        fields: &'static [FieldShape],
        frame: &Frame,
    ) {
        let enforced = frame.dives();
        let fields: Vec<_> = fields.iter().filter(|field| !field.skipped).collect();
        // serde fills in missing fields at the end.
        if let Some(last) = fields.last()
            && last.default
        {
            let needed = fields.iter().rposition(|field| !field.default);
            object.set_member("minItems", needed.map_or(0, |last| last + 1).into());
        }
        let items = object
            .member_mut("prefixItems")
            .and_then(Value::as_array_mut);
        for (schema, field) in items.into_iter().flatten().zip(fields) {
            let inside = self.frame(field, format!("{}[{}]", frame.at, field.rust), enforced);
            self.schema(schema, (field.shape)(), &inside);
        }
    }

    /// Reports a default that breaks its own rules, which would fail every call
    /// without the argument.
    fn check_defaults(&mut self, schema: &Value, name: &str) {
        let mut broken = Vec::new();
        each(&mut schema.clone(), &mut |object| {
            for (property, schema) in object.at("properties").each() {
                let Some(default) = schema.member("default") else {
                    continue;
                };
                let plain = !default.is_object() && schema.member("$ref").is_none();
                if plain && !typed(schema).admits(&to_text(default)) {
                    broken.push(property.clone());
                }
            }
        });
        for property in broken {
            self.problem(
                name,
                &format!(
                    "the default of {property:?} breaks the rules that it has itself, so a call \
                     without it would fail: change one of them"
                ),
            );
        }
    }
}

fn note(object: &mut Map<String, Value>, key: &str, value: Value) {
    let Some(notes) = object.member_or(NOTES, json!({})) else {
        return;
    };
    match (notes.member_mut(key).and_then(Value::as_object_mut), value) {
        (Some(before), Value::Object(more)) => before.extend(more),
        (_, value) => {
            notes.set_member(key, value);
        }
    }
}
