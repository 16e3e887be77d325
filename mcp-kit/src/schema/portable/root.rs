//! Merges a choice between objects at the root of an input: clients see one
//! object, with the choice in words.

use serde_json::{Map, Value};

use super::choice::{
    OF_AN_OBJECT, Object, branches, either, line, properties, required, tag_of, tag_schema,
    tag_values,
};
use crate::schema::tidy::{describe, describe_list};
use crate::support::json::Members as _;

/// Merges a choice between objects at the root of an input into one object:
/// every member of any of them, the members that all of them require as
/// required, and the choice in words. It admits more than the choice does; the
/// check does not.
///
/// Returns false if one object cannot express it.
pub(super) fn merge(root: &mut Object) -> bool {
    let keyword = match (root.has("oneOf"), root.has("anyOf")) {
        (true, false) => "oneOf",
        (false, true) => "anyOf",
        _ => return false,
    };
    let others = ["allOf", "not", "if", "$ref", "enum", "patternProperties"];
    if others.iter().any(|other| root.contains_key(*other)) {
        return false;
    }
    let Some(all) = branches(root, keyword).and_then(mergeable) else {
        return false;
    };
    root.remove_member(keyword);
    let shared = Shared::of(root, &all);
    let tag = tag_of(&all);
    describe_choice(root, &all, &shared, tag.as_deref());
    let mut merged = Map::new();
    for name in &shared.names {
        let of_one = |object: &Object| object.member("properties")?.get(name).cloned();
        let schemas = std::iter::once(&*root).chain(&all).filter_map(of_one);
        merged.insert(name.clone(), either(schemas.collect()));
    }
    if let Some(tag) = &tag {
        let lines = all.iter().flat_map(|branch| {
            let words = shared.words(branch, Some(tag));
            let values = tag_values(branch, tag).unwrap_or_default();
            values
                .into_iter()
                .map(move |value| line(&value, &words).into())
        });
        let lines = lines.collect();
        merged.insert(tag.clone(), tag_schema(&all, tag, lines));
    }
    root.set_member("properties", merged.into());
    if shared.required.is_empty() {
        root.remove_member("required");
    } else {
        root.set_member("required", shared.required.into());
    }
    if !root.has("additionalProperties")
        && let Some(rest) = all
            .first()
            .and_then(|one| one.member("additionalProperties"))
        && all
            .iter()
            .all(|branch| branch.member("additionalProperties") == Some(rest))
    {
        root.set_member("additionalProperties", rest.clone());
    }
    true
}

/// Returns the alternatives, each as an object without a choice of its own.
fn mergeable(branches: &[Value]) -> Option<Vec<Object>> {
    let object = |branch: &Value| {
        let mut branch = branch.as_object()?.clone();
        if (branch.has("oneOf") || branch.has("anyOf")) && !merge(&mut branch) {
            return None;
        }
        let known = branch
            .names()
            .all(|keyword| OF_AN_OBJECT.contains(&keyword.as_str()));
        let is_object = branch.member("type").is_none_or(|kind| kind == "object");
        (known && is_object).then_some(branch)
    };
    branches.iter().map(object).collect()
}

/// The common part of the alternatives.
struct Shared {
    /// Every member's name.
    names: Vec<String>,
    /// The members that every alternative requires.
    required: Vec<String>,
    /// Members of all alternatives, which need no words.
    common: Vec<String>,
}

impl Shared {
    fn of(root: &Object, all: &[Object]) -> Self {
        let mut names: Vec<String> = Vec::new();
        for (name, _) in std::iter::once(root).chain(all).flat_map(properties) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let in_all = |name: &String| all.iter().all(|branch| required(branch).contains(&name));
        let mut of_all: Vec<String> = required(root).into_iter().cloned().collect();
        let more = names.iter().filter(|name| in_all(name));
        let more: Vec<String> = more
            .filter(|name| !of_all.contains(name))
            .cloned()
            .collect();
        of_all.extend(more);
        let has = |object: &Object, name: &String| properties(object).any(|(own, _)| own == name);
        let common = names
            .iter()
            .filter(|name| has(root, name) || all.iter().all(|branch| has(branch, name)));
        Self {
            common: common.cloned().collect(),
            required: of_all,
            names,
        }
    }

    /// Describes what one alternative requires and accepts in addition to the
    /// common part.
    fn words(&self, branch: &Object, tag: Option<&str>) -> String {
        let (needs, takes) = self.members(branch, tag);
        let mut words = Map::new();
        words.extend(
            branch
                .member("description")
                .map(|said| ("description".to_owned(), said.clone())),
        );
        let said = match (needs.is_empty(), takes.is_empty()) {
            (true, true) => "no further arguments".to_owned(),
            (true, false) => format!("takes {}", takes.join(", ")),
            (false, true) => format!("needs {}", needs.join(", ")),
            (false, false) => format!("needs {}; takes {}", needs.join(", "), takes.join(", ")),
        };
        describe(&mut words, &[said]);
        match words.remove_member("description") {
            Some(Value::String(words)) => words,
            _ => String::new(),
        }
    }

    fn members<'b>(&self, branch: &'b Object, tag: Option<&str>) -> (Vec<&'b str>, Vec<&'b str>) {
        let own = |name: &str| Some(name) != tag && !self.required.iter().any(|of| of == name);
        let needs: Vec<&str> = required(branch)
            .into_iter()
            .map(String::as_str)
            .filter(|name| own(name))
            .collect();
        let takes = properties(branch)
            .map(|(name, _)| name.as_str())
            .filter(|name| {
                own(name) && !needs.contains(name) && !self.common.iter().any(|of| of == name)
            });
        let takes = takes.collect();
        (needs, takes)
    }
}

/// Describes the choice, if no tag has the words.
fn describe_choice(root: &mut Object, all: &[Object], shared: &Shared, tag: Option<&str>) {
    if tag.is_some() {
        return;
    }
    let sets: Vec<_> = all
        .iter()
        .map(|branch| shared.members(branch, None))
        .collect();
    let keys: Option<Vec<&str>> = sets
        .iter()
        .map(|set| match (set.0.as_slice(), set.1.as_slice()) {
            ([key], []) => Some(*key),
            _ => None,
        })
        .collect();
    match keys {
        Some(keys) if all.iter().all(|branch| !branch.has("description")) => {
            describe(root, &[format!("give exactly one of: {}", keys.join(", "))]);
        }
        keys => {
            let lines = all.iter().map(|branch| {
                let key = required(branch).first().map_or("", |name| name.as_str());
                match &keys {
                    Some(_) => {
                        let words = branch.text("description");
                        line(&key.into(), words.unwrap_or_default())
                    }
                    None => shared.words(branch, None),
                }
            });
            let lines: Vec<String> = lines.collect();
            let heading = if keys.is_some() {
                "Give exactly one of:"
            } else {
                "Give the arguments of one of these:"
            };
            describe_list(root, heading, &lines);
        }
    }
}
