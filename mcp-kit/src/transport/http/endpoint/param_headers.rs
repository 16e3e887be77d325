//! Arguments that a client repeats in headers (`x-mcp-header`), so that proxies
//! can route by them without reading the message (2026-07-28).

use std::borrow::Cow;
use std::collections::HashMap;

use http::{HeaderMap, HeaderName};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::primitive::ToolDefinition;
use crate::protocol::json_string;
use crate::transport::http::message::headers::{decoded, mismatch, single};
use crate::transport::http::message::refusal::Refusal;

/// The keyword in a property's schema.
const KEYWORD: &str = "x-mcp-header";

/// Which tools want which arguments repeated.
#[derive(Debug, Default)]
pub(crate) struct ParamHeaders(HashMap<String, Vec<ParamHeader>>);

#[derive(Debug, PartialEq, Eq)]
struct ParamHeader {
    /// The property's names from the root.
    path: Vec<String>,
    header: HeaderName,
    /// The header's name as the schema writes it.
    shown: String,
}

impl ParamHeaders {
    pub(crate) fn of<'a>(tools: impl Iterator<Item = &'a ToolDefinition>) -> Self {
        let wanted = tools.filter_map(|tool| {
            let headers = wanted(tool.input_schema()).ok()?;
            (!headers.is_empty()).then(|| (tool.name().to_owned(), headers))
        });
        Self(wanted.collect())
    }

    /// Checks a call's headers against its arguments.
    pub(crate) fn check(
        &self,
        tool: &str,
        arguments: Option<&RawValue>,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let Some(wanted) = self.0.get(tool) else {
            return Ok(());
        };
        for wanted in wanted {
            let value = arguments.and_then(|arguments| at(arguments, &wanted.path));
            let expected = value.and_then(written);
            let given = single(headers, &wanted.header)?;
            let problem = match (expected, given) {
                (None, None) => continue,
                (Some(expected), Some(given))
                    if decoded(given).is_some_and(|given| is_same(&expected, &given)) =>
                {
                    continue;
                }
                (Some(_), None) => "is missing; it must be",
                (_, Some(_)) => "is not",
            };
            return Err(mismatch(format!(
                "Header mismatch: {} {problem} the argument {}",
                wanted.shown,
                wanted.path.join(".")
            )));
        }
        Ok(())
    }
}

/// What is wrong with a tool's `x-mcp-header`s, for `build()` to tell.
pub(crate) fn problems(tool: &ToolDefinition) -> Option<String> {
    wanted(tool.input_schema()).err()
}

/// The value at a path of property names, as it is in the message.
fn at<'a>(arguments: &'a RawValue, path: &[String]) -> Option<&'a RawValue> {
    path.iter().try_fold(arguments, |value, name| {
        let mut members: HashMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(value.get()).ok()?;
        members.remove(name.as_str())
    })
}

/// A value as a header can have it.
#[derive(Debug)]
enum Written<'a> {
    Text(Cow<'a, str>),
    Number(&'a str),
}

/// A value as a client writes it into a header; `None` for one that has no
/// such form.
fn written(value: &RawValue) -> Option<Written<'_>> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => json_string(text).map(Written::Text),
        b't' | b'f' => Some(Written::Text(text.into())),
        b'-' | b'0'..=b'9' => Some(Written::Number(text)),
        _ => None,
    }
}

/// Whether a header has the value. Numbers are the same however they are
/// written: 42, 42.0, 4.2e1.
fn is_same(expected: &Written<'_>, given: &str) -> bool {
    match expected {
        Written::Text(text) => text == given,
        Written::Number(number) => {
            let (expected, given) = (Decimal::of(number), Decimal::of(given.trim()));
            expected.is_some() && expected == given
        }
    }
}

/// A number: its digits without zeros around them, and the power of ten of the
/// last one.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON writes it; `None` for anything else.
    fn of(text: &str) -> Option<Self> {
        // What is no number of JSON may still look like one below.
        serde_json::from_str::<&RawValue>(text).ok()?;
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_end_matches('0');
        let zeros = digits.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let shift = i64::try_from(zeros).ok()? - i64::try_from(fraction.len()).ok()?;
        Some(Self {
            is_negative: text.starts_with('-'),
            digits: significant.to_owned(),
            exponent: exponent.checked_add(shift)?,
        })
    }
}

fn wanted(schema: &Value) -> Result<Vec<ParamHeader>, String> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    walk(schema, &mut path, &mut found)?;
    if count(schema) > found.len() {
        return Err(format!(
            "\"{KEYWORD}\" is at a place where it has no meaning; it belongs to properties that are reached through \"properties\" alone"
        ));
    }
    Ok(found)
}

/// Finds the keyword where it has a meaning: through `properties` alone.
fn walk(
    schema: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<ParamHeader>,
) -> Result<(), String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(header) = property.get(KEYWORD) {
            let place = path.join(".");
            let shown = format!("Mcp-Param-{}", header.as_str().unwrap_or_default());
            let header = header_name(header).ok_or_else(|| {
                format!("{place}: \"{KEYWORD}\" must be a token as header names are made of, such as \"Region\"")
            })?;
            let kind = property.get("type").and_then(Value::as_str);
            if !matches!(kind, Some("string" | "integer" | "boolean")) {
                return Err(format!(
                    "{place}: \"{KEYWORD}\" is for strings, integers and booleans; this property is none"
                ));
            }
            if found.iter().any(|other| other.header == header) {
                return Err(format!(
                    "{place}: another property has the same \"{KEYWORD}\"; give each its own"
                ));
            }
            found.push(ParamHeader {
                path: path.clone(),
                header,
                shown,
            });
        }
        walk(property, path, found)?;
        path.pop();
    }
    Ok(())
}

fn header_name(value: &Value) -> Option<HeaderName> {
    let token = value.as_str().filter(|token| !token.is_empty())?;
    HeaderName::try_from(format!("mcp-param-{token}")).ok()
}

/// How often the keyword stands anywhere in a schema. Values that only hold
/// data are left out.
fn count(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "default" | "const" | "enum" | "examples"))
            .map(|(name, value)| match name.as_str() {
                KEYWORD => 1,
                // Its members are properties' names, and not keywords.
                "properties" | "$defs" => value
                    .as_object()
                    .map_or(0, |schemas| schemas.values().map(count).sum()),
                _ => count(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::ProtocolVersion;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let is_same = |number, given| is_same(&Written::Number(number), given);
        for (number, given) in [
            ("42", "42"),
            ("42", "42.0"),
            ("42.0", "42"),
            ("42", "4.2e1"),
            ("42", "420E-1"),
            ("0", "-0.0"),
            ("100", "1e2"),
            ("9007199254740993", "9007199254740993.0"),
        ] {
            assert!(is_same(number, given), "{number} {given}");
        }
        for (number, given) in [
            ("42", "43"),
            ("42", "-42"),
            ("42", "42x"),
            ("42", "+42"),
            ("42", "042"),
            ("42", ""),
            ("42", "\"42\""),
            ("9007199254740993", "9007199254740992"),
            ("1", "1e99999999999999999999"),
        ] {
            assert!(!is_same(number, given), "{number} {given}");
        }
    }

    #[test]
    fn headers_are_compared_with_the_arguments() {
        let schema = json!({"properties": {"page": {"properties": {
            "size": {"type": "integer", "x-mcp-header": "Page-Size"},
        }}}});
        let wanted = wanted(&schema).unwrap();
        let all = ParamHeaders(HashMap::from([("list".to_owned(), wanted)]));
        let check = |arguments: &str, given: Option<&str>| {
            let arguments = RawValue::from_string(arguments.to_owned()).unwrap();
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert("mcp-param-page-size", given.parse().unwrap());
            }
            let checked = all.check("list", Some(&arguments), &headers);
            checked.map_err(|refusal| {
                let json = refusal.into_json(ProtocolVersion::V2026_07_28);
                String::from_utf8(json).unwrap()
            })
        };
        assert!(check(r#"{"page": {"size": 42.0}}"#, Some("42")).is_ok());
        assert!(check(r#"{"page": {"size": 42}}"#, Some("=?base64?NDI=?=")).is_ok());
        for arguments in ["{}", r#"{"page": null}"#, r#"{"page": {"size": null}}"#] {
            assert!(check(arguments, None).is_ok(), "{arguments}");
            assert!(check(arguments, Some("42")).is_err(), "{arguments}");
        }
        for given in [Some("43"), None] {
            let problem = check(r#"{"page": {"size": 42}}"#, given).unwrap_err();
            assert!(problem.contains("Mcp-Param-Page-Size"), "{problem}");
        }
    }

    #[test]
    fn only_plain_properties_have_headers() {
        let schema = json!({"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "page": {"type": "object", "properties": {
                "size": {"type": "integer", "x-mcp-header": "Page-Size"},
            }},
        }});
        let found = wanted(&schema).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.path.join("."), found.header.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("page.size".to_owned(), "mcp-param-page-size"),
                ("region".to_owned(), "mcp-param-region"),
            ]
        );
        for (bad, word) in [
            (
                json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}),
                "integers",
            ),
            (
                json!({"properties": {"a": {"type": "string", "x-mcp-header": "A b"}}}),
                "token",
            ),
            (
                json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}),
                "token",
            ),
            (
                json!({"properties": {
                    "a": {"type": "string", "x-mcp-header": "A"},
                    "b": {"type": "string", "x-mcp-header": "a"},
                }}),
                "same",
            ),
            (
                json!({"properties": {"a": {"items": {"type": "string", "x-mcp-header": "A"}}}}),
                "properties",
            ),
        ] {
            let problem = wanted(&bad).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }
}
