//! Arguments that a client repeats in headers (`x-mcp-header`), so that proxies
//! can route by them without reading the message (2026-07-28).

use std::collections::HashMap;

use http::{HeaderMap, HeaderName};
use serde_json::Value;
use serde_json::value::RawValue;

use super::headers::{decoded, mismatch, single};
use super::refusal::Refusal;
use crate::tool::ToolDefinition;

/// The keyword in a property's schema.
const KEYWORD: &str = "x-mcp-header";

/// Which tools want which arguments repeated.
#[derive(Debug, Default)]
pub(super) struct ParamHeaders(HashMap<String, Vec<ParamHeader>>);

#[derive(Debug, PartialEq, Eq)]
struct ParamHeader {
    /// The property's names from the root.
    path: Vec<String>,
    header: HeaderName,
}

impl ParamHeaders {
    pub(super) fn of<'a>(tools: impl Iterator<Item = &'a ToolDefinition>) -> Self {
        let wanted = tools.filter_map(|tool| {
            let headers = wanted(tool.input_schema()).ok()?;
            (!headers.is_empty()).then(|| (tool.name().to_owned(), headers))
        });
        Self(wanted.collect())
    }

    /// Checks a call's headers against its arguments.
    pub(super) fn check(
        &self,
        tool: &str,
        arguments: Option<&RawValue>,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let Some(wanted) = self.0.get(tool) else {
            return Ok(());
        };
        let arguments: Value = arguments
            .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
            .unwrap_or_default();
        for ParamHeader { path, header } in wanted {
            let value = path
                .iter()
                .try_fold(&arguments, |value, name| value.get(name));
            let expected = value.and_then(written);
            let given = single(headers, header)?;
            let shown = || format!("Mcp-Param-{}", &header.as_str()["mcp-param-".len()..]);
            let place = || path.join(".");
            match (expected, given) {
                (None, None) => {}
                (Some(_), None) => {
                    return Err(mismatch(format!(
                        "Header mismatch: {} is missing; it must be the argument {}",
                        shown(),
                        place()
                    )));
                }
                (Some(expected), Some(given)) if decoded(given).is_some_and(|g| g == expected) => {}
                (_, Some(_)) => {
                    return Err(mismatch(format!(
                        "Header mismatch: {} is not the argument {}",
                        shown(),
                        place()
                    )));
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with a tool's `x-mcp-header`s, for `build()` to tell.
pub(crate) fn problems(tool: &ToolDefinition) -> Option<String> {
    wanted(tool.input_schema()).err()
}

/// A value as a client writes it into a header; `None` for one that has no
/// such form.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

fn wanted(schema: &Value) -> Result<Vec<ParamHeader>, String> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    walk(schema, &mut path, &mut found)?;
    if count(schema) > found.len() {
        return Err(format!(
            "\"{KEYWORD}\" stands where it has no meaning; it belongs to properties that are reached through \"properties\" alone"
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
