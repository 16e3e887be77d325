//! What works, and could serve models and hosts better. What cannot work is an
//! error of `build()` instead.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::{Server, ToolPolicy};
use crate::tool::ToolDefinition;

/// A description shorter than this, in characters, hardly says when to use a
/// tool.
const SHORTEST_DESCRIPTION: usize = 12;

/// Several hosts cut longer descriptions.
const LONGEST_DESCRIPTION: usize = 1_024;

/// Hosts put the server's name in front, and allow 60 or 64 characters in all.
const LONGEST_NAME: usize = 40;

/// How long the clients of the official SDKs wait for an answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(60);

/// Something that could be better; found by [`Server::warnings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    tool: Option<String>,
    text: String,
}

impl Warning {
    /// The tool that it is about; `None` where it is about the server.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tool {
            Some(tool) => write!(f, "tool \"{tool}\": {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Server {
    /// What works, and could serve models and hosts better: names,
    /// descriptions and hints, each with what to do. A good test is that there
    /// are none.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for policy in self.policies() {
            let tool = policy.definition().name();
            warnings.extend(tool_warnings(policy).into_iter().map(|text| Warning {
                tool: Some(tool.to_owned()),
                text,
            }));
        }
        warnings.extend(
            self.own_warnings()
                .into_iter()
                .map(|text| Warning { tool: None, text }),
        );
        warnings
    }

    fn own_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let names: Vec<_> = self.tools().map(ToolDefinition::name).collect();
        if names.is_empty() {
            warnings.push("the server has no tools; add one with .tool::<name>()".to_owned());
        }
        let with_underscore = names.iter().find(|name| name.contains('_'));
        let with_hyphen = names.iter().find(|name| name.contains('-'));
        let with_capital = names
            .iter()
            .find(|name| name.bytes().any(|byte| byte.is_ascii_uppercase()));
        let styles: Vec<_> = [with_underscore, with_hyphen, with_capital]
            .into_iter()
            .flatten()
            .collect();
        if let [one, other, ..] = styles[..]
            && one != other
        {
            warnings.push(format!(
                "the tools' names mix styles (\"{one}\", \"{other}\"); models guess names, so keep to one"
            ));
        }
        for (at, name) in names.iter().enumerate() {
            if let Some(other) = names[..at]
                .iter()
                .find(|other| other.eq_ignore_ascii_case(name))
            {
                warnings.push(format!(
                    "the names \"{other}\" and \"{name}\" differ in case alone; rename one"
                ));
            }
        }
        warnings
    }
}

fn tool_warnings(policy: ToolPolicy<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    let definition = policy.definition();
    name_warnings(definition.name(), &mut warnings);
    description_warnings(definition, &mut warnings);
    hint_warnings(definition, &mut warnings);
    argument_warnings(definition.input_schema(), &mut warnings);
    if policy.timeout() > CLIENT_PATIENCE {
        warnings.push(
            "its timeout is over 60 s, when most clients have given up; shorten it, or tell users to raise the client's".to_owned(),
        );
    }
    warnings
}

fn name_warnings(name: &str, warnings: &mut Vec<String>) {
    if name.len() > LONGEST_NAME {
        warnings.push(format!(
            "its name is longer than {LONGEST_NAME} characters; hosts put the server's name in front, and some allow 60 characters in all"
        ));
    }
    if name.contains('.') {
        warnings.push("its name has a dot, which some models' APIs refuse; use _ or -".to_owned());
    }
}

fn description_warnings(definition: &ToolDefinition, warnings: &mut Vec<String>) {
    let description = definition.description().trim();
    let length = description.chars().count();
    if length < SHORTEST_DESCRIPTION {
        warnings.push(
            "its description is too short for a model to know when to use it; say what it does and what comes back".to_owned(),
        );
    } else if length > LONGEST_DESCRIPTION {
        warnings.push(format!(
            "its description is longer than {LONGEST_DESCRIPTION} characters; some hosts cut it there"
        ));
    }
    let hides_something = |character: char| character != '\n' && crate::text::is_unsafe(character);
    if description.contains(hides_something) {
        warnings.push(
            "its description holds invisible characters; hosts may take it for an attack, so remove them".to_owned(),
        );
    }
}

fn hint_warnings(definition: &ToolDefinition, warnings: &mut Vec<String>) {
    let hints = definition.annotations();
    if hints.read_only == Some(true) {
        if hints.destructive == Some(true) {
            warnings.push("it says both read_only and destructive; keep one".to_owned());
        }
    } else if hints.destructive.is_none() {
        warnings.push(
            "it says neither read_only nor destructive, so clients take it for destructive and may ask before each call; write read_only, or destructive = false".to_owned(),
        );
    }
    if hints.open_world.is_none() {
        warnings.push(
            "it does not say open_world, so clients assume that it reaches the outside; write open_world = false if it does not".to_owned(),
        );
    }
}

fn argument_warnings(schema: &Value, warnings: &mut Vec<String>) {
    let undescribed: Vec<_> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| !is_described(schema))
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    match undescribed.as_slice() {
        [] => {}
        [name] => warnings.push(format!(
            "its argument {name} has no description; write a doc comment on the field"
        )),
        names => warnings.push(format!(
            "its arguments {} have no description; write doc comments on the fields",
            names.join(", ")
        )),
    }
}

fn is_described(schema: &Value) -> bool {
    schema["description"]
        .as_str()
        .is_some_and(|text| !text.trim().is_empty())
        || schema.get("$ref").is_some()
}
