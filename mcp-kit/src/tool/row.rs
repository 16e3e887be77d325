//! The differences of tools from other primitives: their definition and its
//! form in lists, and that a failure is a result that reports it, for the model
//! to read.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::lint;
use crate::args::CompiledArgs;
use crate::call::{Definition, ErrorKind, KindRow, Middleware, OwnLimits, Reply};
use crate::content::{Content, ToolResult};
use crate::middleware::ValidateOutput;
#[cfg(feature = "http")]
use crate::primitive::ParamHeader;
use crate::primitive::{Annotations, Kind, PrimitiveInfo, Scopes, ToolDefinition, WarningCode};
use crate::protocol::{Era, RpcError, encode};

/// The row of tools.
static TOOLS: KindRow = KindRow {
    kind: Kind::Tool,
    write,
    failure,
};

impl Definition for ToolDefinition {
    fn row(&self) -> &'static KindRow {
        &TOOLS
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn rename(&mut self, name: String) {
        self.name = name.into();
    }

    fn info(&self, scopes: Scopes, defaults: &Annotations) -> PrimitiveInfo {
        PrimitiveInfo::of_tool(self, scopes, hints(&self.annotations, defaults))
    }

    fn listing(&self, info: &PrimitiveInfo, era: Era) -> String {
        let listed = Listed {
            name: &self.name,
            title: self.title.as_deref(),
            description: &self.description,
            input_schema: self.input_schema(),
            output_schema: self
                .output_schema()
                .filter(|schema| era == Era::Modern || is_object(schema)),
            annotations: info.annotations(),
        };
        let mut json = Vec::new();
        encode::json(&mut json, &listed);
        String::from_utf8(json).unwrap_or_default()
    }

    fn arguments(&self) -> &Arc<CompiledArgs> {
        &self.arguments
    }

    fn limits(&self) -> OwnLimits {
        OwnLimits {
            timeout: self.timeout,
            result_bytes: self.result_bytes,
            concurrency: self.concurrency,
            rate: self.rate,
        }
    }

    fn layers(&self) -> Vec<Arc<dyn Middleware>> {
        let output = self.output.iter();
        output
            .map(|schema| Arc::new(ValidateOutput::new(schema)) as Arc<dyn Middleware>)
            .collect()
    }

    fn problems(&self) -> Vec<String> {
        let name = &self.name;
        let no_description = self
            .description
            .trim()
            .is_empty()
            .then(|| format!("tool \"{name}\" has no description; models choose tools by it"));
        let others = self.problems.iter();
        name_problem(name)
            .into_iter()
            .chain(no_description)
            .chain(others.map(|problem| format!("tool \"{name}\": {problem}")))
            .collect()
    }

    fn warnings(&self, info: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)> {
        lint::warnings(self, info.annotations(), timeout)
    }

    fn accepted_warnings(&self) -> &[WarningCode] {
        &self.accepted_warnings
    }

    #[cfg(feature = "http")]
    fn param_headers(&self) -> Result<Vec<ParamHeader>, String> {
        ParamHeader::all_of(self.input_schema())
    }
}

/// Returns what is wrong with a tool's name, if anything is.
fn name_problem(name: &str) -> Option<String> {
    let is_valid = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    (!is_valid).then(|| {
        format!(
            "\"{}\" is not a valid tool name: use 1 to 64 characters of A-Z a-z 0-9 _ . -",
            crate::support::text::excerpt(name)
        )
    })
}

fn failure(_: ErrorKind, text: String) -> Result<Reply, RpcError> {
    Ok(ToolResult::error(text).into())
}

fn write(out: &mut Vec<u8>, era: Era, reply: &Reply) {
    let Some(result) = reply.as_tool() else {
        return; // of another kind: no tool's chain ends so
    };
    out.extend_from_slice(br#""content":["#);
    for (at, block) in result.content.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match block {
            Content::Text(text) => {
                out.extend_from_slice(br#"{"type":"text","text":"#);
                encode::string(out, text.as_str());
                out.push(b'}');
            }
            block => encode::json(out, block),
        }
    }
    out.push(b']');
    // In the legacy era structured content must be an object.
    if let Some(structured) = &result.structured
        && (era == Era::Modern || structured.get().starts_with('{'))
    {
        out.extend_from_slice(br#","structuredContent":"#);
        out.extend_from_slice(structured.get().as_bytes());
    }
    if result.is_error {
        out.extend_from_slice(br#","isError":true"#);
    }
}

/// A tool in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    input_schema: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a Value>,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: &'a Annotations,
}

/// Whether a schema describes an object. In the legacy era structured content
/// must be one: clients drop a tool, or the whole list, with any other output
/// schema.
fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}

/// Returns a tool's own hints, with the server's for those that it does not
/// set.
fn hints(own: &Annotations, default: &Annotations) -> Annotations {
    let mut hints = own.clone();
    let destructive = own.destructive == Some(true);
    let read_only = default
        .read_only
        .filter(|read_only| !(*read_only && destructive));
    hints.read_only = own.read_only.or(read_only);
    let is_read_only = hints.read_only == Some(true);
    hints.destructive = own
        .destructive
        .or(default.destructive.filter(|_| !is_read_only));
    hints.idempotent = own.idempotent.or(default.idempotent);
    hints.open_world = own.open_world.or(default.open_world);
    hints
}
