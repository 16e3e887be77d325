//! The members of an object in the published schema, including flattened ones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Publisher, note, resolve};
use crate::args::shape::{EnumShape, FieldShape, Rule, Shape, StructShape};
use crate::schema::NOTES;
use crate::support::json::Members as _;

impl Publisher {
    pub(super) fn structure(
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

    /// Publishes the members of an object, including flattened ones.
    pub(super) fn fields(
        &mut self,
        object: &mut Map<String, Value>,
        fields: &Fields,
        enforced: bool,
        at: &str,
    ) {
        let tag = fields.tag.map(|tag| (tag, format!("{at}'s tag")));
        if !self.has_own_names(fields.of, at, &mut tag.into_iter().collect()) {
            return;
        }
        let mut seen = Members::default();
        seen.names.extend(fields.tag.map(str::to_owned));
        self.members(object, fields.of, enforced, at, &mut seen);
        let properties = object.member("properties").and_then(Value::as_object);
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
        object.member_or("properties", json!({}));
        if !seen.aliases.is_empty() {
            note(object, "aliases", Value::Object(seen.aliases));
        }
        if let Some((shape, enforced)) = seen.flat_enum {
            self.distribute(object, shape, fields.allow_unknown, enforced, at);
        } else if !fields.allow_unknown && !seen.open {
            object.set_member("additionalProperties", false.into());
        } else if fields.allow_unknown && object.at("additionalProperties") == false {
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
            let frame = self.frame(field, place, enforced);
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
            let properties = object
                .member_mut("properties")
                .and_then(Value::as_object_mut);
            match properties.and_then(|properties| properties.get_mut(field.wire)) {
                Some(schema) => {
                    self.schema(schema, (field.shape)(), &frame);
                    if let Some(object) = schema.as_object_mut()
                        && is_option_in_option((field.shape)())
                    {
                        note(object, "null", true.into());
                    }
                }
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

    /// Checks that every name and alias leads to one field, including flattened
    /// ones.
    fn has_own_names(
        &mut self,
        fields: &'static [FieldShape],
        at: &str,
        owners: &mut BTreeMap<&'static str, String>,
    ) -> bool {
        let mut own = true;
        for field in fields.iter().filter(|field| !field.skipped) {
            let place = format!("{at}.{}", field.rust);
            if field.flatten {
                if let (false, Shape::Struct(of)) = (field.opaque, resolve((field.shape)())) {
                    own &= self.has_own_names(of.fields, &place, owners);
                }
                continue;
            }
            for name in std::iter::once(&field.wire).chain(field.aliases) {
                if let Some(other) = owners.insert(*name, place.clone()) {
                    let text =
                        format!("{name:?} is also a name of `{other}`: rename one of the two");
                    self.problem(&place, &text);
                    own = false;
                }
            }
        }
        own
    }

    fn flattened(
        &mut self,
        object: &mut Map<String, Value>,
        field: &'static FieldShape,
        enforced: bool,
        at: &str,
        seen: &mut Members,
    ) {
        let frame = self.frame(field, at.to_owned(), enforced);
        if field.opaque {
            seen.opaque = true;
            seen.open = true;
            return;
        }
        let shape = (field.shape)();
        match resolve(shape) {
            Shape::Leaf => seen.open = true,
            Shape::Map(key, value) => {
                seen.open = true;
                if !matches!(
                    resolve(key()),
                    Shape::Scalar {
                        json: "string",
                        format: None,
                        ..
                    }
                ) {
                    self.problem(
                        at,
                        "serde reads the keys of a flattened map as text: make them `String`, or \
                         do not flatten the map",
                    );
                }
                if let Some(rest) = object
                    .member_mut("additionalProperties")
                    .filter(|r| r.is_object())
                {
                    self.schema(rest, value(), &frame.inside(format!("{at}[…]")));
                }
            }
            // serde returns `None` for a flattened part that is wrong inside.
            _ if matches!(shape, Shape::Same(_) | Shape::Optional(_))
                && is_optional(object, shape) =>
            {
                // Its members are in the schema, so nothing else needs to be
                // published.
                seen.opaque = true;
                self.problem(
                    at,
                    "a flattened `Option` swallows every mistake inside it: flatten the struct \
                     itself and make its fields optional, or do not flatten it",
                );
            }
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

    /// Publishes a flattened enum: every alternative gets all the members, so
    /// that each can refuse unknown ones.
    pub(super) fn distribute(
        &mut self,
        object: &mut Map<String, Value>,
        of: &'static EnumShape,
        allow_unknown: bool,
        enforced: bool,
        at: &str,
    ) {
        let mut part = Map::new();
        for keyword in ["oneOf", "anyOf", "unevaluatedProperties"] {
            if let Some(value) = object.remove_member(keyword) {
                part.set_member(keyword, value);
            }
        }
        part.remove_member("unevaluatedProperties");
        self.enumeration(&mut part, of, enforced, at);
        let shared = object
            .remove_member("properties")
            .unwrap_or_else(|| json!({}));
        let required = object
            .remove_member("required")
            .unwrap_or_else(|| json!([]));
        let notes = object.remove_member(NOTES);
        object.remove_member("additionalProperties");
        for keyword in ["oneOf", "anyOf"] {
            let branches = part.member_mut(keyword).and_then(Value::as_array_mut);
            for branch in branches
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                merge(branch, "properties", &shared);
                merge(branch, "required", &required);
                if let Some(aliases) = notes.as_ref().and_then(|notes| notes.member("aliases")) {
                    note(branch, "aliases", aliases.clone());
                }
                branch.set_member("type", "object".into());
                if allow_unknown {
                    branch.remove_member("additionalProperties");
                } else {
                    branch.set_member("additionalProperties", false.into());
                }
            }
        }
        object.append(&mut part);
    }
}

/// The fields of a struct or of a variant.
pub(super) struct Fields {
    pub(super) of: &'static [FieldShape],
    pub(super) allow_unknown: bool,
    /// The member that names the variant.
    pub(super) tag: Option<&'static str>,
}

/// The kinds of members that an object has.
#[derive(Default)]
struct Members {
    names: BTreeSet<String>,
    aliases: Map<String, Value>,
    /// A flattened map or any JSON accepts the remaining members.
    open: bool,
    /// A flattened part that is opaque.
    opaque: bool,
    flat_enum: Option<(&'static EnumShape, bool)>,
}

/// Whether `null` and absence differ for a field.
fn is_option_in_option(mut shape: &'static Shape) -> bool {
    let mut options = 0;
    loop {
        shape = match shape {
            Shape::Optional(inner) => {
                options += 1;
                inner()
            }
            Shape::Same(inner) | Shape::Said(_, inner) => inner(),
            Shape::Newtype(field) => (field.shape)(),
            _ => return options > 1,
        };
    }
}

/// Whether a flattened part was an `Option`: schemars drops `required` then.
fn is_optional(object: &Map<String, Value>, shape: &'static Shape) -> bool {
    let Shape::Struct(of) = resolve(shape) else {
        let branches = object.member("anyOf").and_then(Value::as_array);
        return branches.is_some_and(|branches| branches.contains(&json!({})));
    };
    let required = object.member("required").and_then(Value::as_array);
    let required = |name: &str| required.is_some_and(|list| list.iter().any(|n| n == name));
    !of.fields.is_empty() && !of.fields.iter().any(|field| required(field.wire))
}

fn require(object: &mut Map<String, Value>, name: &str) {
    if let Some(Value::Array(required)) = object.member_or("required", json!([]))
        && !required.iter().any(|known| known == name)
    {
        required.push(name.into());
    }
}

fn merge(branch: &mut Map<String, Value>, keyword: &str, shared: &Value) {
    match (branch.member_mut(keyword), shared) {
        (Some(Value::Object(own)), Value::Object(shared)) => {
            for (name, schema) in shared.each() {
                own.member_or(name, schema.clone());
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
            branch.set_member(keyword, shared.clone());
        }
    }
}

/// Returns the other schema if one is `null`: an optional enum or recursive
/// type.
pub(super) fn beside_null(object: &mut Map<String, Value>) -> Option<&mut Value> {
    let branches = object.member_mut("anyOf")?.as_array_mut()?;
    match branches.as_mut_slice() {
        [inner, null] if null.at("type") == "null" => Some(inner),
        _ => None,
    }
}

pub(super) fn admits_null(object: &Map<String, Value>) -> bool {
    object
        .member("type")
        .and_then(Value::as_array)
        .is_some_and(|types| types.iter().any(|of| of == "null"))
}
