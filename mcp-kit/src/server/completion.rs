//! Reads `completion/complete`: the prompt or template, the argument, and the
//! arguments that were chosen before.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ServerInner;
use super::resources::Found;
use crate::call::{CompletionRequest, Subject};
use crate::primitive::Kind;
use crate::protocol::params::Params;
use crate::protocol::{Era, RpcError};

/// The prompt or template whose argument is completed.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Reference<'a> {
    #[serde(rename = "ref/prompt")]
    Prompt {
        #[serde(borrow)]
        name: Cow<'a, str>,
    },
    #[serde(rename = "ref/resource")]
    Resource {
        #[serde(borrow)]
        uri: Cow<'a, str>,
    },
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
struct Context {
    #[serde(default)]
    arguments: BTreeMap<String, String>,
}

impl ServerInner {
    /// Finds the completion of the parameter `ref`.
    pub(super) fn find_completion(&self, params: &Params<'_>, _: Era) -> Result<Found, RpcError> {
        let reference = read::<Reference<'_>>(params.reference).ok_or_else(|| {
            RpcError::invalid_params(
                r#"Invalid params: "ref" must be {"type": "ref/prompt", "name": …} or {"type": "ref/resource", "uri": …}"#,
            )
        })?;
        let argument: Argument = read(params.argument).ok_or_else(|| {
            RpcError::invalid_params(
                r#"Invalid params: "argument" must have a "name" and a "value", each a string"#,
            )
        })?;
        let context = match params.context.filter(|context| context.get() != "null") {
            None => Context::default(),
            context => read(context).ok_or_else(|| {
                RpcError::invalid_params(
                    r#"Invalid params: "context" must have "arguments", an object of strings"#,
                )
            })?,
        };
        let (kind, name) = match &reference {
            Reference::Prompt { name } => (Kind::Prompt, name),
            Reference::Resource { uri } => (Kind::ResourceTemplate, uri),
        };
        let target = self.registry.completion(kind, name);
        Ok(Found {
            target: target.ok_or_else(|| RpcError::unknown(&kind.to_string(), name))?,
            subject: Some(Box::new(Subject::Complete(CompletionRequest {
                name: argument.name,
                value: argument.value,
                arguments: context.arguments.into_iter().collect(),
            }))),
            arguments: None,
        })
    }
}

fn read<'a, T: Deserialize<'a>>(value: Option<&'a RawValue>) -> Option<T> {
    let text = value?.get();
    // serde would take a list for a struct, position by position.
    let is_object = text.starts_with('{');
    is_object.then(|| serde_json::from_str(text).ok()).flatten()
}
