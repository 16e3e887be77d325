//! Sorts the keywords of JSON Schema by the part that checks them.

use serde_json::{Map, Value};

use super::{Compiler, NOTES};
use crate::schema::words::nearest;
use crate::support::json::Members as _;

/// Keywords that have no rule to check, and names that no rule uses.
pub(super) const REMARKS: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$schema",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "format",
    "readOnly",
    "title",
    "writeOnly",
    NOTES,
];

/// Keywords that the walk checks.
const CHECKED: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
    "uniqueItems",
];

/// The rest of 2020-12, checked by the feature `json-schema`.
const STANDARD: &[&str] = &[
    "$dynamicRef",
    "$id",
    "$vocabulary",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords of older dialects, and their replacements in 2020-12.
const OLD: &[(&str, &str)] = &[
    ("$recursiveAnchor", "$dynamicAnchor"),
    ("$recursiveRef", "$dynamicRef"),
    ("additionalItems", "items"),
    ("dependencies", "dependentRequired"),
];

impl Compiler<'_> {
    /// Reports keywords that would not be checked. A keyword unknown to the
    /// standard is an annotation and is kept, unless it looks like a mistake.
    pub(super) fn look_for_unchecked(&mut self, object: &Map<String, Value>, at: &str) {
        if self.typed {
            return;
        }
        for keyword in object.names() {
            let keyword = keyword.as_str();
            if STANDARD.contains(&keyword) && !(keyword == "$id" && at == "#") {
                self.pass_over(at, keyword);
            } else if let Some((_, new)) = OLD.iter().find(|(old, _)| *old == keyword) {
                let text = format!("`{keyword}` is an older dialect's: say `{new}` (2020-12)");
                self.problem(at, &text);
            } else if keyword == NOTES {
                self.problem(at, &format!("`{NOTES}` is mcp-kit's own: leave it out"));
            } else if !CHECKED.contains(&keyword)
                && !REMARKS.contains(&keyword)
                && let Some(meant) = slip(keyword)
            {
                let text = format!("`{keyword}` is checked by nothing: did you mean `{meant}`?");
                self.problem(at, &text);
            }
        }
    }

    /// Records a part that only the feature `json-schema` checks.
    pub(super) fn pass_over(&mut self, at: &str, keyword: &str) {
        self.has_gaps = true;
        self.unchecked.push(format!(
            "{at}: `{keyword}` is checked by mcp-kit's feature `json-schema`: turn it on, or \
             leave the keyword out and check it in the tool"
        ));
    }
}

/// Whether a part of a schema has an id, which changes the base of its
/// references.
pub(super) fn has_ids(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members
            .each()
            .any(|(_, one)| one.member("$id").is_some_and(Value::is_string) || has_ids(one)),
        Value::Array(items) => items
            .iter()
            .any(|one| one.member("$id").is_some_and(Value::is_string) || has_ids(one)),
        _ => false,
    }
}

/// Returns the keyword that an unknown one was probably meant to be. Short ones
/// resemble too many words.
fn slip(keyword: &str) -> Option<&'static str> {
    let long = CHECKED.iter().chain(STANDARD).copied();
    let meant = nearest(keyword, long.filter(|known| known.len() >= 7))?;
    (keyword.len().abs_diff(meant.len()) <= 1).then_some(meant)
}
