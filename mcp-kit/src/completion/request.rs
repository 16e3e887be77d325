//! Reads `completion/complete`: the prompt or template, the argument, and the
//! arguments that were chosen before.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::CompletionRequest;
use crate::primitive::Kind;
use crate::protocol::params::{Params, members};
use crate::protocol::{RpcError, json_string};

/// Returns the kind and the key of what is completed, and the request for its handler.
pub(super) fn read(params: &Params<'_>) -> Result<(Kind, String, CompletionRequest), RpcError> {
    let (kind, key) = params.reference.and_then(reference).ok_or_else(|| {
        RpcError::invalid_params(
            r#"Invalid params: "ref" must be {"type": "ref/prompt", "name": …} or {"type": "ref/resource", "uri": …}"#,
        )
    })?;
    let (name, value) = params.argument.and_then(argument).ok_or_else(|| {
        RpcError::invalid_params(
            r#"Invalid params: "argument" must have a "name" and a "value", each a string"#,
        )
    })?;
    let context = params.context.filter(|context| context.get() != "null");
    let arguments = context
        .map_or_else(|| Some(Vec::new()), chosen)
        .ok_or_else(|| {
            RpcError::invalid_params(
                r#"Invalid params: "context" must have "arguments", an object of strings"#,
            )
        })?;
    let request = CompletionRequest {
        name: name.into_owned(),
        value: value.into_owned(),
        arguments,
    };
    Ok((kind, key.into_owned(), request))
}

/// Reads the prompt or template whose argument is completed: its kind, and its name or
/// URI.
fn reference(value: &RawValue) -> Option<(Kind, Cow<'_, str>)> {
    let reference = members(value);
    match &*text(&reference, "type")? {
        "ref/prompt" => Some((Kind::Prompt, text(&reference, "name")?)),
        "ref/resource" => Some((Kind::ResourceTemplate, text(&reference, "uri")?)),
        _ => None,
    }
}

/// Reads the argument that is completed: its name, and the text that it has so far.
fn argument(value: &RawValue) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let argument = members(value);
    Some((text(&argument, "name")?, text(&argument, "value")?))
}

/// Reads the arguments that were chosen before.
fn chosen(context: &RawValue) -> Option<Vec<(String, String)>> {
    if !context.get().starts_with('{') {
        return None;
    }
    let context = members(context);
    let mut all = context.iter().filter(|(name, _)| name == "arguments");
    let arguments = match (all.next(), all.next()) {
        (Some((_, arguments)), None) => serde_json::from_str(arguments.get()).ok()?,
        (None, _) => return Some(Vec::new()),
        _ => return None,
    };
    let Value::Object(arguments) = arguments else {
        return None;
    };
    let texts = arguments.into_iter().map(|(name, value)| match value {
        Value::String(value) => Some((name, value)),
        _ => None,
    });
    texts.collect()
}

/// Returns a member that must be given once, as a string.
fn text<'a>(members: &[(Cow<'a, str>, &'a RawValue)], name: &str) -> Option<Cow<'a, str>> {
    let mut all = members.iter().filter(|(other, _)| other == name);
    match (all.next(), all.next()) {
        (Some((_, value)), None) => json_string(value.get()),
        _ => None,
    }
}
