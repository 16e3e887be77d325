//! The differences of tools from other primitives: their definition and its
//! form in lists, and that a failure is a result that reports it, for the model
//! to read.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::lint;
use crate::call::{Definition, Failure, KindRow, Middleware, Reply};
use crate::content::{Content, ToolResult};
use crate::middleware::ValidateOutput;
#[cfg(feature = "http")]
use crate::primitive::ParamHeader;
use crate::primitive::{
    Annotations, CommonDefinition, Icon, Kind, PrimitiveInfo, Scopes, TaskOffer, ToolDefinition,
    WarningCode,
};
use crate::protocol::{Era, RpcError, encode};
use crate::support::json::Members as _;

/// The row of tools.
static TOOLS: KindRow = KindRow {
    kind: Kind::Tool,
    has_text_arguments: false,
    write,
    failure,
    unknown: |_, kind, name| RpcError::unknown(kind.as_str(), name),
    completing: None,
};

impl Definition for ToolDefinition {
    fn row(&self) -> &'static KindRow {
        &TOOLS
    }

    fn common(&self) -> &CommonDefinition {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonDefinition {
        &mut self.common
    }

    fn info(&self, scopes: Scopes, defaults: &Annotations) -> PrimitiveInfo {
        PrimitiveInfo::new(Kind::Tool, &self.common, scopes)
            .with_annotations(hints(&self.annotations, defaults))
    }

    fn listing(&self, info: &PrimitiveInfo, era: Era) -> String {
        encode::json_text(&Listed {
            name: self.name(),
            title: self.title(),
            description: self.description(),
            input_schema: self.input_schema(),
            output_schema: self
                .output_schema()
                .filter(|schema| era == Era::Modern || is_object(schema)),
            annotations: info.annotations(),
            icons: &self.common.icons,
            meta: &self.common.meta,
        })
    }

    fn layers(&self) -> Vec<Arc<dyn Middleware>> {
        let output = self.output.iter();
        output
            .map(|schema| Arc::new(ValidateOutput::new(schema)) as Arc<dyn Middleware>)
            .collect()
    }

    fn task(&self) -> Option<TaskOffer> {
        self.task
    }

    fn problems(&self) -> Vec<String> {
        self.common.problems(Kind::Tool, "models")
    }

    fn warnings(&self, info: &PrimitiveInfo, timeout: Duration) -> Vec<(WarningCode, String)> {
        lint::warnings(self, info.annotations(), timeout)
    }

    #[cfg(feature = "http")]
    fn param_headers(&self) -> Result<Vec<ParamHeader>, String> {
        ParamHeader::all_of(self.input_schema())
    }

    #[cfg(feature = "cli")]
    fn describe(&self, info: &PrimitiveInfo, text: &mut String) {
        super::shown::describe(self, info, text);
    }

    #[cfg(feature = "cli")]
    fn shown_result(&self, result: &Value) -> String {
        super::shown::result(result)
    }
}

fn failure(failure: Failure<'_>) -> Result<Reply, RpcError> {
    Ok(ToolResult::error(failure.text).into())
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: &'a Map<String, Value>,
}

/// Whether a schema describes an object. In the legacy era structured content
/// must be one: clients drop a tool, or the whole list, with any other output
/// schema.
fn is_object(schema: &Value) -> bool {
    schema.text("type") == Some("object")
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
