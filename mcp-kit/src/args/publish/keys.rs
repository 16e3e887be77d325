//! The keys of a map. In JSON they are text; the keys that a Rust type reads
//! are published as names, as a pattern or in words, and checked when they are
//! read.

use serde_json::{Map, Value, json};

use super::{Frame, Publisher, describe, note, resolve};
use crate::args::shape::{EnumShape, Repr, Shape, VariantKind};
use crate::schema::TextRule;
use crate::schema::text_form::CHAR;
use crate::support::json::Members as _;

/// The possible keys of a map.
enum Keys {
    Any,
    Names(Vec<&'static str>, Map<String, Value>),
    Flags,
    Rule(TextRule),
}

impl Publisher {
    pub(super) fn map(
        &mut self,
        object: &mut Map<String, Value>,
        shape: &'static Shape,
        (key, value): (&'static Shape, &'static Shape),
        frame: &Frame,
    ) {
        let Some(keys) = Keys::of(key) else {
            return self.problem(
                &frame.at,
                "the keys of a JSON object are text, and no text is read as this map's keys: use \
                 a list of structs",
            );
        };
        self.write_rules(object, Some(shape), frame);
        let inside = frame.inside(format!("{}[…]", frame.at));
        let mut schema = take_value(object);
        self.schema(&mut schema, value, &inside);
        if !matches!(keys, Keys::Any)
            && let Some(object) = schema.as_object_mut()
        {
            // An entry with `null` is not an absent entry.
            note(object, "null", true.into());
        }
        match keys {
            Keys::Any => {
                object.set_member("additionalProperties", schema);
            }
            Keys::Names(names, aliases) => {
                let rule = TextRule::OneOf(names.iter().map(|name| (*name).to_owned()).collect());
                note(object, "key", rule.to_value());
                let mut properties = Map::new();
                properties.extend(names.into_iter().map(|name| (name.into(), schema.clone())));
                object.set_member("properties", Value::Object(properties));
                object.set_member("additionalProperties", false.into());
                if !aliases.is_empty() {
                    note(object, "aliases", aliases.into());
                }
            }
            Keys::Flags => {
                let both = json!({ "true": schema.clone(), "false": schema });
                object.set_member("properties", both);
                object.set_member("additionalProperties", false.into());
                note(object, "key", TextRule::Flag.to_value());
            }
            Keys::Rule(rule) => {
                match rule.pattern() {
                    Some(pattern) => {
                        object.set_member("patternProperties", json!({ pattern: schema }));
                        object.set_member("additionalProperties", false.into());
                    }
                    None => {
                        object.set_member("additionalProperties", schema);
                    }
                }
                describe(object, &[format!("each key {}", rule.says())]);
                note(object, "key", rule.to_value());
            }
        }
    }
}

impl Keys {
    /// Returns `None` if the shape cannot be read from a key.
    fn of(shape: &'static Shape) -> Option<Self> {
        Some(match resolve(shape) {
            Shape::Newtype(field) => return Self::of((field.shape)()),
            Shape::Text(form) => Self::Rule(TextRule::Form(form)),
            Shape::Scalar { json, format, zero } => match (*json, *format) {
                ("boolean", _) => Self::Flags,
                ("string", Some("char")) => Self::Rule(TextRule::Form(&CHAR)),
                ("string", Some("ip")) => Self::Rule(TextRule::Ip),
                ("string", Some("ipv4")) => Self::Rule(TextRule::IpV4),
                ("string", Some("ipv6")) => Self::Rule(TextRule::IpV6),
                ("integer", format) => {
                    let (min, max) = format.map_or((None, None), range);
                    Self::Rule(TextRule::Whole {
                        min: min.map(|min| if min == 0 && !zero { 1 } else { min }),
                        max,
                        zero: *zero,
                    })
                }
                ("null", _) => return None,
                _ => Self::Any,
            },
            Shape::Enum(of) => return Self::of_enum(of),
            Shape::Leaf => Self::Any,
            _ => return None,
        })
    }

    fn of_enum(of: &'static EnumShape) -> Option<Self> {
        let unit = |kind: &VariantKind| matches!(kind, VariantKind::Unit);
        if !matches!(of.repr, Repr::External) || !of.variants.iter().all(|v| unit(&v.kind)) {
            return None;
        }
        let mut aliases = Map::new();
        aliases.extend(of.variants.iter().flat_map(|variant| {
            let alias = |alias: &&str| ((*alias).to_owned(), variant.wire.into());
            variant.aliases.iter().map(alias)
        }));
        let names = of.variants.iter().map(|variant| variant.wire);
        Some(Self::Names(names.collect(), aliases))
    }
}

/// Takes the schema of the values from wherever schemars put it for these keys.
fn take_value(object: &mut Map<String, Value>) -> Value {
    let rest = object.remove_member("additionalProperties");
    let by_key = ["patternProperties", "properties"].map(|keyword| object.remove_member(keyword));
    let first = by_key
        .into_iter()
        .flatten()
        .find_map(|schemas| match schemas {
            Value::Object(schemas) => schemas.into_iter().next().map(|(_, schema)| schema),
            _ => None,
        });
    first.or(rest).unwrap_or(Value::Bool(true))
}

/// Returns the range of the Rust type with this format.
fn range(format: &str) -> (Option<i128>, Option<i128>) {
    let (min, max) = match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" => (i64::MIN.into(), i64::MAX.into()),
        "int" => (isize::MIN as i128, isize::MAX as i128),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" => (0, u64::MAX.into()),
        "uint" => (0, usize::MAX as i128),
        "uint128" => return (Some(0), None),
        _ => return (None, None),
    };
    (Some(min), Some(max))
}
