//! The differences of prompts from other primitives: their definition and its
//! form in lists, that their arguments are texts, and that a failure is a
//! JSON-RPC error.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Definition, KindRow, Reply, as_protocol_error};
use crate::completion::OF_PROMPTS;
use crate::primitive::{
    CommonDefinition, Icon, Kind, PrimitiveInfo, PromptArgument, PromptDefinition, WarningCode,
    common_warnings,
};
use crate::protocol::{Era, RpcError, encode};

/// The row of prompts.
static PROMPTS: KindRow = KindRow {
    kind: Kind::Prompt,
    has_text_arguments: true,
    write,
    failure: as_protocol_error,
    unknown: |_, kind, name| RpcError::unknown(kind.as_str(), name),
    completing: Some(&OF_PROMPTS),
};

impl Definition for PromptDefinition {
    fn row(&self) -> &'static KindRow {
        &PROMPTS
    }

    fn common(&self) -> &CommonDefinition {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonDefinition {
        &mut self.common
    }

    fn listing(&self, _: &PrimitiveInfo, _: Era) -> String {
        encode::json_text(&Listed {
            name: self.name(),
            title: self.title(),
            description: self.description(),
            arguments: self.arguments(),
            icons: &self.common.icons,
            meta: &self.common.meta,
        })
    }

    fn problems(&self) -> Vec<String> {
        self.common.problems(Kind::Prompt, "people")
    }

    fn warnings(&self, _: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)> {
        common_warnings(&self.common, timeout)
    }

    #[cfg(feature = "cli")]
    fn describe(&self, _: &PrimitiveInfo, text: &mut String) {
        super::shown::describe(self, text);
    }

    #[cfg(feature = "cli")]
    fn shown_result(&self, result: &Value) -> String {
        super::shown::result(result)
    }
}

fn write(out: &mut Vec<u8>, _: Era, reply: &Reply) {
    let Some(result) = reply.as_prompt() else {
        return; // of another kind: no prompt's chain ends so
    };
    if let Some(description) = &result.description {
        out.extend_from_slice(br#""description":"#);
        encode::string(out, description);
        out.push(b',');
    }
    out.extend_from_slice(br#""messages":"#);
    encode::json(out, &result.messages);
}

/// A prompt in a list.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    description: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    arguments: &'a [PromptArgument],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: &'a Map<String, Value>,
}
