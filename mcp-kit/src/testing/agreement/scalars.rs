//! Texts and numbers on both sides of every limit.

use serde_json::{Value, json};

use super::{MAX_LENGTH, Variant};
use crate::schema::{NOTES, typed};

/// Adds texts around the limits of length, of narrow and of wide characters.
pub(super) fn texts(schema: &Value, found: &mut Vec<Variant>) {
    let good = good_text(schema);
    for keyword in ["minLength", "maxLength"] {
        let Some(bound) = schema.get(keyword).and_then(Value::as_u64) else {
            continue;
        };
        for count in [bound.saturating_sub(1), bound, bound.saturating_add(1)] {
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
    "-a",
    "a--b",
    "_1",
    "a\nb",
    "a\tb",
    "a\u{1b}b",
    "a\u{202e}b",
    "a; b",
    "<b>",
    "\u{2019}",
];

/// Returns a text that a place admits, as far as one can be found.
pub(super) fn good_text(schema: &Value) -> String {
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

/// Adds numbers around the limits.
pub(super) fn numbers(schema: &Value, found: &mut Vec<Variant>) {
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
        // Above this a float is not the number that its digits say.
        let exact = |float: &f64| float.abs() < 9_007_199_254_740_992.0;
        if let Some(float) = bound.as_f64().filter(exact) {
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
