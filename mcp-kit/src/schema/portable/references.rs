//! References in schemas that are known only at run time: each is replaced by
//! what it points to, unless that is recursive.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::schema::tidy::{inside, inside_mut};

/// A schema that would become larger than this keeps its references.
const MAX_NODES: usize = 20_000;

/// Words about a place, which may differ from those of what it points to.
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

/// Replaces the references that are not recursive, and drops the definitions
/// that nothing points to any more.
pub(super) fn inline(schema: &mut Value) {
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

struct Expansion<'s> {
    source: &'s Value,
    recursive: BTreeMap<String, bool>,
    left: usize,
}

impl<'s> Expansion<'s> {
    fn target(&self, reference: &str) -> Option<&'s Value> {
        self.source.pointer(reference.strip_prefix('#')?)
    }

    /// `None` if the schema becomes too large.
    fn expand(&mut self, value: &mut Value) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let Value::Object(object) = value else {
            return Some(());
        };
        if let Some(reference) = reference_of(object)
            && !self.is_recursive(&reference)
            && let Some(target) = self.target(&reference)
        {
            object.remove("$ref");
            replace(object, target.clone());
            return self.expand(value);
        }
        inside_mut(object)
            .into_iter()
            .try_for_each(|(_, inner)| self.expand(inner))
    }

    /// Whether what a reference points to leads back to it.
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
    object.get("$ref")?.as_str().map(str::to_owned)
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

/// Puts what a reference points to beside the keywords that were next to it.
fn replace(object: &mut Map<String, Value>, target: Value) {
    let is_word = |keyword: &String| WORDS.contains(&keyword.as_str());
    match target {
        // Keywords look at their neighbours, so they are not mixed with others.
        Value::Object(target) if object.keys().all(is_word) => {
            for (keyword, value) in target {
                object.entry(keyword).or_insert(value);
            }
        }
        target => {
            let all = object.entry("allOf").or_insert_with(|| json!([]));
            if let Some(all) = all.as_array_mut() {
                all.push(target);
            }
        }
    }
}

fn drop_unused(schema: &mut Value) {
    for keyword in ["$defs", "definitions"] {
        let Some(Value::Object(definitions)) =
            schema.as_object_mut().and_then(|root| root.remove(keyword))
        else {
            continue;
        };
        let mut open = Vec::new();
        references(schema, &mut open);
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
                references(definition, &mut open);
                kept.insert(name, definition.clone());
            }
        }
        if let Some(root) = schema.as_object_mut()
            && !kept.is_empty()
        {
            root.insert(keyword.into(), kept.into());
        }
    }
}
