//! Random valid arguments of every type here, written as hosts write them: the
//! same in every run.

use super::choices::{FlatKeyed, FlatPlain, FlatTagged, Keyed, Nullable, Plain, Tagged};
use super::fuzz::Random;
use super::normalised::{Looser, Wide};
use super::types::{Maps, Newtypes, Options};
use super::*;
use crate::schema::Rewrites;

const EVERYTHING: Rewrites = Rewrites {
    lenient: true,
    opaque: true,
};

/// A value twice: as the schema has it, and as a host may send it.
struct Twice {
    plain: String,
    sent: String,
    /// The host's form differs where an alternative or serde alone decides.
    open: bool,
}

impl Twice {
    fn same(text: impl Into<String>) -> Self {
        let plain = text.into();
        Self {
            sent: plain.clone(),
            plain,
            open: false,
        }
    }

    /// JSON in a text.
    fn in_text(mut self, random: &mut Random) -> Self {
        if random.below(3) == 0 {
            self.sent = Value::from(self.sent).to_string();
        }
        self
    }
}

struct Maker<'s> {
    root: &'s Value,
    random: Random,
}

impl<'s> Maker<'s> {
    fn make(&mut self, schema: &'s Value, depth: usize) -> Twice {
        let target = schema["$ref"].as_str();
        if let Some(target) = target {
            let schema = self.root.pointer(target.trim_start_matches('#')).unwrap();
            return self.make(schema, depth + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(of) = schema[keyword].as_array()
                && schema["properties"].is_null()
                && schema["type"] != "string"
            {
                let of = &of[self.random.below(of.len())];
                let made = self.make(of, depth + 1);
                let open = made.plain != made.sent;
                return Twice { open, ..made };
            }
        }
        if let Some(of) = schema["enum"].as_array() {
            return Twice::same(of[self.random.below(of.len())].to_string());
        }
        if !schema["const"].is_null() {
            return Twice::same(schema["const"].to_string());
        }
        let kind = match &schema["type"] {
            Value::String(kind) => kind.as_str(),
            Value::Array(kinds) => kinds[self.random.below(kinds.len())].as_str().unwrap(),
            _ => return Twice::same(["\"5\"", "5.0", "[]", "null"][self.random.below(4)]),
        };
        let texts = schema["type"]
            .as_array()
            .is_some_and(|k| k.contains(&json!("string")));
        let made = match kind {
            "null" => Twice::same("null"),
            "boolean" => Twice::same(["true", "false"][self.random.below(2)]),
            "integer" => self.integer(schema),
            "number" => Twice::same(["0.5", "1", "1.25e0"][self.random.below(3)]),
            "string" => return Twice::same(self.text(schema)),
            "array" => self.list(schema, depth),
            _ => self.object(schema, depth),
        };
        match (texts, depth) {
            // The arguments themselves are an object in any case.
            (true, _) | (_, 0) => made,
            _ => made.in_text(&mut self.random),
        }
    }

    fn integer(&mut self, schema: &Value) -> Twice {
        let bound = |keyword: &str| schema[keyword].as_i64();
        let min = bound("minimum").unwrap_or(-300);
        let max = bound("maximum").unwrap_or(300);
        let number = [min, max, 0, 2, 100][self.random.below(5)].clamp(min, max);
        let plain = number.to_string();
        let sent = match self.random.below(4) {
            0 => format!("{number}.0"),
            1 => format!("{number}e0"),
            2 if number != 0 => format!("{number}0.00E-1"),
            _ => plain.clone(),
        };
        Twice {
            plain,
            sent,
            open: false,
        }
    }

    fn text(&mut self, schema: &Value) -> String {
        let min = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap();
        let text = match self.random.below(4) {
            0 => "5".repeat(min.max(1)),
            1 => "é".repeat(min),
            2 => ["null", "true", "[1]", "::1", "a+.rs", "1.2.3.4"][self.random.below(6)].into(),
            _ => "a".repeat(min),
        };
        Value::from(text).to_string()
    }

    fn list(&mut self, schema: &'s Value, depth: usize) -> Twice {
        let bound = |keyword: &str| {
            schema[keyword]
                .as_u64()
                .map(|n| usize::try_from(n).unwrap())
        };
        let prefix = schema["prefixItems"].as_array();
        let min = bound("minItems").unwrap_or(0);
        let count = min + if depth > 6 { 0 } else { self.random.below(3) };
        let count = count.min(bound("maxItems").unwrap_or(count));
        let items: Vec<Twice> = (0..count)
            .map(|index| {
                let of = prefix.and_then(|prefix| prefix.get(index));
                self.make(of.unwrap_or(&schema["items"]), depth + 1)
            })
            .collect();
        let join = |of: fn(&Twice) -> &str| {
            format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(", "))
        };
        Twice {
            plain: join(|item| &item.plain),
            sent: join(|item| &item.sent),
            open: items.iter().any(|item| item.open),
        }
    }

    fn object(&mut self, schema: &'s Value, depth: usize) -> Twice {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut members: Vec<(String, Option<Twice>)> = Vec::new();
        let mut schemas = vec![schema];
        // A flattened enum's alternatives have the members.
        for keyword in ["anyOf", "oneOf"] {
            if let Some(of) = schema[keyword].as_array() {
                schemas.push(&of[self.random.below(of.len())]);
            }
        }
        for schema in &schemas {
            for (name, of) in schema["properties"].as_object().into_iter().flatten() {
                let required = required.contains(&json!(name))
                    || schema["required"]
                        .as_array()
                        .is_some_and(|r| r.contains(&json!(name)));
                match self.random.below(3) {
                    _ if required => members.push((name.clone(), Some(self.make(of, depth + 1)))),
                    0 if depth < 8 => members.push((name.clone(), Some(self.make(of, depth + 1)))),
                    // Not given, or given as null.
                    1 if of["type"].is_string() => members.push((name.clone(), None)),
                    _ => {}
                }
            }
        }
        if schema["additionalProperties"].is_object() && depth < 8 {
            let made = self.make(&schema["additionalProperties"], depth + 1);
            members.push(("key \" x".into(), Some(made)));
        }
        let open = schemas.len() > 1 || members.iter().flat_map(|(_, m)| m).any(|made| made.open);
        let join = |of: fn(&Option<Twice>) -> Option<&str>| {
            let members = members.iter().filter_map(|(name, made)| {
                Some(format!("{} : {}", Value::from(name.as_str()), of(made)?))
            });
            format!("{{ {} }}", members.collect::<Vec<_>>().join(" ,"))
        };
        Twice {
            plain: join(|made| made.as_ref().map(|made| made.plain.as_str())),
            sent: join(|made| Some(made.as_ref().map_or("null", |made| made.sent.as_str()))),
            open,
        }
    }
}

/// The parts of a value, sorted: a `HashMap` has no order of its own.
fn shown<T: ToolArgs + std::fmt::Debug>(decoded: Decoded) -> Vec<String> {
    let Decoded::Typed(value) = decoded else {
        panic!("a typed tool");
    };
    let shown = format!("{:?}", value.downcast::<T>().unwrap());
    let parts = shown.split([',', '{', '}']).map(str::trim);
    let mut parts: Vec<String> = parts.map(str::to_owned).collect();
    parts.sort();
    parts
}

fn hold<T: ToolArgs + std::fmt::Debug>() {
    let args = compiled::<T>();
    let name = std::any::type_name::<T>();
    let mut maker = Maker {
        root: args.schema(),
        random: Random(0x5EED_2026),
    };
    let (mut valid, mut differing) = (0, 0);
    for _ in 0..1_500 {
        let made = maker.make(args.schema(), 0);
        let Ok(plain) = args.decode_strictly(Some(&made.plain)) else {
            continue;
        };
        valid += 1;
        let nothing = args.validator.coerce(&made.plain, EVERYTHING);
        assert_eq!(nothing, None, "{name}: {}", made.plain);
        match args.accept(Some(&made.sent), &Default::default()) {
            Ok(accepted) => {
                let (plain, sent) = (shown::<T>(plain), shown::<T>(accepted.decoded));
                // A text may be what another alternative has.
                assert!(
                    made.open || plain == sent,
                    "{name}: {}\n{}",
                    made.plain,
                    made.sent
                );
                differing += usize::from(accepted.normalised > 0);
            }
            Err(violations) => assert!(made.open, "{name}: {}: {violations}", made.sent),
        }
        // Bent at random, it is refused or taken, and nothing else happens.
        let at = maker.random.below(made.sent.len());
        let parts = [
            "\"",
            "{",
            "]",
            "null",
            "1e",
            ",",
            "\\",
            "\u{e9}",
            "\"\\\"5\\\"\"",
            "",
        ];
        let part = parts[maker.random.below(parts.len())];
        if made.sent.is_char_boundary(at) {
            let bent = format!("{}{part}{}", &made.sent[..at], &made.sent[at..]);
            let _ = args.decode(Some(&bent));
            let _ = args.decode(Some(&bent[..at]));
        }
    }
    assert!(
        valid > 100 && differing > 20,
        "{name}: {valid} valid, {differing} differing"
    );
}

#[test]
fn what_a_host_writes_in_its_own_way_decodes_to_the_same() {
    hold::<Search>();
    hold::<Nested>();
    hold::<Shape>();
    hold::<Flat>();
    hold::<FlatEnum>();
    hold::<Numbers>();
    hold::<Tree>();
    hold::<Forest>();
    hold::<Span>();
    hold::<Choices>();
    hold::<Maps>();
    hold::<Newtypes>();
    hold::<Options>();
    hold::<Wide>();
    hold::<Looser>();
    hold::<Tagged>();
    hold::<Keyed>();
    hold::<Plain>();
    hold::<FlatTagged>();
    hold::<FlatKeyed>();
    hold::<FlatPlain>();
    hold::<Nullable>();
}

#[test]
fn no_schema_makes_a_rewrite_expensive() {
    // Each level tries each alternative twice over.
    let member = json!({ "$ref": "#/$defs/node" });
    let of = |name: &str| json!({ "type": "object", "required": [name], "properties": { "a": member, name: { "type": "integer" } } });
    let args = CompiledArgs::from_schema(json!({
        "properties": { "x": member },
        "$defs": { "node": { "anyOf": [of("b"), of("c"), of("d"), { "type": "null" }] } },
    }))
    .unwrap();
    let mut text = String::from("null");
    for _ in 0..60 {
        text = format!(r#"{{"a":{text},"d":"1"}}"#);
    }
    assert!(args.decode(Some(&format!(r#"{{"x":{text}}}"#))).is_err());
    let wide = format!(r#"{{"x":"{}"}}"#, r"\\\\".repeat(200_000));
    assert!(args.decode(Some(&wide)).is_err());
}
