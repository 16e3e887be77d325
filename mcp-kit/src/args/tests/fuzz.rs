//! Random JSON, the same in every run: nothing panics, a refusal always says
//! something, and no message has a value.

use super::*;

const MARKER: &str = "MARKER-77441";

pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// JSON that often comes near to what the types want.
    fn value(&mut self, names: &[String], depth: usize) -> String {
        let count = self.below(4);
        match self.below(if depth > 4 { 8 } else { 13 }) {
            0 => "null".into(),
            1 => ["true", "false"][self.below(2)].into(),
            2 => [
                "0",
                "1",
                "5",
                "-1",
                "1.0",
                "-0",
                "1e400",
                "18446744073709551616",
                "0.5",
            ][self.below(9)]
            .into(),
            3 => format!("{}", self.below(300)),
            4 => format!("\"{MARKER}\""),
            5 => format!("\"{}{MARKER}\"", "é".repeat(count)),
            6 => [
                r#""a""#,
                r#""\ud800""#,
                r#""\u0000""#,
                r#""fast""#,
                r#""circle""#,
                r#""One""#,
            ][self.below(6)]
            .into(),
            7 => "774411774411".into(),
            8 | 9 => {
                let items: Vec<String> = (0..count).map(|_| self.value(names, depth + 1)).collect();
                format!("[{}]", items.join(", "))
            }
            _ => self.object(names, depth),
        }
    }

    fn object(&mut self, names: &[String], depth: usize) -> String {
        let count = self.below(6);
        let members: Vec<String> = (0..count)
            .map(|_| {
                let name = match self.below(12) {
                    0 => "odd\\nname".to_owned(),
                    1 => "x".repeat(100),
                    _ => names[self.below(names.len())].clone(),
                };
                format!("\"{name}\" : {}", self.value(names, depth + 1))
            })
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The names that a schema has anywhere.
fn names(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|inner| names(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| names(inner, found)),
        _ => {}
    }
}

fn fuzz<T: ToolArgs>() {
    let args = compiled::<T>();
    let mut known = Vec::new();
    names(args.schema(), &mut known);
    let mut random = Random(0x00C0_FFEE);
    for round in 0..4_000 {
        let mut raw = random.object(&known, 0);
        if round % 10 == 0 {
            // Cut or bend the text itself.
            let at = random.below(raw.len());
            let bent = if raw.is_char_boundary(at) { at } else { 0 };
            raw.truncate(bent);
        }
        let _ = args.argument_names(Some(&raw)).to_string();
        if let Err(violations) = args.decode(Some(&raw)) {
            let said = violations.to_string();
            assert!(violations.count() > 0 && said.len() > 25, "{raw}");
            assert!(
                !said.contains("MARKER") && !said.contains("77441"),
                "{raw}\n{said}"
            );
            assert!(!said.chars().any(char::is_control), "{raw}\n{said}");
        }
    }
}

#[test]
fn random_json_never_panics_and_never_leaks() {
    fuzz::<Search>();
    fuzz::<Nested>();
    fuzz::<Modes>();
    fuzz::<Sets>();
    fuzz::<Shape>();
    fuzz::<Flat>();
    fuzz::<FlatEnum>();
    fuzz::<Texts>();
    fuzz::<Numbers>();
    fuzz::<Tree>();
    fuzz::<Opaque>();
    fuzz::<Span>();
    fuzz::<Choices>();
}
