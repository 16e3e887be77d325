//! Checks the arguments that a client repeats in headers (`x-mcp-header`), so
//! that proxies can route by them without reading the message (2026-07-28): the
//! headers must agree with the message.

use std::borrow::Cow;
use std::collections::HashMap;

use http::HeaderMap;
use serde_json::value::RawValue;

use crate::primitive::ParamHeader;
use crate::protocol::json_string;
use crate::transport::http::message::headers::{decoded, mismatch, single};
use crate::transport::http::message::refusal::Refusal;

/// Checks a call's headers against its arguments.
pub(crate) fn check(
    expected: &[ParamHeader],
    arguments: Option<&RawValue>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    for wanted in expected {
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

/// Returns the value at a path of property names, as it is in the message.
fn at<'a>(arguments: &'a RawValue, path: &[String]) -> Option<&'a RawValue> {
    path.iter().try_fold(arguments, |value, name| {
        let mut members: HashMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(value.get()).ok()?;
        members.remove(name.as_str())
    })
}

/// A value that a header can hold.
#[derive(Debug)]
enum Written<'a> {
    Text(Cow<'a, str>),
    Number(&'a str),
}

/// Returns a value in the form that a client writes into a header; `None` if it
/// has no such form.
fn written(value: &RawValue) -> Option<Written<'_>> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => json_string(text).map(Written::Text),
        b't' | b'f' => Some(Written::Text(text.into())),
        b'-' | b'0'..=b'9' => Some(Written::Number(text)),
        _ => None,
    }
}

/// Whether a header has the value. Numbers are equal however they are written:
/// 42, 42.0, 4.2e1.
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
        // A text that is not a JSON number may still look like one below.
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
        let expected = ParamHeader::all_of(&schema).unwrap();
        let check = |arguments: &str, given: Option<&str>| {
            let arguments = RawValue::from_string(arguments.to_owned()).unwrap();
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert("mcp-param-page-size", given.parse().unwrap());
            }
            let checked = super::check(&expected, Some(&arguments), &headers);
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
}
