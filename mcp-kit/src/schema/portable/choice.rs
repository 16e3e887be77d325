//! Simplifies choices between values, which become one `enum`, and between
//! objects that differ in one tag, which become one object. Choices at the root
//! of an input are in `root`.

use serde_json::{Map, Value, json};

use super::null::unwrap;
use crate::schema::compile::NOTES;
use crate::schema::tidy::{describe, describe_list};
use crate::support::json::{Members as _, to_text};
use crate::support::sort::sort_by;

pub(super) type Object = Map<String, Value>;

/// The note with the words of an enum's values, for the description.
const VALUES: &str = "values";

/// The note with an enum's values in the order of their declaration.
pub(crate) const ORDER: &str = "order";

/// The keywords that an alternative that is one value may have.
const OF_A_VALUE: &[&str] = &["type", "enum", "description", "title", "deprecated", NOTES];

/// The keywords that an alternative that is merged with others may have.
pub(super) const OF_AN_OBJECT: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "description",
    "title",
    "deprecated",
    NOTES,
];

/// Publishes a choice between values, or between tags, as an `enum`.
pub(super) fn values(object: &mut Object, typed: bool) {
    if !object.has("enum")
        && let Some(value) = object.remove_member("const")
    {
        object.set_member("enum", json!([value]));
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some([Value::Object(only)]) = branches(object, keyword) {
            let only = only.clone();
            unwrap(object, keyword, only);
        }
        if keyword == "anyOf" {
            splice(object);
        }
        one_enum(object, keyword, typed);
        one_tag(object, keyword);
    }
    if typed
        && !object.has("anyOf")
        && let Some(branches) = object.remove_member("oneOf")
    {
        object.set_member("anyOf", branches);
    }
    if !object.has("type")
        && let Some(values) = object.member("enum").and_then(Value::as_array)
        && let Some(kind) = type_of(values)
    {
        object.set_member("type", kind);
    }
}

/// Merges a choice within a choice into one choice.
fn splice(object: &mut Object) {
    let Some(Value::Array(all)) = object.member_mut("anyOf") else {
        return;
    };
    let inner = |branch: &Value| {
        let branch = branch.as_object()?;
        let alone = branch
            .names()
            .all(|keyword| keyword == "anyOf" || keyword == NOTES);
        branch
            .member("anyOf")
            .filter(|_| alone)?
            .as_array()
            .cloned()
    };
    *all = std::mem::take(all)
        .into_iter()
        .flat_map(|branch| inner(&branch).unwrap_or_else(|| vec![branch]))
        .collect();
}

/// Writes the words of values into the descriptions, once all choices are
/// merged.
pub(super) fn write_words(object: &mut Object) {
    let lines: Vec<String> = object
        .get(NOTES)
        .and_then(|notes| notes.get(VALUES)?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect();
    if !lines.is_empty() {
        describe_list(object, "", &lines);
    }
}

pub(super) fn branches<'o>(object: &'o Object, keyword: &str) -> Option<&'o [Value]> {
    object.member(keyword)?.as_array().map(Vec::as_slice)
}

pub(super) fn has_type(object: &Object, name: &str) -> bool {
    match object.member("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    }
}

/// Returns a schema that admits what any of some schemas admits.
pub(super) fn either(schemas: Vec<Value>) -> Value {
    let mut different: Vec<Value> = Vec::new();
    for schema in schemas {
        match different.iter_mut().find(|known| alike(known, &schema)) {
            Some(known) => describe_alike(known, &schema),
            None => different.push(schema),
        }
    }
    if let Some(any) = different.iter().find(|schema| is_any(schema)) {
        return any.clone();
    }
    if different.len() == 1 {
        return different.remove(0);
    }
    json!({ "anyOf": different })
}

/// Whether two schemas differ at most in their words.
fn alike(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return a == b;
    };
    let rules = |of: &Object| {
        let mut of = of.clone();
        of.remove_member("description");
        of
    };
    rules(a) == rules(b)
}

fn describe_alike(known: &mut Value, other: &Value) {
    let words = |of: &Value| of.at("description").as_str().unwrap_or_default().to_owned();
    let (own, more) = (words(known), words(other));
    if let Some(known) = known.as_object_mut()
        && !own.contains(&more)
    {
        describe(known, &[more]);
    }
}

fn is_any(schema: &Value) -> bool {
    schema
        .as_object()
        .is_some_and(|object| object.names().all(|keyword| keyword == "description"))
}

fn type_of(values: &[Value]) -> Option<Value> {
    let mut names: Vec<&str> = Vec::new();
    for value in values {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::String(_) => "string",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::Array(_) | Value::Object(_) => return None,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if let Some(at) = names.iter().position(|name| *name == "null") {
        let null = names.remove(at);
        names.push(null);
    }
    match names.as_slice() {
        [] => None,
        [one] => Some((*one).into()),
        [_, "null"] => Some(names.into()),
        _ => None,
    }
}

/// Merges alternatives that are values into one list of values, which is the
/// whole schema if there are no other alternatives.
fn one_enum(object: &mut Object, keyword: &str, typed: bool) {
    let Some(all) = branches(object, keyword) else {
        return;
    };
    let (values, others): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|branch| listed(branch).is_some());
    if values.len() < 2 || others.is_empty() && object.has("enum") {
        return;
    }
    let order = object
        .member(NOTES)
        .and_then(|notes| notes.at(ORDER).as_array());
    let exactly_one = keyword == "oneOf" && !typed;
    let Some(one) = joined(&values, order.map(Vec::as_slice), exactly_one) else {
        return;
    };
    if others.is_empty() {
        unwrap(object, keyword, one);
    } else {
        let mut all: Vec<Value> = vec![one.into()];
        all.extend(others.into_iter().cloned());
        object.set_member(keyword, all.into());
    }
}

/// Returns the values of an alternative that consists only of values.
fn listed(branch: &Value) -> Option<Vec<Value>> {
    let branch = branch.as_object()?;
    let mut keywords = branch.names();
    if !keywords.all(|keyword| OF_A_VALUE.contains(&keyword.as_str())) {
        return None;
    }
    match branch.member("enum") {
        Some(values) => values.as_array().cloned(),
        None if branch.at("type") == "null" => Some(vec![Value::Null]),
        None => None,
    }
}

/// Returns one list of values. `None` if exactly one of the alternatives may
/// fit, and two of them have the same value.
fn joined(branches: &[&Value], order: Option<&[Value]>, exactly_one: bool) -> Option<Object> {
    let mut values: Vec<Value> = Vec::new();
    let mut lines: Vec<Value> = Vec::new();
    let mut one = Map::new();
    for branch in branches {
        let own = listed(branch)?;
        let said = branch.member("description");
        let noted = branch
            .member(NOTES)
            .and_then(|notes| notes.at(VALUES).as_array());
        match (own.as_slice(), said.and_then(Value::as_str)) {
            ([value], Some(said)) if !value.is_null() && noted.is_none() => {
                lines.push(line(value, said).into());
            }
            (_, Some(said)) => {
                if !one.has("description") {
                    one.set_member("description", said.into());
                }
            }
            (_, None) => {}
        }
        lines.extend(noted.into_iter().flatten().cloned());
        for value in own {
            if !values.contains(&value) {
                values.push(value);
            } else if exactly_one {
                return None;
            }
        }
    }
    if let Some(order) = order {
        in_order(order, &mut values, &mut lines);
    }
    if let Some(kind) = type_of(&values) {
        one.set_member("type", kind);
    }
    one.set_member("enum", values.into());
    if !lines.is_empty() {
        note(&mut one, VALUES, lines.into());
    }
    Some(one)
}

/// Restores the order of the declaration, which schemars changes if some
/// variants are documented and some are not.
fn in_order(order: &[Value], values: &mut [Value], lines: &mut [Value]) {
    sort(values, &|value| order.iter().position(|of| of == value));
    sort(lines, &|line| {
        let line = line.as_str().unwrap_or_default();
        order.iter().position(|of| {
            line.strip_prefix(&to_text(of))
                .is_some_and(|rest| rest.starts_with(':'))
        })
    });
}

/// Sorts values by their places, those without one last.
fn sort(values: &mut [Value], place: &dyn Fn(&Value) -> Option<usize>) {
    let place = |value: &Value| place(value).unwrap_or(usize::MAX);
    sort_by(values, &|a, b| place(a).cmp(&place(b)));
}

/// Formats `"fast": Goes fast.`; the value alone if there are no words.
pub(super) fn line(value: &Value, words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let value = to_text(value);
    if words.is_empty() {
        return value;
    }
    format!("{value}: {words}")
}

fn note(object: &mut Object, key: &str, value: Value) {
    if let Some(notes) = object.member_or(NOTES, json!({})) {
        notes.set_member(key, value);
    }
}

/// Merges alternatives that are objects and differ in the value of one required
/// member into one object.
fn one_tag(object: &mut Object, keyword: &str) {
    let Some(all) = branches(object, keyword).and_then(objects) else {
        return;
    };
    let Some(tag) = tag_of(&all) else {
        return;
    };
    let rest = |branch: &Object| {
        let mut branch = branch.clone();
        branch.remove_member("description");
        branch.remove_member("title");
        branch.remove_member(NOTES);
        if let Some(properties) = branch
            .member_mut("properties")
            .and_then(Value::as_object_mut)
        {
            properties.insert(tag.clone(), json!({}));
        }
        branch
    };
    let first = rest(&all[0]);
    if all.iter().any(|branch| rest(branch) != first) {
        return;
    }
    let lines: Vec<Value> = all
        .iter()
        .flat_map(|branch| {
            let words = branch.text("description");
            let values = tag_values(branch, &tag).unwrap_or_default();
            words.map(|words| {
                values
                    .iter()
                    .map(|value| line(value, words).into())
                    .collect::<Vec<_>>()
            })
        })
        .flatten()
        .collect();
    let mut one = first;
    if let Some(properties) = one.member_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(tag.clone(), tag_schema(&all, &tag, lines));
    }
    unwrap(object, keyword, one);
}

fn objects(branches: &[Value]) -> Option<Vec<Object>> {
    if branches.len() < 2 {
        return None;
    }
    let object = |branch: &Value| {
        let branch = branch.as_object()?;
        let known = branch
            .names()
            .all(|keyword| OF_AN_OBJECT.contains(&keyword.as_str()));
        (known && branch.has("properties")).then(|| branch.clone())
    };
    branches.iter().map(object).collect()
}

/// Returns the member that distinguishes the alternatives: required in each,
/// and with distinct values in each.
pub(super) fn tag_of(branches: &[Object]) -> Option<String> {
    let first = branches.first()?.member("properties")?.as_object()?;
    first
        .keys()
        .find(|name| {
            let mut all: Vec<String> = Vec::new();
            let has_tags = branches.iter().all(|branch| {
                let values = tag_values(branch, name).unwrap_or_default();
                let texts = values.iter().filter_map(Value::as_str);
                let before = all.len();
                all.extend(texts.map(str::to_owned));
                let are_texts = !values.is_empty() && all.len() - before == values.len();
                are_texts && required(branch).contains(name)
            });
            sort_by(&mut all, &Ord::cmp);
            has_tags && all.windows(2).all(|two| two[0] != two[1])
        })
        .cloned()
}

pub(super) fn tag_values(branch: &Object, tag: &str) -> Option<Vec<Value>> {
    branch
        .member("properties")?
        .get(tag)?
        .member("enum")?
        .as_array()
        .cloned()
}

pub(super) fn tag_schema(branches: &[Object], tag: &str, lines: Vec<Value>) -> Value {
    let values: Vec<Value> = branches
        .iter()
        .filter_map(|branch| tag_values(branch, tag))
        .flatten()
        .collect();
    let mut schema = Map::new();
    schema.set_member("type", json!("string"));
    schema.set_member("enum", values.into());
    if !lines.is_empty() {
        note(&mut schema, VALUES, lines.into());
    }
    schema.into()
}

pub(super) fn required(object: &Object) -> Vec<&String> {
    // Names are strings in every schema that compiles.
    let list = object.member("required").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|name| match name {
            Value::String(name) => Some(name),
            _ => None,
        })
        .collect()
}

pub(super) fn properties(object: &Object) -> impl Iterator<Item = (&String, &Value)> {
    let properties = object.member("properties").and_then(Value::as_object);
    properties.into_iter().flatten()
}
