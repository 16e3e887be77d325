//! The fields of a form, as a person fills them in.

use serde_json::{Map, Number, Value};

use super::questions::yes_or_no;
use crate::schema::RunTime;
use crate::schema::shown::{bounds, kind};
use crate::support::json::Members as _;
use crate::support::sort;
use crate::support::text::{one_line, plain};

/// A field of a `requestedSchema`.
pub(super) struct Field<'a> {
    name: &'a str,
    schema: &'a Value,
    is_required: bool,
    /// What an empty line enters.
    default: Option<Value>,
    choices: Vec<Choice<'a>>,
}

/// A value that can be chosen, and its label.
struct Choice<'a> {
    value: &'a str,
    label: Option<&'a str>,
}

impl<'a> Field<'a> {
    /// Returns the fields of a form, in this order.
    pub(super) fn all_of(form: &'a Value, order: &[String]) -> Vec<Self> {
        let required = form.at("required").as_array();
        let fields: Vec<_> = form.at("properties").each().collect();
        let place = |name: &String| order.iter().position(|one| one == name);
        let compare = |a: usize, b: usize| place(fields[a].0).cmp(&place(fields[b].0));
        sort::order(fields.len(), &compare)
            .into_iter()
            .map(|index| fields[index])
            .map(|(name, schema)| {
                let has_name = |required: &Vec<Value>| required.iter().any(|one| one == name);
                Self {
                    name,
                    schema,
                    is_required: required.is_some_and(has_name),
                    default: schema
                        .member("default")
                        .filter(|value| !value.is_null())
                        .cloned(),
                    choices: choices(schema),
                }
            })
            .collect()
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// Replaces the default by the field's value in an earlier answer, if it has one.
    pub(super) fn with_default_of(mut self, earlier: &Map<String, Value>) -> Self {
        self.default = earlier.get(self.name).cloned().or(self.default);
        self
    }

    /// Describes the field, and lists its choices.
    pub(super) fn heading(&self) -> String {
        let title = self.schema.at("title").as_str().unwrap_or(self.name);
        let mut limits = self.schema.clone();
        if let Some(members) = limits.as_object_mut() {
            members.remove("default"); // the prompt has it
        }
        let kind = match (self.choices.is_empty(), self.is_list()) {
            (true, _) => kind(self.schema),
            (false, true) => "choices, with commas between them".to_owned(),
            (false, false) => "a choice".to_owned(),
        };
        let optional = if self.is_required { "" } else { ", optional" };
        let mut text = one_line(&format!("{title}: {kind}{}{optional}", bounds(&limits)));
        if let Some(description) = self.schema.at("description").as_str() {
            text.push_str(&format!(" – {}", one_line(description)));
        }
        text.push('\n');
        for (number, choice) in self.choices.iter().enumerate() {
            let label = choice.label.map(|label| format!(" – {label}"));
            let line = format!("{}{}", choice.value, label.unwrap_or_default());
            text.push_str(&format!("  {}  {}\n", number + 1, one_line(&line)));
        }
        text
    }

    /// Returns the name, and what an empty line enters.
    pub(super) fn prompt(&self) -> String {
        let default = self.default.as_ref().map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Bool(truth) => if *truth { "y" } else { "n" }.to_owned(),
            Value::Array(items) => {
                let items = items.iter().filter_map(Value::as_str);
                items.collect::<Vec<_>>().join(", ")
            }
            value => value.to_string(),
        });
        let default = default.map(|text| format!(" [{text}]"));
        let prompt = format!("{}{}: ", self.name, default.unwrap_or_default());
        plain(&prompt.replace('\n', " "))
    }

    /// Reads a line; `None` leaves the field out.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the value.
    pub(super) fn read(&self, line: &str) -> Result<Option<Value>, String> {
        if line.trim().is_empty() {
            return match (&self.default, self.is_required) {
                (Some(default), _) => Ok(Some(default.clone())),
                (None, false) => Ok(None),
                (None, true) if self.is_text() => {
                    Err("is required; write \"\" for an empty text".to_owned())
                }
                (None, true) => Err("is required".to_owned()),
            };
        }
        let value = self.value(line)?;
        // Choices have no other rules than their number.
        let checked = RunTime::of_output(self.schema);
        match checked.findings(&value.to_string()).into_iter().next() {
            Some(finding) => Err(finding.text.into_owned()),
            None => Ok(Some(value)),
        }
    }

    fn value(&self, line: &str) -> Result<Value, String> {
        let trimmed = line.trim();
        match self.schema.at("type").as_str() {
            _ if !self.choices.is_empty() && self.is_list() => {
                let chosen = trimmed.split(',').map(|one| self.choice(one.trim()));
                chosen.collect()
            }
            _ if !self.choices.is_empty() => self.choice(trimmed),
            Some("boolean") => match yes_or_no(trimmed) {
                Some(truth) => Ok(truth.into()),
                None => Err("must be y or n".to_owned()),
            },
            Some(kind @ ("integer" | "number")) => match serde_json::from_str::<Number>(trimmed) {
                Ok(number) => Ok(number.into()),
                Err(_) if kind == "integer" => Err("must be a whole number".to_owned()),
                Err(_) => Err("must be a number".to_owned()),
            },
            _ if trimmed == "\"\"" => Ok("".into()),
            _ => Ok(line.into()),
        }
    }

    /// Finds a choice by its value, its label or its number.
    fn choice(&self, entered: &str) -> Result<Value, String> {
        let lower = entered.to_lowercase();
        let is_same = |text: &str| text.to_lowercase() == lower;
        let exact = self.choices.iter().find(|choice| choice.value == entered);
        let found = exact.or_else(|| {
            let mut choices = self.choices.iter();
            choices.find(|choice| is_same(choice.value) || choice.label.is_some_and(is_same))
        });
        let numbered = || {
            let number: usize = entered.parse().ok()?;
            self.choices.get(number.checked_sub(1)?)
        };
        match found.or_else(numbered) {
            Some(choice) => Ok(choice.value.into()),
            None => Err("must be one of the choices: write its number or its value".to_owned()),
        }
    }

    fn is_list(&self) -> bool {
        self.schema.at("type") == "array"
    }

    fn is_text(&self) -> bool {
        self.choices.is_empty() && self.schema.at("type") == "string"
    }
}

/// Returns the values that a field, or an item of its list, can have.
fn choices(schema: &Value) -> Vec<Choice<'_>> {
    let schema = schema.member("items").unwrap_or(schema);
    let labelled = schema
        .at("oneOf")
        .as_array()
        .or(schema.at("anyOf").as_array());
    if let Some(labelled) = labelled {
        let choices = labelled.iter().filter_map(|choice| {
            Some(Choice {
                value: choice.at("const").as_str()?,
                label: choice.at("title").as_str(),
            })
        });
        return choices.collect();
    }
    let values = schema.at("enum").as_array().into_iter().flatten();
    let values = values.filter_map(Value::as_str);
    values.map(|value| Choice { value, label: None }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: Value, line: &str) -> Result<Option<Value>, String> {
        let form = json!({"properties": {"field": schema}, "required": ["field"]});
        let fields = Field::all_of(&form, &[]);
        fields[0].read(line)
    }

    #[test]
    fn lines_become_values_of_the_fields_type() {
        let meals = json!({
            "type": "array", "minItems": 1, "maxItems": 2,
            "items": {"anyOf": [
                {"const": "soup", "title": "Soup of the day"},
                {"const": "salad", "title": "Salad"},
                {"const": "2", "title": "The second dish"},
            ]}
        });
        for (schema, line, value) in [
            (json!({"type": "integer"}), " 4 ", json!(4)),
            (json!({"type": "number"}), "2.5", json!(2.5)),
            (json!({"type": "boolean"}), "Yes", json!(true)),
            (json!({"type": "string"}), " a ", json!(" a ")),
            (json!({"type": "string"}), "\"\"", json!("")),
            (
                json!({"type": "string", "enum": ["a", "b"]}),
                "B",
                json!("b"),
            ),
            (meals.clone(), "1, SALAD", json!(["soup", "salad"])),
            (meals.clone(), "2", json!(["2"])),
        ] {
            assert_eq!(read(schema, line), Ok(Some(value)), "{line}");
        }
        for (schema, line, problem) in [
            (json!({"type": "integer"}), "x", "must be a whole number"),
            (json!({"type": "integer"}), "1.5", "must be a whole number"),
            (json!({"type": "number"}), "1e", "must be a number"),
            (
                json!({"type": "number", "minimum": 1}),
                "0.5",
                "must be at least 1",
            ),
            (json!({"type": "boolean"}), "maybe", "must be y or n"),
            (
                json!({"type": "string", "maxLength": 2}),
                "abc",
                "must have at most 2 characters",
            ),
            (json!({"type": "string"}), "", "write \"\""),
            (meals.clone(), "1, 1, 1", "must have at most 2 items"),
            (meals, "soap", "must be one of the choices"),
        ] {
            let read = read(schema, line);
            assert!(
                read.as_ref().is_err_and(|text| text.contains(problem)),
                "{line}: {read:?}"
            );
        }
    }
}
