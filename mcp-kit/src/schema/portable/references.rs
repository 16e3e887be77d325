//! Replaces each reference in a run-time schema with its target, unless that is
//! recursive.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::schema::tidy::{inside, inside_mut};
use crate::support::json::Members as _;

/// A schema that would become larger than this keeps its references.
const MAX_NODES: usize = 20_000;

/// Annotations of a place, which may differ from those of the reference's
/// target.
const WORDS: &[&str] = &[
    "$comment",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// Replaces the references that are not recursive, and removes the definitions
/// that are no longer used.
pub(super) fn inline(schema: &mut Value) {
    let mut all = Vec::new();
    mentions(schema, &mut all);
    let below = schema.each();
    let mut below = below.filter(|(keyword, _)| *keyword != "$id");
    // The root's own `$id` does not affect references that begin with `#`.
    if all.iter().any(|reference| !reference.starts_with('#'))
        || below.any(|(keyword, inner)| is_anchor(keyword, inner) || has_anchors(inner))
    {
        return;
    }
    let source = schema.clone();
    let mut expansion = Expansion {
        source: &source,
        recursive: BTreeMap::new(),
        left: MAX_NODES,
    };
    let mut expanded = source.clone();
    if expansion.expand(&mut expanded).is_none() {
        return;
    }
    drop_unused(&mut expanded);
    *schema = expanded;
}

/// Whether the meaning of references depends on their place: their targets then
/// cannot be moved.
fn has_anchors(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => object
            .iter()
            .any(|(keyword, inner)| is_anchor(keyword, inner) || has_anchors(inner)),
        Value::Array(items) => items.iter().any(has_anchors),
        _ => false,
    }
}

fn is_anchor(keyword: &str, value: &Value) -> bool {
    let anchors = ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef"];
    anchors.contains(&keyword) && value.is_string()
}

/// Collects every reference in a schema, also under unknown keywords.
fn mentions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(reference_of(object));
            object.values().for_each(|inner| mentions(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| mentions(inner, found)),
        _ => {}
    }
}

struct Expansion<'s> {
    source: &'s Value,
    recursive: BTreeMap<String, bool>,
    left: usize,
}

impl<'s> Expansion<'s> {
    fn target(&self, reference: &str) -> Option<&'s Value> {
        self.source.pointer(reference.strip_prefix('#')?)
    }

    /// Returns `None` if the schema becomes too large.
    fn expand(&mut self, value: &mut Value) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let Value::Object(object) = value else {
            return Some(());
        };
        if let Some(reference) = reference_of(object)
            && !self.is_recursive(&reference)
            && let Some(target) = self.target(&reference)
        {
            object.remove_member("$ref");
            replace(object, target.clone());
            return self.expand(value);
        }
        inside_mut(object)
            .into_iter()
            .try_for_each(|(_, inner)| self.expand(inner))
    }

    /// Whether a reference's target leads back to it.
    fn is_recursive(&mut self, reference: &str) -> bool {
        if let Some(known) = self.recursive.get(reference) {
            return *known;
        }
        let mut seen = BTreeSet::new();
        let mut open: Vec<String> = Vec::new();
        // The root contains everything, so it contains the reference to it.
        let mut found = self.target(reference).is_none() || reference == "#";
        if let Some(target) = self.target(reference) {
            references(target, &mut open);
        }
        while let (false, Some(next)) = (found, open.pop()) {
            found = next == reference || next == "#";
            if seen.insert(next.clone())
                && let Some(target) = self.target(&next)
            {
                references(target, &mut open);
            }
        }
        self.recursive.insert(reference.to_owned(), found);
        found
    }
}

fn reference_of(object: &Map<String, Value>) -> Option<String> {
    object.member("$ref")?.as_str().map(str::to_owned)
}

fn references(schema: &Value, found: &mut Vec<String>) {
    let Value::Object(object) = schema else {
        return;
    };
    found.extend(reference_of(object));
    for (_, inner) in inside(object) {
        references(inner, found);
    }
}

/// Puts a reference's target beside the keywords that were next to the
/// reference.
fn replace(object: &mut Map<String, Value>, target: Value) {
    let is_word = |keyword: &String| WORDS.contains(&keyword.as_str());
    match target {
        // Keywords depend on their neighbours, so they are not mixed with
        // others.
        Value::Object(target) if object.names().all(is_word) => {
            for (keyword, value) in target {
                object.member_or(&keyword, value);
            }
        }
        target => {
            let all = object.member_or("allOf", json!([]));
            if let Some(Value::Array(all)) = all {
                all.push(target);
            }
        }
    }
}

fn drop_unused(schema: &mut Value) {
    for keyword in ["$defs", "definitions"] {
        let Some(Value::Object(definitions)) = schema
            .as_object_mut()
            .and_then(|root| root.remove_member(keyword))
        else {
            continue;
        };
        let mut open = Vec::new();
        mentions(schema, &mut open);
        let mut kept = Map::new();
        while let Some(reference) = open.pop() {
            let name = reference
                .strip_prefix(&format!("#/{keyword}/"))
                .map(|rest| rest.split('/').next().unwrap_or_default())
                .map(|name| name.replace("~1", "/").replace("~0", "~"));
            if let Some(name) = name
                && !kept.contains_key(&name)
                && let Some(definition) = definitions.get(&name)
            {
                mentions(definition, &mut open);
                kept.insert(name, definition.clone());
            }
        }
        if let Some(root) = schema.as_object_mut()
            && !kept.is_empty()
        {
            root.set_member(keyword, kept.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inlined(mut schema: Value) -> Value {
        inline(&mut schema);
        schema
    }

    #[test]
    fn chains_and_siblings_are_inlined_and_circles_are_kept() {
        let schema = inlined(json!({
            "properties": {
                "a": {"$ref": "#/$defs/a", "description": "Mine."},
                "b": {"$ref": "#/$defs/b", "minLength": 2},
                "c": {"$ref": "#/$defs/c"},
                "default": {"$ref": "#/properties/a"}
            },
            "$defs": {
                "a": {"$ref": "#/$defs/b"},
                "b": {"type": "string", "description": "Theirs."},
                "c": {"items": {"$ref": "#/$defs/d"}},
                "d": {"not": {"$ref": "#/$defs/c"}}
            }
        }));
        assert_eq!(
            schema,
            json!({
                "properties": {
                    "a": {"type": "string", "description": "Mine."},
                    "b": {"minLength": 2, "allOf": [{"type": "string", "description": "Theirs."}]},
                    "c": {"$ref": "#/$defs/c"},
                    "default": {"type": "string", "description": "Mine."}
                },
                "$defs": {
                    "c": {"items": {"$ref": "#/$defs/d"}},
                    "d": {"not": {"$ref": "#/$defs/c"}}
                }
            })
        );
    }

    #[test]
    fn what_would_grow_without_measure_stays_as_it_is() {
        let mut definitions = Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/l{}", level + 1)});
            definitions.insert(format!("l{level}"), json!({"anyOf": [next, next]}));
        }
        definitions.insert("l40".into(), json!({"type": "string"}));
        let schema = json!({"properties": {"a": {"$ref": "#/$defs/l0"}}, "$defs": definitions});
        assert_eq!(inlined(schema.clone()), schema);
    }

    #[test]
    fn references_that_depend_on_their_place_stay() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {"$id": "urn:a", "items": {"$ref": "#/$defs/b"}, "$defs": {"b": {}}}}
        });
        assert_eq!(inlined(schema.clone()), schema);
    }

    #[test]
    fn the_roots_own_id_is_no_obstacle() {
        let schema = inlined(json!({
            "$id": "https://example.com/schemas/person",
            "properties": {"a": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {"type": "string"}}
        }));
        assert_eq!(schema["properties"]["a"], json!({"type": "string"}));
        let absolute = json!({
            "$id": "https://example.com/schemas/person",
            "properties": {"a": {"$ref": "https://example.com/schemas/person#/$defs/a"}},
            "$defs": {"a": {"type": "string"}}
        });
        assert_eq!(inlined(absolute.clone()), absolute);
    }
}
