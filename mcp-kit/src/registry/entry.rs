//! A tool as the server holds it: with its chain and its bounds.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::args::Acceptance;
use crate::call::Middleware;
use crate::content::ToolResult;
#[cfg(feature = "http")]
use crate::middleware::RateLimit;
use crate::observe::ToolMeter;
use crate::primitive::WarningCode;
use crate::primitive::{Annotations, ToolDefinition};
use crate::protocol::{Era, encode};
use crate::tool::Tool;

#[derive(Clone)]
pub(crate) struct ToolEntry {
    pub(crate) tool: Arc<dyn Tool>,
    pub(crate) layers: Box<[Arc<dyn Middleware>]>,
    /// How long a call may take. The chain's `Timeout` has the same.
    pub(crate) timeout: Duration,
    pub(crate) result_bytes: usize,
    pub(crate) meter: ToolMeter,
    /// How the tool takes arguments that are not written as its schema has them.
    pub(crate) acceptance: Acceptance,
    /// The tool's hints, and the server's for those that it does not set.
    pub(crate) annotations: Annotations,
    pub(crate) accepted_warnings: Box<[WarningCode]>,
    /// The tool in a list, as JSON: legacy, modern.
    listed: [Arc<str>; 2],
    /// Where in the chain a rate limit stands, if the tool has none yet.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "only HTTP has a rate by default")
    )]
    unlimited_at: Option<usize>,
}

impl ToolEntry {
    pub(crate) fn new(
        tool: Arc<dyn Tool>,
        layers: Vec<Arc<dyn Middleware>>,
        timeout: Duration,
        result_bytes: usize,
        unlimited_at: Option<usize>,
        meter: ToolMeter,
        acceptance: Acceptance,
    ) -> Self {
        let annotations = tool.definition().annotations().clone();
        Self {
            listed: listings(tool.definition(), &annotations),
            annotations,
            accepted_warnings: Box::default(),
            tool,
            layers: layers.into(),
            timeout,
            result_bytes,
            meter,
            acceptance,
            unlimited_at,
        }
    }

    /// The same tool with these hints.
    pub(crate) fn with_hints(mut self, annotations: Annotations) -> Self {
        self.listed = listings(self.tool.definition(), &annotations);
        self.annotations = annotations;
        self
    }

    pub(crate) fn with_accepted_warnings(mut self, codes: Vec<WarningCode>) -> Self {
        self.accepted_warnings = codes.into();
        self
    }

    /// The same tool with a rate limit, if it has none yet.
    #[cfg(feature = "http")]
    pub(crate) fn limited(&self, limit: &RateLimit) -> Option<Self> {
        let at = self.unlimited_at?;
        let mut layers = self.layers.to_vec();
        layers.insert(at, Arc::new(limit.clone()));
        Some(Self {
            layers: layers.into(),
            unlimited_at: None,
            ..self.clone()
        })
    }

    pub(crate) fn definition(&self) -> &ToolDefinition {
        self.tool.definition()
    }

    /// Whether the result is within the tool's bound.
    pub(crate) fn takes(&self, result: &ToolResult) -> bool {
        result.fits(self.result_bytes)
    }

    pub(crate) fn listed(&self, era: Era) -> &str {
        match era {
            Era::Legacy => &self.listed[0],
            Era::Modern => &self.listed[1],
        }
    }
}

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

/// The tool in a list of the legacy and of the modern era.
fn listings(definition: &ToolDefinition, annotations: &Annotations) -> [Arc<str>; 2] {
    [Era::Legacy, Era::Modern].map(|era| Listed::json(definition, annotations, era))
}

impl Listed<'_> {
    fn json(definition: &ToolDefinition, annotations: &Annotations, era: Era) -> Arc<str> {
        let listed = Listed {
            name: definition.name(),
            title: definition.title.as_deref(),
            description: definition.description(),
            input_schema: definition.input_schema(),
            output_schema: definition
                .output_schema()
                .filter(|schema| era == Era::Modern || is_object(schema)),
            annotations,
        };
        let mut json = Vec::new();
        encode::json(&mut json, &listed);
        String::from_utf8(json).unwrap_or_default().into()
    }
}

/// The legacy era knows structured content that is an object, and no other:
/// clients drop a tool, or the whole list, that says otherwise.
fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}
