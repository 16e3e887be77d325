//! The definition of a prompt: what the client and the server know before it is
//! requested.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::CommonDefinition;
use super::common::common_methods;
use crate::args::CompiledArgs;
use crate::support::json::Members as _;

/// A prompt's name, description, arguments and policy. (Specification:
/// `Prompt`.)
///
/// `#[prompt]` makes one from the function and its argument struct. A prompt
/// known only at run time builds it with these methods; mistakes in it are
/// errors of [`ServerBuilder::build`](crate::server::ServerBuilder::build).
///
/// ```
/// use mcp_kit::prompt::{PromptArgument, PromptDefinition};
///
/// let definition = PromptDefinition::new("review", "Reviews a file.")
///     .with_title("Code review")
///     .with_argument(PromptArgument::new("path").with_description("The file.").with_required(true))
///     .with_argument(PromptArgument::new("focus"));
/// let names: Vec<_> = definition.arguments().iter().map(PromptArgument::name).collect();
/// assert_eq!(names, ["path", "focus"]);
/// ```
#[derive(Clone, Debug)]
pub struct PromptDefinition {
    pub(crate) common: CommonDefinition,
    arguments: Vec<PromptArgument>,
}

impl PromptDefinition {
    /// Creates the definition of a prompt without arguments.
    ///
    /// Names have 1 to 64 characters of `A–Z a–z 0–9 _ . -`; people choose the
    /// prompt by its name or title, and read the description beside it.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of(CommonDefinition::new(name.into(), description.into()))
    }

    /// Creates the definition of a prompt whose argument struct is known.
    pub(crate) fn of(mut common: CommonDefinition) -> Self {
        let arguments = listed(&common.arguments);
        let schema = common.arguments.schema();
        let structured = arguments.iter().filter_map(|argument| {
            let what = other_than_text(schema.at("properties").at(argument.name()), schema)?;
            Some(format!(
                "its argument \"{}\" is {what}, but the arguments of a prompt are texts; use a text, a number, a boolean or an enum of names",
                argument.name()
            ))
        });
        let structured: Vec<_> = structured.collect();
        common.problems.extend(structured);
        Self { common, arguments }
    }

    /// Adds an argument, which is a text. The handler reads it with
    /// [`Call::arguments`](crate::call::Call::arguments). A request with other
    /// arguments, or without a required one, is refused.
    #[must_use]
    pub fn with_argument(mut self, argument: PromptArgument) -> Self {
        if self
            .arguments
            .iter()
            .any(|other| other.name == argument.name)
        {
            let problem = format!("two arguments are named \"{}\"; rename one", argument.name);
            self.common.problems.push(problem);
            return self;
        }
        self.arguments.push(argument);
        let properties: Map<_, _> = (self.arguments.iter())
            .map(|argument| {
                let description = argument.description().unwrap_or_default();
                let schema = json!({"type": "string", "description": description});
                (argument.name.to_string(), schema)
            })
            .collect();
        let required = self.arguments.iter().filter(|argument| argument.required);
        let required: Vec<_> = required.map(PromptArgument::name).collect();
        let schema = json!({"type": "object", "properties": properties, "required": required});
        match CompiledArgs::from_schema(schema) {
            Ok(arguments) => self.common.arguments = Arc::new(arguments),
            Err(problems) => self.common.problems.extend(problems),
        }
        self
    }

    common_methods! {}

    /// Returns the prompt's name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common.name
    }

    /// Returns the arguments, in the order in which they were declared.
    #[must_use]
    pub fn arguments(&self) -> &[PromptArgument] {
        &self.arguments
    }
}

/// An argument of a prompt, as a list shows it. On the wire its value is a
/// text. (Specification: `PromptArgument`.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptArgument {
    name: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'static, str>>,
    required: bool,
}

impl PromptArgument {
    /// Creates an optional argument without a description.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            description: None,
            required: false,
        }
    }

    /// Sets the description, for people.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets whether a request must have the argument.
    #[must_use]
    pub fn with_required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the description.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whether a request must have the argument.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }
}

/// Returns the arguments that a schema describes.
fn listed(arguments: &CompiledArgs) -> Vec<PromptArgument> {
    let schema = arguments.schema();
    let is_required = |name: &str| {
        let required = schema.at("required").as_array();
        required.is_some_and(|required| required.iter().any(|other| other == name))
    };
    let names = arguments.declared_names().into_iter();
    names
        .map(|name| PromptArgument {
            required: is_required(name),
            description: schema.at("properties")[name]
                .at("description")
                .as_str()
                .map(|text| Cow::Owned(text.to_owned())),
            name: Cow::Owned(name.to_owned()),
        })
        .collect()
}

/// How many references and alternatives are followed inside each other.
const DEEPEST: u32 = 16;

/// Returns what a schema admits, if it admits nothing that can be sent as a
/// text.
pub(super) fn other_than_text(schema: &Value, root: &Value) -> Option<&'static str> {
    inside(schema, root, DEEPEST)
}

fn inside(schema: &Value, root: &Value, depth: u32) -> Option<&'static str> {
    let depth = depth.checked_sub(1)?;
    if let Some(reference) = schema.at("$ref").as_str() {
        let pointed = root.pointer(reference.strip_prefix('#')?)?;
        return inside(pointed, root, depth);
    }
    if let Some(branches) = schema
        .at("anyOf")
        .as_array()
        .or(schema.at("oneOf").as_array())
    {
        let mut found = None;
        for branch in branches {
            found = Some(inside(branch, root, depth)?);
        }
        return found;
    }
    let types = match schema.at("type") {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return None, // any JSON
    };
    let is_text = |name: &&str| matches!(*name, "string" | "number" | "integer" | "boolean");
    if types.iter().any(is_text) {
        return None;
    }
    Some(match types.first() {
        Some(&"object") => "an object",
        Some(&"array") => "a list",
        _ => "always null",
    })
}
