//! The published schema of an argument type: what schemars wrote, walked
//! together with the type's shape.
//!
//! On the way the rules that schemars leaves out are put in, those that garde
//! does not enforce at a place are taken out, unknown names are refused, and
//! every disagreement becomes a problem that `build()` reports. Notes for the
//! walker are left beside the keywords; `strip` takes them out again.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::ArgsSpec;
use super::rules::{self, describe};
use super::shape::{
    EnumShape, FieldShape, Repr, Rule, Shape, StructShape, VariantKind, VariantShape,
};
use crate::schema::{NOTES, each, typed};

/// Keywords that no leaf of std's has.
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

/// The schema with notes, or what has to be mended.
pub(crate) fn publish(spec: &ArgsSpec) -> Result<Value, Vec<String>> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = (spec.schema)(settings.into_generator()).to_value();
    let mut publisher = Publisher::default();
    let Some(root) = schema.as_object_mut() else {
        return Err(vec![format!(
            "`{}`: its schema is no object",
            spec.type_name
        )]);
    };
    root.remove("title");
    if let Some(Value::Object(definitions)) = root.remove("$defs") {
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
        enforced: true,
        opaque: false,
    };
    publisher.schema(&mut schema, shape, &at);
    if let Some(root) = schema.as_object_mut() {
        publisher.finish_root(root, name);
    }
    each(&mut schema, &mut |object| {
        if object.get("default") == Some(&Value::Null) {
            object.remove("default");
        }
    });
    publisher.check_defaults(&schema, name);
    if publisher.problems.is_empty() {
        Ok(schema)
    } else {
        Err(publisher.problems)
    }
}

/// The schema as clients see it.
pub(super) fn strip(mut schema: Value) -> Value {
    each(&mut schema, &mut |object| {
        object.remove(NOTES);
    });
    schema
}

/// The shape behind `Option`, `Box` and their like.
pub(super) fn resolve(mut shape: &'static Shape) -> &'static Shape {
    while let Shape::Same(inner) = shape {
        shape = inner();
    }
    shape
}

/// A place and the rules that a field has there.
#[derive(Clone)]
struct Frame {
    at: String,
    rules: &'static [Rule],
    words: &'static [&'static str],
    /// Whether garde gets here.
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
            enforced: enforced && !skipped,
            opaque: field.opaque,
        }
    }

    /// Whether garde goes on into the type itself.
    fn dives(&self) -> bool {
        self.enforced && self.rules.iter().any(|rule| matches!(rule, Rule::Dive))
    }

    /// The place of each item: what `inner` says, and `dive` goes on.
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
            enforced: self.enforced,
            opaque: self.opaque,
        }
    }
}

#[derive(Default)]
struct Publisher {
    definitions: Map<String, Value>,
    /// The recursive types that have been walked, and whether garde got there.
    walked: BTreeMap<String, bool>,
    problems: Vec<String>,
}

impl Publisher {
    fn problem(&mut self, at: &str, text: &str) {
        self.problems.push(format!("`{at}`: {text}"));
    }

    fn finish_root(&mut self, root: &mut Map<String, Value>, name: &str) {
        match root.get("type") {
            Some(kind) if kind == "object" => {}
            None => {
                let branches = ["oneOf", "anyOf"].iter().filter_map(|k| root.get(*k)?.as_array());
                let all = branches.flatten().all(|branch| branch.get("type") == Some(&json!("object")));
                if all {
                    root.insert("type".into(), "object".into());
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
            // `true`: any JSON. A rule in words still wants a description.
            if !frame.words.is_empty() {
                let mut object = Map::new();
                self.write_rules(&mut object, frame);
                *schema = Value::Object(object);
            }
            return;
        };
        if let Some(target) = object
            .get("$ref")
            .and_then(Value::as_str)
            .map(str::to_owned)
        {
            self.write_rules(object, frame);
            self.definition(&target, shape, frame);
            return;
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

    /// A recursive type, which stands under `$defs`.
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
                object.remove("title");
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
            self.write_rules(object, frame);
            return note(object, "opaque", true.into());
        }
        match shape {
            Shape::Same(inner) => self.same(object, inner(), frame),
            Shape::Newtype(field) => {
                if frame
                    .rules
                    .iter()
                    .any(|rule| !matches!(rule, Rule::Dive | Rule::Skip))
                {
                    self.problem(
                        &frame.at,
                        "rules on a newtype stand on the newtype's own field: move them there,                          and write `#[garde(dive)]` here",
                    );
                }
                let inside = Frame::of(field, frame.at.clone(), frame.dives());
                self.object(object, (field.shape)(), &inside);
                let said: Vec<String> = frame.words.iter().map(|w| (*w).to_owned()).collect();
                describe(object, &said);
            }
            Shape::Leaf => {
                // A type that is opaque as a whole, or any JSON.
                let opaque = INNER.iter().any(|keyword| object.contains_key(*keyword));
                self.write_rules(object, frame);
                if opaque {
                    note(object, "opaque", true.into());
                }
            }
            Shape::List(item) | Shape::Set(item) => {
                self.write_rules(object, frame);
                let inside = frame.inside(format!("{}[]", frame.at));
                if let Some(items) = object.get_mut("items") {
                    self.schema(items, item(), &inside);
                }
            }
            Shape::Map(value) => {
                self.write_rules(object, frame);
                let inside = frame.inside(format!("{}[…]", frame.at));
                if let Some(rest) = object.get_mut("additionalProperties")
                    && rest.is_object()
                {
                    self.schema(rest, value(), &inside);
                }
                for keyword in ["properties", "patternProperties"] {
                    let schemas = object.get_mut(keyword).and_then(Value::as_object_mut);
                    for (_, schema) in schemas.into_iter().flatten() {
                        self.schema(schema, value(), &inside);
                    }
                }
            }
            Shape::Tuple(fields) => {
                self.write_rules(object, frame);
                self.tuple(object, fields, frame);
            }
            Shape::Struct(of) => {
                let enforced = frame.dives();
                self.write_rules(object, frame);
                let said: Vec<String> = of.words.iter().map(|w| (*w).to_owned()).collect();
                describe(object, if enforced { &said } else { &[] });
                self.structure(object, of, enforced, &frame.at);
            }
            Shape::Enum(of) => {
                let enforced = frame.dives();
                self.write_rules(object, frame);
                self.enumeration(object, of, enforced, &frame.at);
            }
        }
    }

    /// `Option` and `Box`: the same place. Only `Option` is a level for `inner`.
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
        // schemars puts what `inner` says on the items of an optional list.
        let misplaced = Frame {
            rules: inside.rules,
            enforced: false,
            ..inside.clone()
        };
        if let Some(items) = object.get_mut("items").and_then(Value::as_object_mut) {
            self.write_rules(items, &misplaced);
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

    fn write_rules(&mut self, object: &mut Map<String, Value>, frame: &Frame) {
        let place = rules::Place {
            schema: object,
            rules: frame.rules,
            words: frame.words,
            enforced: frame.enforced,
            opaque: frame.opaque,
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
        let items = object.get_mut("prefixItems").and_then(Value::as_array_mut);
        let fields = fields.iter().filter(|field| !field.skipped);
        for (schema, field) in items.into_iter().flatten().zip(fields) {
            let inside = Frame::of(field, format!("{}[{}]", frame.at, field.rust), enforced);
            self.schema(schema, (field.shape)(), &inside);
        }
    }

    fn structure(
        &mut self,
        object: &mut Map<String, Value>,
        of: &'static StructShape,
        enforced: bool,
        at: &str,
    ) {
        let fields = Fields {
            of: of.fields,
            allow_unknown: of.allow_unknown,
            tag: None,
        };
        self.fields(object, &fields, enforced, at);
    }

    /// The members of an object, flattened ones among them.
    fn fields(
        &mut self,
        object: &mut Map<String, Value>,
        fields: &Fields,
        enforced: bool,
        at: &str,
    ) {
        let mut seen = Members::default();
        seen.names.extend(fields.tag.map(str::to_owned));
        self.members(object, fields.of, enforced, at, &mut seen);
        let properties = object.get("properties").and_then(Value::as_object);
        let strangers: Vec<String> = properties
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| !seen.names.contains(*name) && !seen.opaque)
            .cloned()
            .collect();
        for name in strangers {
            self.problem(
                at,
                &format!(
                    "the schema has a property {name:?} that serde does not read: \
                     name the field in `#[serde(rename = …)]`, for both"
                ),
            );
        }
        object.entry("properties").or_insert_with(|| json!({}));
        if !seen.aliases.is_empty() {
            note(object, "aliases", Value::Object(seen.aliases));
        }
        if let Some((shape, enforced)) = seen.flat_enum {
            self.distribute(object, shape, fields.allow_unknown, enforced, at);
        } else if !fields.allow_unknown && !seen.open {
            object.insert("additionalProperties".into(), false.into());
        } else if fields.allow_unknown && object.get("additionalProperties") == Some(&json!(false))
        {
            self.problem(
                at,
                "`#[serde(deny_unknown_fields)]` and `#[tool_args(allow_unknown)]` contradict \
                 each other: drop one",
            );
        }
    }

    fn members(
        &mut self,
        object: &mut Map<String, Value>,
        fields: &'static [FieldShape],
        enforced: bool,
        at: &str,
        seen: &mut Members,
    ) {
        for field in fields.iter().filter(|field| !field.skipped) {
            let place = format!("{at}.{}", field.rust);
            if field.flatten {
                self.flattened(object, field, enforced, &place, seen);
                continue;
            }
            let frame = Frame::of(field, place, enforced);
            let required = enforced
                && field
                    .rules
                    .iter()
                    .any(|rule| matches!(rule, Rule::Required));
            if required {
                require(object, field.wire);
            }
            seen.names.insert(field.wire.to_owned());
            for alias in field.aliases {
                seen.aliases.insert((*alias).to_owned(), field.wire.into());
            }
            let properties = object.get_mut("properties").and_then(Value::as_object_mut);
            match properties.and_then(|properties| properties.get_mut(field.wire)) {
                Some(schema) => self.schema(schema, (field.shape)(), &frame),
                None => self.problem(
                    &frame.at,
                    &format!(
                        "serde reads it as {:?}, and the schema has no such property: \
                         take `#[schemars(rename)]` or `#[schemars(skip)]` off it",
                        field.wire
                    ),
                ),
            }
        }
    }

    fn flattened(
        &mut self,
        object: &mut Map<String, Value>,
        field: &'static FieldShape,
        enforced: bool,
        at: &str,
        seen: &mut Members,
    ) {
        let frame = Frame::of(field, at.to_owned(), enforced);
        if field.opaque {
            seen.opaque = true;
            seen.open = true;
            return;
        }
        let shape = (field.shape)();
        match resolve(shape) {
            Shape::Leaf => seen.open = true,
            Shape::Map(value) => {
                seen.open = true;
                if let Some(rest) = object
                    .get_mut("additionalProperties")
                    .filter(|r| r.is_object())
                {
                    self.schema(rest, value(), &frame.inside(format!("{at}[…]")));
                }
            }
            // serde gives `None` for a flattened part that is wrong inside.
            _ if matches!(shape, Shape::Same(_)) && is_optional(object, shape) => self.problem(
                at,
                "a flattened `Option` swallows every mistake inside it: flatten the struct itself \
                 and make its fields optional, or do not flatten it",
            ),
            Shape::Struct(of) => {
                self.members(object, of.fields, frame.dives(), at, seen);
                seen.open |= of.allow_unknown;
            }
            Shape::Enum(of) if seen.flat_enum.is_none() => {
                seen.flat_enum = Some((of, frame.dives()));
            }
            _ => self.problem(
                at,
                "this cannot be flattened: a struct, a map, or one enum per struct can",
            ),
        }
    }

    /// A flattened enum: every alternative gets all the members, so that each
    /// can refuse what is unknown to it.
    fn distribute(
        &mut self,
        object: &mut Map<String, Value>,
        of: &'static EnumShape,
        allow_unknown: bool,
        enforced: bool,
        at: &str,
    ) {
        let mut part = Map::new();
        for keyword in ["oneOf", "anyOf", "unevaluatedProperties"] {
            part.extend(
                object
                    .remove(keyword)
                    .map(|value| (keyword.to_owned(), value)),
            );
        }
        part.remove("unevaluatedProperties");
        self.enumeration(&mut part, of, enforced, at);
        let shared = object.remove("properties").unwrap_or_else(|| json!({}));
        let required = object.remove("required").unwrap_or_else(|| json!([]));
        let notes = object.remove(NOTES);
        object.remove("additionalProperties");
        for keyword in ["oneOf", "anyOf"] {
            let branches = part.get_mut(keyword).and_then(Value::as_array_mut);
            for branch in branches
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                merge(branch, "properties", &shared);
                merge(branch, "required", &required);
                if let Some(aliases) = notes.as_ref().and_then(|notes| notes.get("aliases")) {
                    note(branch, "aliases", aliases.clone());
                }
                branch.insert("type".into(), "object".into());
                if allow_unknown {
                    branch.remove("additionalProperties");
                } else {
                    branch.insert("additionalProperties".into(), false.into());
                }
            }
        }
        object.append(&mut part);
    }

    fn enumeration(
        &mut self,
        object: &mut Map<String, Value>,
        of: &'static EnumShape,
        enforced: bool,
        at: &str,
    ) {
        if let Repr::External = of.repr
            && let Some(values) = object.get("enum").and_then(Value::as_array).cloned()
        {
            return self.plain_enum(object, of, &values, at);
        }
        let keyword = if object.contains_key("oneOf") {
            "oneOf"
        } else {
            "anyOf"
        };
        let Some(Value::Array(mut branches)) = object.remove(keyword) else {
            return self.problem(at, "its schema does not list the enum's variants");
        };
        for (index, variant) in of.variants.iter().enumerate() {
            let place = format!("{at}.{}", variant.rust);
            let found = match &of.repr {
                Repr::Untagged => branches.get_mut(index),
                Repr::External => branches
                    .iter_mut()
                    .find(|branch| names_key(branch, variant.wire)),
                Repr::Internal { tag } | Repr::Adjacent { tag, .. } => branches
                    .iter_mut()
                    .find(|branch| tag_is(branch, tag, variant.wire)),
            };
            match found.and_then(Value::as_object_mut) {
                Some(branch) => self.variant(branch, variant, &of.repr, enforced, &place),
                None => self.problem(
                    &place,
                    &format!(
                        "serde reads it as {:?}, and the schema has no such variant: \
                         take `#[schemars(rename)]` or `#[schemars(skip)]` off it",
                        variant.wire
                    ),
                ),
            }
        }
        object.insert(keyword.into(), branches.into());
    }

    /// An enum that is a string with a list of values.
    fn plain_enum(
        &mut self,
        object: &mut Map<String, Value>,
        of: &'static EnumShape,
        values: &[Value],
        at: &str,
    ) {
        let mut accepted = Vec::new();
        for variant in of.variants {
            if !values.iter().any(|value| value == variant.wire) {
                self.problem(
                    &format!("{at}.{}", variant.rust),
                    &format!(
                        "serde reads it as {:?}, and the schema does not list it",
                        variant.wire
                    ),
                );
            }
            accepted.extend(variant.aliases.iter().map(|alias| Value::from(*alias)));
        }
        if !accepted.is_empty() {
            note(object, "accepted", accepted.into());
        }
    }

    fn variant(
        &mut self,
        branch: &mut Map<String, Value>,
        variant: &'static VariantShape,
        repr: &Repr,
        enforced: bool,
        at: &str,
    ) {
        let accepted: Vec<Value> = variant
            .aliases
            .iter()
            .map(|alias| (*alias).into())
            .collect();
        match repr {
            Repr::Untagged => self.kind(branch, variant, None, enforced, at),
            Repr::External => {
                let properties = branch.get_mut("properties").and_then(Value::as_object_mut);
                if let Some(content) = properties.and_then(|p| p.get_mut(variant.wire)) {
                    self.content(content, variant, enforced, at);
                    let aliases: Map<String, Value> = variant
                        .aliases
                        .iter()
                        .map(|a| ((*a).into(), variant.wire.into()))
                        .collect();
                    if !aliases.is_empty() {
                        note(branch, "aliases", aliases.into());
                    }
                    branch.insert("additionalProperties".into(), false.into());
                } else if !accepted.is_empty() {
                    note_more(branch, "accepted", accepted);
                }
            }
            Repr::Internal { tag } => {
                accept_tag(branch, tag, accepted);
                self.kind(branch, variant, Some(tag), enforced, at);
            }
            Repr::Adjacent { tag, content } => {
                accept_tag(branch, tag, accepted);
                branch.insert("additionalProperties".into(), false.into());
                let properties = branch.get_mut("properties").and_then(Value::as_object_mut);
                if let Some(content) = properties.and_then(|p| p.get_mut(*content)) {
                    self.content(content, variant, enforced, at);
                }
            }
        }
    }

    /// A variant's content that has a place of its own.
    fn content(
        &mut self,
        schema: &mut Value,
        variant: &'static VariantShape,
        enforced: bool,
        at: &str,
    ) {
        if let VariantKind::Newtype(field) = &variant.kind {
            let frame = Frame::of(field, at.to_owned(), enforced);
            return self.schema(schema, (field.shape)(), &frame);
        }
        if let Some(object) = schema.as_object_mut() {
            self.kind(object, variant, None, enforced, at);
        }
    }

    /// A variant's content, at the variant's own place.
    fn kind(
        &mut self,
        object: &mut Map<String, Value>,
        variant: &'static VariantShape,
        tag: Option<&'static str>,
        enforced: bool,
        at: &str,
    ) {
        match &variant.kind {
            VariantKind::Unit => {
                if tag.is_some() {
                    object.insert("additionalProperties".into(), false.into());
                }
            }
            VariantKind::Struct(fields) => {
                let fields = Fields {
                    of: fields,
                    allow_unknown: false,
                    tag,
                };
                self.fields(object, &fields, enforced, at);
            }
            VariantKind::Tuple(fields) => {
                let rules: &'static [Rule] = if enforced { &[Rule::Dive] } else { &[] };
                let frame = Frame {
                    at: at.to_owned(),
                    rules,
                    words: &[],
                    enforced,
                    opaque: false,
                };
                self.write_rules(object, &frame);
                self.tuple(object, fields, &frame);
            }
            VariantKind::Newtype(field) => {
                let frame = Frame::of(field, at.to_owned(), enforced);
                match (tag, resolve((field.shape)())) {
                    (None, _) if object.contains_key("$ref") => {
                        let target = object.get("$ref").and_then(Value::as_str);
                        let target = target.unwrap_or_default().to_owned();
                        self.definition(&target, (field.shape)(), &frame);
                    }
                    (None, _) => self.object(object, (field.shape)(), &frame),
                    (Some(_), _) if object.contains_key("$ref") => self.problem(
                        at,
                        "a recursive type inside an internally tagged enum cannot refuse unknown \
                         names: write its fields into the variant",
                    ),
                    (Some(tag), Shape::Struct(of)) => {
                        let fields = Fields {
                            of: of.fields,
                            allow_unknown: of.allow_unknown,
                            tag: Some(tag),
                        };
                        self.fields(object, &fields, frame.dives(), at);
                    }
                    (Some(_), Shape::Map(_)) => {}
                    (Some(_), _) => {
                        object.insert("additionalProperties".into(), false.into());
                    }
                }
            }
        }
    }

    /// A default that breaks its own rules would fail every call without it.
    fn check_defaults(&mut self, schema: &Value, name: &str) {
        let mut broken = Vec::new();
        each(&mut schema.clone(), &mut |object| {
            let properties = object.get("properties").and_then(Value::as_object);
            for (property, schema) in properties.into_iter().flatten() {
                let Some(default) = schema.get("default") else {
                    continue;
                };
                let plain = !default.is_object() && schema.get("$ref").is_none();
                if plain && !typed(schema).admits(&default.to_string()) {
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

/// The fields of a struct or of a variant.
struct Fields {
    of: &'static [FieldShape],
    allow_unknown: bool,
    /// The member that names the variant.
    tag: Option<&'static str>,
}

/// What the members of an object turned out to be.
#[derive(Default)]
struct Members {
    names: BTreeSet<String>,
    aliases: Map<String, Value>,
    /// A flattened map or any JSON takes what is left.
    open: bool,
    /// A flattened part of which nothing is known.
    opaque: bool,
    flat_enum: Option<(&'static EnumShape, bool)>,
}

/// The other schema where one is `null`: an optional enum or recursive type.
fn beside_null(object: &mut Map<String, Value>) -> Option<&mut Value> {
    let branches = object.get_mut("anyOf")?.as_array_mut()?;
    match branches.as_mut_slice() {
        [inner, null] if null.get("type") == Some(&json!("null")) => Some(inner),
        _ => None,
    }
}

fn admits_null(object: &Map<String, Value>) -> bool {
    object
        .get("type")
        .and_then(Value::as_array)
        .is_some_and(|types| types.contains(&json!("null")))
}

/// Whether a flattened part was an `Option`: schemars drops `required` then.
fn is_optional(object: &Map<String, Value>, shape: &'static Shape) -> bool {
    let Shape::Struct(of) = resolve(shape) else {
        let branches = object.get("anyOf").and_then(Value::as_array);
        return branches.is_some_and(|branches| branches.contains(&json!({})));
    };
    let required = object.get("required").and_then(Value::as_array);
    let required = |name: &str| required.is_some_and(|list| list.iter().any(|n| n == name));
    !of.fields.is_empty() && !of.fields.iter().any(|field| required(field.wire))
}

fn names_key(branch: &Value, wire: &str) -> bool {
    branch.get("const").is_some_and(|value| value == wire)
        || branch
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|v| v.iter().any(|v| v == wire))
        || branch
            .get("properties")
            .is_some_and(|properties| properties.get(wire).is_some())
}

fn tag_is(branch: &Value, tag: &str, wire: &str) -> bool {
    let tag = branch
        .get("properties")
        .and_then(|properties| properties.get(tag));
    tag.and_then(|tag| tag.get("const"))
        .is_some_and(|value| value == wire)
}

fn accept_tag(branch: &mut Map<String, Value>, tag: &str, accepted: Vec<Value>) {
    let properties = branch.get_mut("properties").and_then(Value::as_object_mut);
    let tag = properties.and_then(|properties| properties.get_mut(tag));
    if let Some(tag) = tag.and_then(Value::as_object_mut)
        && !accepted.is_empty()
    {
        note_more(tag, "accepted", accepted);
    }
}

fn note(object: &mut Map<String, Value>, key: &str, value: Value) {
    let notes = object.entry(NOTES).or_insert_with(|| json!({}));
    match (notes.get_mut(key).and_then(Value::as_object_mut), value) {
        (Some(before), Value::Object(more)) => before.extend(more),
        (_, value) => {
            if let Some(notes) = notes.as_object_mut() {
                notes.insert(key.to_owned(), value);
            }
        }
    }
}

fn note_more(object: &mut Map<String, Value>, key: &str, mut more: Vec<Value>) {
    let before = object
        .get(NOTES)
        .and_then(|notes| notes.get(key))
        .and_then(Value::as_array);
    more.extend(before.into_iter().flatten().cloned());
    note(object, key, more.into());
}

fn require(object: &mut Map<String, Value>, name: &str) {
    let required = object.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut()
        && !required.iter().any(|known| known == name)
    {
        required.push(name.into());
    }
}

fn merge(branch: &mut Map<String, Value>, keyword: &str, shared: &Value) {
    match (branch.get_mut(keyword), shared) {
        (Some(Value::Object(own)), Value::Object(shared)) => {
            for (name, schema) in shared {
                own.entry(name.clone()).or_insert_with(|| schema.clone());
            }
        }
        (Some(Value::Array(own)), Value::Array(shared)) => {
            let mut all = shared.clone();
            all.retain(|name| !own.contains(name));
            all.append(own);
            *own = all;
        }
        (Some(_), _) => {}
        (None, shared) => {
            branch.insert(keyword.to_owned(), shared.clone());
        }
    }
}
