//! Where the suggestions for each argument of a primitive come from.

use std::sync::Arc;

use serde_json::Value;

use crate::args::CompiledArgs;
use crate::call::{Call, ErasedCompleter, Error, ErrorKind, Handler, NextFuture};
use crate::content::Completions;
use crate::support::json::Members as _;
use crate::support::text::excerpt;

/// Suggests values for the arguments of one prompt or template.
pub(super) struct CompletionHandler {
    arguments: Vec<(String, Source)>,
}

enum Source {
    /// There are no suggestions.
    None,
    /// The schema admits these values alone.
    Values(Vec<String>),
    Function(ErasedCompleter),
}

impl CompletionHandler {
    /// Reads the suggestions for the declared arguments from their schema, and
    /// adds the author's functions. Returns also the arguments that have suggestions.
    pub(super) fn of(
        arguments: &CompiledArgs,
        functions: Vec<(String, ErasedCompleter)>,
    ) -> (Arc<dyn Handler>, Vec<String>) {
        let handler = Self::new(&arguments.declared_names(), arguments.schema(), functions);
        let completed = handler.completed();
        (Arc::new(handler), completed)
    }

    fn new(names: &[&str], schema: &Value, functions: Vec<(String, ErasedCompleter)>) -> Self {
        let mut arguments: Vec<_> = names
            .iter()
            .map(|name| {
                let values = values_of(schema.at("properties").at(name), schema, DEEPEST);
                let source = values.map_or(Source::None, Source::Values);
                ((*name).to_owned(), source)
            })
            .collect();
        for (name, function) in functions {
            if let Some((_, source)) = arguments.iter_mut().find(|(other, _)| *other == name) {
                *source = Source::Function(function);
            }
        }
        Self { arguments }
    }

    /// Returns the names of the arguments that have suggestions.
    fn completed(&self) -> Vec<String> {
        let arguments = self.arguments.iter();
        let completed = arguments.filter(|(_, source)| !matches!(source, Source::None));
        completed.map(|(name, _)| name.clone()).collect()
    }

    fn names(&self) -> String {
        let names = self.arguments.iter().map(|(name, _)| name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }
}

impl Handler for CompletionHandler {
    fn run(&self, call: Call) -> NextFuture<'_> {
        let Some(request) = call.completion() else {
            return ready(Err(Error::internal("the call completes no argument")));
        };
        let mut arguments = self.arguments.iter();
        let source = arguments.find(|(name, _)| name == request.argument_name());
        match source.map(|(_, source)| source) {
            Some(Source::Function(function)) => function(call),
            Some(Source::Values(values)) => {
                let typed = request.value().to_lowercase();
                let matching = values
                    .iter()
                    .filter(|value| value.to_lowercase().starts_with(&typed));
                ready(Ok(Completions::new(matching.cloned().collect())))
            }
            Some(Source::None) => ready(Ok(Completions::default())),
            None => ready(Err(Error::refusal(
                ErrorKind::InvalidArguments,
                format!(
                    "Unknown argument \"{}\"; the arguments are {}",
                    excerpt(request.argument_name()),
                    self.names()
                ),
            ))),
        }
    }
}

fn ready(outcome: Result<Completions, Error>) -> NextFuture<'static> {
    Box::pin(std::future::ready(outcome.map(Into::into)))
}

/// How many references and alternatives are followed inside each other.
const DEEPEST: u32 = 16;

/// Returns the texts that a schema admits, if it lists them.
fn values_of(schema: &Value, root: &Value, depth: u32) -> Option<Vec<String>> {
    let depth = depth.checked_sub(1)?;
    if let Some(reference) = schema.at("$ref").as_str() {
        let pointed = root.pointer(reference.strip_prefix('#')?)?;
        return values_of(pointed, root, depth);
    }
    if let Some(branches) = schema
        .at("anyOf")
        .as_array()
        .or(schema.at("oneOf").as_array())
    {
        let mut all = Vec::new();
        for branch in branches.iter().filter(|branch| branch.at("type") != "null") {
            all.extend(values_of(branch, root, depth)?);
        }
        return Some(all);
    }
    if let Some(value) = schema.member("const") {
        return Some(text_of(value).into_iter().collect());
    }
    if let Some(values) = schema.at("enum").as_array() {
        return Some(values.iter().filter_map(text_of).collect());
    }
    (schema.at("type") == "boolean").then(|| vec!["true".to_owned(), "false".to_owned()])
}

/// Returns the text by which a client sends a value.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
