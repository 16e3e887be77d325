//! PostgreSQL's texts as JSON.
//!
//! | type | JSON |
//! |---|---|
//! | `bool` | boolean |
//! | `int2`, `int4`, `int8`, `oid` | number; text above 2^53 |
//! | `float4`, `float8` | number; text for `NaN` and `Infinity` |
//! | `json`, `jsonb` | the document; text if it is long, or has a number that JSON readers round |
//! | an array | an array of these |
//! | any other | PostgreSQL's own text |

use serde_json::Value;
use tokio_postgres::types::{Kind, Type};

use crate::{limits, rows};

pub(super) fn value(sql_type: &Type, text: &str) -> Value {
    let read = match sql_type.kind() {
        Kind::Array(element) => array(element, text),
        Kind::Domain(inner) => Some(value(inner, text)),
        _ => match *sql_type {
            Type::BOOL => Some((text == "t").into()),
            Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => {
                text.parse().ok().map(rows::integer)
            }
            Type::FLOAT4 | Type::FLOAT8 => text.parse().ok().map(rows::float),
            Type::JSON | Type::JSONB => json(text),
            _ => None,
        },
    };
    read.unwrap_or_else(|| rows::text(text))
}

/// The name of a type: `int4`, `text[]`.
pub(super) fn type_name(sql_type: &Type) -> String {
    match sql_type.kind() {
        Kind::Array(element) => format!("{}[]", element.name()),
        _ => sql_type.name().to_owned(),
    }
}

fn json(text: &str) -> Option<Value> {
    if text.len() > limits::CELL_CHARS {
        return None;
    }
    let document = serde_json::from_str(text).ok()?;
    is_exact(&document).then_some(document)
}

/// Whether every number of a document is one that JSON readers keep.
fn is_exact(document: &Value) -> bool {
    match document {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => rows::integer(whole).is_number(),
            None => number.as_f64().is_some_and(|number| number.abs() < 9e15),
        },
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

/// `{1,NULL,"a \"b\""}`. None for an array that is long, has bounds of its own
/// (`[0:1]={…}`), or a type that separates its items otherwise.
fn array(element: &Type, text: &str) -> Option<Value> {
    if text.len() > limits::CELL_CHARS || *element == Type::BOX {
        return None;
    }
    let mut rest = text.chars().peekable();
    (rest.next() == Some('{')).then_some(())?;
    let read = items(element, &mut rest)?;
    rest.next().is_none().then_some(read)
}

fn items(element: &Type, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Value> {
    let mut items = Vec::new();
    if rest.next_if_eq(&'}').is_some() {
        return Some(items.into());
    }
    loop {
        items.push(match rest.peek()? {
            '{' => {
                rest.next();
                self::items(element, rest)?
            }
            '"' => {
                rest.next();
                value(element, &quoted(rest)?)
            }
            _ => {
                let mut item = String::new();
                while let Some(c) = rest.next_if(|c| !matches!(c, ',' | '}')) {
                    item.push(c);
                }
                match item.as_str() {
                    "NULL" => Value::Null,
                    item => value(element, item),
                }
            }
        });
        match rest.next()? {
            ',' => {}
            '}' => return Some(items.into()),
            _ => return None,
        }
    }
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => text.push(rest.next()?),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrays_are_read_and_what_cannot_be_read_stays_text() {
        for (sql_type, text, expected) in [
            (Type::INT4_ARRAY, "{}", json!([])),
            (Type::INT4_ARRAY, "{1,NULL,-3}", json!([1, null, -3])),
            (Type::INT4_ARRAY, "{{1,2},{3,4}}", json!([[1, 2], [3, 4]])),
            (
                Type::TEXT_ARRAY,
                r#"{a,"b,}",NULL,"NULL","\"\\",""}"#,
                json!(["a", "b,}", null, "NULL", "\"\\", ""]),
            ),
            (Type::BOOL_ARRAY, "{t,f}", json!([true, false])),
            (Type::NUMERIC_ARRAY, "{1.10}", json!(["1.10"])),
            (
                Type::JSONB_ARRAY,
                r#"{"{\"a\": [1]}"}"#,
                json!([{"a": [1]}]),
            ),
            (Type::INT4_ARRAY, "[0:1]={1,2}", json!("[0:1]={1,2}")),
            (Type::INT4_ARRAY, "{1,2", json!("{1,2")),
            (Type::INT4_ARRAY, "{1}x", json!("{1}x")),
        ] {
            assert_eq!(value(&sql_type, text), expected, "{text}");
        }
    }

    #[test]
    fn documents_with_large_numbers_stay_text() {
        assert_eq!(value(&Type::JSONB, r#"{"a": 1.5}"#), json!({"a": 1.5}));
        let large = r#"{"a": [9007199254740993]}"#;
        assert_eq!(value(&Type::JSONB, large), json!(large));
        let larger = "123456789012345678901234567890";
        assert_eq!(value(&Type::JSONB, larger), json!(larger));
    }
}
