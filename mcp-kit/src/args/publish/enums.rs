//! Enums in the published schema, in each of serde's representations.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::members::Fields;
use super::{Frame, Publisher, note, resolve};
use crate::args::shape::{EnumShape, Repr, Rule, Shape, VariantKind, VariantShape};
use crate::schema::NOTES;
use crate::support::json::Members as _;

impl Publisher {
    pub(super) fn enumeration(
        &mut self,
        object: &mut Map<String, Value>,
        of: &'static EnumShape,
        enforced: bool,
        at: &str,
    ) {
        self.own_variant_names(of, at);
        if let Repr::External = of.repr
            && let Some(values) = object.member("enum").and_then(Value::as_array).cloned()
        {
            return self.plain_enum(object, of, &values, at);
        }
        let keyword = if object.has("oneOf") {
            "oneOf"
        } else {
            "anyOf"
        };
        let Some(Value::Array(mut branches)) = object.remove_member(keyword) else {
            return self.problem(at, "its schema does not list the enum's variants");
        };
        let order: Vec<Value> = of.variants.iter().map(|of| of.wire.into()).collect();
        note(object, "order", order.into());
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
        if let (Repr::Untagged, true) = (&of.repr, enforced) {
            self.untagged_forms(of, &branches, at);
        }
        object.set_member(keyword, branches.into());
    }

    /// Checks that every name and alias leads to one variant.
    fn own_variant_names(&mut self, of: &'static EnumShape, at: &str) {
        if let Repr::Untagged = of.repr {
            return;
        }
        let mut owners = BTreeMap::new();
        for variant in of.variants {
            for name in std::iter::once(&variant.wire).chain(variant.aliases) {
                if let Some(other) = owners.insert(*name, variant.rust) {
                    self.problem(
                        &format!("{at}.{}", variant.rust),
                        &format!("{name:?} is also a name of `{other}`: rename one of the two"),
                    );
                }
            }
        }
    }

    /// Publishes an enum that is a string with a list of values.
    pub(super) fn plain_enum(
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

    pub(super) fn variant(
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
                let properties = branch
                    .member_mut("properties")
                    .and_then(Value::as_object_mut);
                if let Some(content) = properties.and_then(|p| p.get_mut(variant.wire)) {
                    self.content(content, variant, enforced, at);
                    let mut aliases = Map::new();
                    let all = variant.aliases.iter();
                    aliases.extend(all.map(|a| ((*a).to_owned(), Value::from(variant.wire))));
                    if !aliases.is_empty() {
                        note(branch, "aliases", aliases.into());
                    }
                    branch.set_member("additionalProperties", false.into());
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
                branch.set_member("additionalProperties", false.into());
                let properties = branch
                    .member_mut("properties")
                    .and_then(Value::as_object_mut);
                if let Some(content) = properties.and_then(|p| p.get_mut(*content)) {
                    self.content(content, variant, enforced, at);
                }
            }
        }
    }

    /// Publishes a variant's content that has its own place.
    pub(super) fn content(
        &mut self,
        schema: &mut Value,
        variant: &'static VariantShape,
        enforced: bool,
        at: &str,
    ) {
        if let VariantKind::Newtype(field) = &variant.kind {
            let frame = self.frame(field, at.to_owned(), enforced);
            return self.schema(schema, (field.shape)(), &frame);
        }
        if let Some(object) = schema.as_object_mut() {
            self.kind(object, variant, None, enforced, at);
        }
    }

    /// Publishes a variant's content at the variant's own place.
    pub(super) fn kind(
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
                    object.set_member("additionalProperties", false.into());
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
                    worded: false,
                    enforced,
                    opaque: false,
                };
                self.write_rules(object, None, &frame);
                self.tuple(object, fields, &frame);
            }
            VariantKind::Newtype(field) => {
                let frame = self.frame(field, at.to_owned(), enforced);
                match (tag, resolve((field.shape)())) {
                    (None, _) if object.has("$ref") => {
                        let target = object.text("$ref");
                        let target = target.unwrap_or_default().to_owned();
                        self.definition(&target, (field.shape)(), &frame);
                    }
                    (None, _) => self.object(object, (field.shape)(), &frame),
                    (Some(_), _) if object.has("$ref") => self.problem(
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
                    (Some(_), Shape::Map(..)) => {}
                    (Some(_), _) => {
                        object.set_member("additionalProperties", false.into());
                    }
                }
            }
        }
    }
}

fn names_key(branch: &Value, wire: &str) -> bool {
    branch.member("const").is_some_and(|value| value == wire)
        || branch
            .member("enum")
            .and_then(Value::as_array)
            .is_some_and(|v| v.iter().any(|v| v == wire))
        || branch
            .member("properties")
            .is_some_and(|properties| properties.get(wire).is_some())
}

fn tag_is(branch: &Value, tag: &str, wire: &str) -> bool {
    let tag = branch
        .member("properties")
        .and_then(|properties| properties.get(tag));
    tag.and_then(|tag| tag.member("const"))
        .is_some_and(|value| value == wire)
}

fn accept_tag(branch: &mut Map<String, Value>, tag: &str, accepted: Vec<Value>) {
    let properties = branch
        .member_mut("properties")
        .and_then(Value::as_object_mut);
    let tag = properties.and_then(|properties| properties.get_mut(tag));
    if let Some(tag) = tag.and_then(Value::as_object_mut)
        && !accepted.is_empty()
    {
        note_more(tag, "accepted", accepted);
    }
}

fn note_more(object: &mut Map<String, Value>, key: &str, mut more: Vec<Value>) {
    let before = object
        .get(NOTES)
        .and_then(|notes| notes.member(key))
        .and_then(Value::as_array);
    more.extend(before.into_iter().flatten().cloned());
    note(object, key, more.into());
}
