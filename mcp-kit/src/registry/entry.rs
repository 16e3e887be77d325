//! A tool as the server holds it: with its chain and its limits.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::call::Target;
#[cfg(feature = "http")]
use crate::middleware::RateLimit;
use crate::primitive::{Annotations, ToolDefinition, WarningCode};
use crate::protocol::{Era, encode};

#[derive(Clone)]
pub(crate) struct ToolEntry {
    pub(crate) target: Arc<Target>,
    pub(crate) definition: ToolDefinition,
    pub(crate) accepted_warnings: Box<[WarningCode]>,
    /// The tool in a list, as JSON: legacy, modern.
    listed: [Arc<str>; 2],
    /// Where in the chain a rate limit goes, if the tool has none yet.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "only HTTP has a rate by default")
    )]
    unlimited_at: Option<usize>,
}

impl ToolEntry {
    pub(crate) fn new(
        target: Target,
        definition: ToolDefinition,
        accepted_warnings: Vec<WarningCode>,
        unlimited_at: Option<usize>,
    ) -> Self {
        Self {
            listed: listings(&definition, target.info.annotations()),
            target: Arc::new(target),
            definition,
            accepted_warnings: accepted_warnings.into(),
            unlimited_at,
        }
    }

    /// The same tool with a rate limit, if it has none yet.
    #[cfg(feature = "http")]
    pub(crate) fn limited(&self, limit: &RateLimit) -> Option<Self> {
        let at = self.unlimited_at?;
        let mut layers = self.target.layers.to_vec();
        layers.insert(at, Arc::new(limit.clone()));
        let target = Target {
            layers: layers.into(),
            ..(*self.target).clone()
        };
        Some(Self {
            target: Arc::new(target),
            unlimited_at: None,
            ..self.clone()
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.target.info.name()
    }

    pub(crate) fn definition(&self) -> &ToolDefinition {
        &self.definition
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
