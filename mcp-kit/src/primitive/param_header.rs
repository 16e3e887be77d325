//! Arguments that a client repeats in headers (`x-mcp-header`, 2026-07-28), as the
//! schema declares them. `transport::http` compares them with the headers.

use http::HeaderName;
use serde_json::Value;

use crate::support::json::Members as _;

/// The keyword in a property's schema.
const KEYWORD: &str = "x-mcp-header";

/// An argument that a client repeats in a header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ParamHeader {
    /// The property's names from the root.
    pub(crate) path: Vec<String>,
    pub(crate) header: HeaderName,
    /// The header's name as the schema writes it.
    pub(crate) shown: String,
}

impl ParamHeader {
    /// Returns those that a schema of arguments declares; the error describes
    /// what is wrong with one of them.
    pub(crate) fn all_of(schema: &Value) -> Result<Vec<Self>, String> {
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
}

/// Finds the keyword where it has a meaning: through `properties` alone.
fn walk(
    schema: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<ParamHeader>,
) -> Result<(), String> {
    let Some(properties) = schema.member("properties").and_then(Value::as_object) else {
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
            let kind = property.text("type");
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

/// How often the keyword appears in a schema. Values that only hold
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
        let found = ParamHeader::all_of(&schema).unwrap();
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
            let problem = ParamHeader::all_of(&bad).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }
}
