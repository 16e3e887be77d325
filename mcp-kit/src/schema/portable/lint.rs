//! Finds the parts of a published schema that some hosts refuse.

use serde_json::{Map, Value};

use super::is_exact;
use crate::schema::tidy::inside;
use crate::support::json::Members as _;

/// The longest property name that the models' APIs accept.
const LONGEST_NAME: usize = 64;

/// A part that some hosts refuse, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// A choice at the root of an input.
    Root(&'static str),
    /// A member's name, with the path to it.
    Name(String),
    /// A list whose items have different schemas by their position.
    MixedTuple(String),
    /// `uniqueItems`
    UniqueItems(String),
    /// A value with a number that not every reader holds exactly.
    LargeNumber(String),
}

/// Returns every part of a published schema that some hosts refuse.
pub(crate) fn obstacles(schema: &Value, input: bool) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let Some(root) = schema.as_object() else {
        return found;
    };
    if input {
        let keywords = ["oneOf", "anyOf", "allOf", "not", "enum", "if", "$ref"];
        let keyword = keywords
            .into_iter()
            .find(|keyword| root.contains_key(*keyword));
        found.extend(keyword.map(Obstacle::Root));
    }
    look(root, "", input, &mut found);
    found
}

fn look(object: &Map<String, Value>, at: &str, input: bool, found: &mut Vec<Obstacle>) {
    let place = || {
        if at.is_empty() {
            "the root".to_owned()
        } else {
            at.to_owned()
        }
    };
    let values = object.member("enum").and_then(Value::as_array);
    if values.is_some_and(|values| !values.iter().all(is_exact)) {
        found.push(Obstacle::LargeNumber(place()));
    }
    if input && object.at("uniqueItems") == true {
        found.push(Obstacle::UniqueItems(place()));
    }
    let prefix = object.member("prefixItems").and_then(Value::as_array);
    if input && prefix.is_some_and(|prefix| prefix.windows(2).any(|two| two[0] != two[1])) {
        found.push(Obstacle::MixedTuple(place()));
    }
    for (name, inner) in object.at("properties").each() {
        let at = join(at, name);
        if input && !is_plain(name) {
            found.push(Obstacle::Name(at.clone()));
        }
        if let Some(inner) = inner.as_object() {
            look(inner, &at, input, found);
        }
    }
    for (keyword, inner) in inside(object) {
        let Some(inner) = inner.as_object() else {
            continue;
        };
        match keyword {
            "properties" => {}
            "items" | "prefixItems" => look(inner, &format!("{at}[]"), input, found),
            "additionalProperties" | "patternProperties" => {
                look(inner, &format!("{at}[…]"), input, found);
            }
            _ => look(inner, at, input, found),
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}.{name}")
    }
}

fn is_plain(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}
