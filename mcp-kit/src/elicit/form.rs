//! A form, compiled when it is first asked, and its schema as clients accept it: a
//! flat object whose properties have the few keywords that the specification lists.
//!
//! It is made of two schemas of the same type: the published one of arguments,
//! for all but choices, and the one with notes, which still has the labels of
//! an enum's values. Keywords that a form cannot have are described in words.
//!
//! A published form is kept as text, because clients ask for its fields in the order
//! in which it lists them, and a `Value` sorts them by name.

use std::sync::OnceLock;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::ElicitForm;
use crate::args::shape::Shape;
use crate::args::{ArgsSpec, CompiledArgs, Decoded, Violations, noted};
use crate::protocol::ProtocolVersion;
use crate::schema::text_form::words_of_format;
use crate::schema::{NOTES, ORDER, TextRule, describe};

/// The place of a form that is compiled once.
#[derive(Debug, Default)]
pub struct FormCell(OnceLock<Result<Form, String>>);

/// A form's published schemas, and the checks of its answers.
#[derive(Debug)]
pub(crate) struct Form {
    args: CompiledArgs,
    published: Published,
}

impl FormCell {
    /// Creates the place of a form.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }
}

impl Form {
    /// Returns a type's form, or why it is not a form: the author's mistake.
    pub(crate) fn of<T: ElicitForm>() -> Result<&'static Self, &'static str> {
        let FormCell(cell) = T::__form();
        let compiled = cell.get_or_init(|| Self::compile(&T::__spec()));
        compiled.as_ref().map_err(String::as_str)
    }

    fn compile(spec: &ArgsSpec) -> Result<Self, String> {
        let compiled = CompiledArgs::of(spec).and_then(|args| {
            let published = publish(spec, args.schema())?;
            Ok(Self { args, published })
        });
        compiled.map_err(|problems| problems.join("; "))
    }

    /// Returns the `requestedSchema` for a client of this version; `None` if the
    /// version has no form of a field.
    pub(crate) fn schema(&self, version: ProtocolVersion) -> Option<&RawValue> {
        match version {
            ProtocolVersion::V2025_11_25 | ProtocolVersion::V2026_07_28 => {
                Some(&self.published.current)
            }
            _ => self.published.of_2025_06_18.as_deref(),
        }
    }

    /// Decodes and checks the answer: the text of a JSON object.
    pub(crate) fn read<T: ElicitForm>(&self, content: Option<&str>) -> Result<T, Violations> {
        let decoded = match self.args.decode(content)? {
            Decoded::Typed(value) => value.downcast().ok(),
            Decoded::Json(_) => None,
        };
        decoded.map(|value| *value).ok_or_else(Violations::unnamed)
    }
}

type Object = Map<String, Value>;

/// A form's schemas.
#[derive(Debug)]
struct Published {
    /// For 2025-11-25 and later.
    current: Box<RawValue>,
    /// For 2025-06-18, which has no choice of several values.
    of_2025_06_18: Option<Box<RawValue>>,
}

/// The formats that a form's text can have.
const FORMATS: &[&str] = &["email", "uri", "date", "date-time"];

/// A value that can be chosen, and its label.
struct Choice {
    value: String,
    label: Option<String>,
}

/// Returns a form's schemas, or the problems that its author must fix.
fn publish(spec: &ArgsSpec, published: &Value) -> Result<Published, Vec<String>> {
    let noted = noted(spec)?;
    let mut current = Object::new();
    let mut older = Some(Object::new());
    let mut problems = Vec::new();
    let fields = published["properties"].as_object();
    for (name, field) in fields.into_iter().flatten() {
        let noted = &noted["properties"][name];
        let Some((newest, old)) = field.as_object().and_then(|field| of_field(field, noted)) else {
            problems.push(format!(
                "`{}`: {name:?} cannot be a field of a form: a form is flat, and a field is a text, a \
                 number, a boolean, an enum of names, or a list of such an enum",
                spec.type_name
            ));
            continue;
        };
        current.insert(name.clone(), newest.into());
        older = older.zip(old).map(|(mut older, old)| {
            older.insert(name.clone(), old.into());
            older
        });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let order = field_order((spec.shape)());
    let form = |properties: Object| {
        let mut fields: Vec<_> = properties.into_iter().collect();
        fields.sort_by_key(|(name, _)| order.iter().position(|field| field == name));
        to_raw_value(&Text {
            r#type: "object",
            properties: Fields(fields),
            required: published.get("required"),
        })
        .map_err(|error| vec![format!("`{}`: {error}", spec.type_name)])
    };
    Ok(Published {
        current: form(current)?,
        of_2025_06_18: older.map(form).transpose()?,
    })
}

/// A form as it is sent.
#[derive(Serialize)]
struct Text<'a> {
    r#type: &'static str,
    properties: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<&'a Value>,
}

/// Fields in the order in which they are asked.
struct Fields(Vec<(String, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, field)| (name, field)))
    }
}

/// Returns the names of a struct's fields on the wire, in their order.
fn field_order(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Struct(shape) => shape.fields.iter().map(|field| field.wire).collect(),
        Shape::Same(shape) | Shape::Said(_, shape) => field_order(shape()),
        _ => Vec::new(),
    }
}

/// Returns a field in its newest form and in that of 2025-06-18, if there is
/// one. `None` if the field is not flat.
fn of_field(field: &Object, noted: &Value) -> Option<(Object, Option<Object>)> {
    if let Some(choices) = choices(noted) {
        let mut one = annotations(field, noted);
        one.insert("type".into(), "string".into());
        copy(field, &mut one, &["enumNames"]);
        let mut old = one.clone();
        if is_labelled(&choices) {
            one.insert("oneOf".into(), labelled(&choices));
            old.insert("enum".into(), values(&choices));
            old.insert("enumNames".into(), labels(&choices));
        } else {
            one.insert("enum".into(), values(&choices));
            old = one.clone();
        }
        return Some((one, Some(old)));
    }
    match field.get("type")?.as_str()? {
        "array" => {
            let choices = choices(noted.get("items")?)?;
            let mut list = annotations(field, noted);
            list.insert("type".into(), "array".into());
            copy(field, &mut list, &["minItems", "maxItems"]);
            let items = match is_labelled(&choices) {
                true => json!({ "anyOf": labelled(&choices) }),
                false => json!({ "type": "string", "enum": values(&choices) }),
            };
            list.insert("items".into(), items);
            Some((list, None))
        }
        "string" => Some(same(of_text(field, noted))),
        "boolean" => {
            let mut flag = annotations(field, noted);
            copy(field, &mut flag, &["type"]);
            Some(same(flag))
        }
        "integer" | "number" => {
            let mut number = annotations(field, noted);
            copy(field, &mut number, &["type", "minimum", "maximum"]);
            let limits = [
                ("exclusiveMinimum", "must be more than"),
                ("exclusiveMaximum", "must be less than"),
                ("multipleOf", "must be a multiple of"),
            ];
            let words = limits.iter().filter_map(|(keyword, words)| {
                field.get(*keyword).map(|limit| format!("{words} {limit}"))
            });
            describe_once(&mut number, words);
            Some(same(number))
        }
        _ => None,
    }
}

fn of_text(field: &Object, noted: &Value) -> Object {
    let mut text = annotations(field, noted);
    copy(field, &mut text, &["type", "minLength", "maxLength"]);
    let mut words = Vec::new();
    match field.get("format").and_then(Value::as_str) {
        Some(format) if FORMATS.contains(&format) => {
            text.insert("format".into(), format.into());
        }
        Some(format) => words.extend(words_of_format(format).map(str::to_owned)),
        None => {}
    }
    let rules = noted[NOTES]["rules"].as_array().into_iter().flatten();
    let mut rules = rules
        .filter_map(|noted| {
            let rule = TextRule::of_value(noted.get("rule")?)?;
            let is_format = matches!(&rule, TextRule::Form(_)) && text.contains_key("format");
            (!is_format).then(|| match noted.get("says").and_then(Value::as_str) {
                Some(says) => says.to_owned(),
                None => rule.says(),
            })
        })
        .peekable();
    if let Some(pattern) = field.get("pattern").and_then(Value::as_str)
        && rules.peek().is_none()
    {
        words.push(format!("must match the regular expression `{pattern}`"));
    }
    words.extend(rules);
    describe_once(&mut text, words);
    text
}

/// Returns the members that every field can have.
fn annotations(field: &Object, noted: &Value) -> Object {
    let mut own = Object::new();
    copy(field, &mut own, &["title", "default"]);
    // The published description also lists the values of a choice.
    let described = noted.get("description").or_else(|| {
        let has_choices = choices(noted).is_some() || choices(&noted["items"]).is_some();
        field.get("description").filter(|_| !has_choices)
    });
    own.extend(described.map(|text| ("description".to_owned(), text.clone())));
    own
}

fn copy(from: &Object, to: &mut Object, keywords: &[&str]) {
    for keyword in keywords {
        if let Some(value) = from.get(*keyword) {
            to.insert((*keyword).to_owned(), value.clone());
        }
    }
}

fn same(field: Object) -> (Object, Option<Object>) {
    let old = field.clone();
    (field, Some(old))
}

/// Adds rules in words to a description that does not state them yet.
fn describe_once(field: &mut Object, words: impl IntoIterator<Item = String>) {
    for words in words {
        let said = field.get("description").and_then(Value::as_str);
        let said = said.unwrap_or_default().to_lowercase();
        if !said.contains(&words.to_lowercase()) {
            describe(field, &[words]);
        }
    }
}

/// Returns the values of an enum of names, in the order of their declaration;
/// `None` for any other schema.
fn choices(noted: &Value) -> Option<Vec<Choice>> {
    let noted = noted.as_object()?;
    let branches = |keyword: &str| noted.get(keyword).and_then(Value::as_array);
    if let Some(all) = noted.get("enum").and_then(Value::as_array) {
        return all
            .iter()
            .filter(|value| !value.is_null())
            .map(unlabelled)
            .collect();
    }
    if let Some([inner, null]) = branches("anyOf").map(Vec::as_slice)
        && null.get("type") == Some(&json!("null"))
    {
        return choices(inner);
    }
    let all = branches("oneOf").or_else(|| branches("anyOf"))?;
    let mut found = Vec::new();
    for branch in all {
        match (branch.get("const"), branch.get("enum")) {
            (Some(value), _) => found.push(Choice {
                label: label(branch),
                ..unlabelled(value)?
            }),
            (None, Some(Value::Array(values))) => {
                for value in values {
                    found.push(unlabelled(value)?);
                }
            }
            _ => return None,
        }
    }
    let order = noted
        .get(NOTES)
        .and_then(|notes| notes.get(ORDER)?.as_array());
    if let Some(order) = order {
        let place = |choice: &Choice| order.iter().position(|value| *value == choice.value);
        found.sort_by_key(place);
    }
    Some(found)
}

fn unlabelled(value: &Value) -> Option<Choice> {
    Some(Choice {
        value: value.as_str()?.to_owned(),
        label: None,
    })
}

/// Returns the label of a value: its title, or the first paragraph of its
/// description.
fn label(branch: &Value) -> Option<String> {
    if let Some(title) = branch.get("title").and_then(Value::as_str) {
        return Some(title.to_owned());
    }
    let text = branch.get("description").and_then(Value::as_str)?;
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_suffix('.').unwrap_or(&line);
    (!line.is_empty()).then(|| line.to_owned())
}

fn is_labelled(choices: &[Choice]) -> bool {
    choices.iter().any(|choice| choice.label.is_some())
}

fn labelled(choices: &[Choice]) -> Value {
    let one = |choice: &Choice| json!({ "const": choice.value, "title": choice.label() });
    choices.iter().map(one).collect()
}

fn labels(choices: &[Choice]) -> Value {
    choices
        .iter()
        .map(|choice| Value::from(choice.label()))
        .collect()
}

fn values(choices: &[Choice]) -> Value {
    choices
        .iter()
        .map(|choice| Value::from(choice.value.as_str()))
        .collect()
}

impl Choice {
    fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.value)
    }
}
