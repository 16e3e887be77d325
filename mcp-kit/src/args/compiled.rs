//! A tool's arguments, compiled once when the server is built.

use std::any::Any;

use serde_json::{Map, Value, json};

use super::shape::Shape;
use super::{ArgsSpec, ArgumentNames, DecodeError, Violations, broken, publish};
use crate::schema::{self, Finding, Validator};

/// What a tool accepts: the published schema, and the decoder that keeps it.
#[derive(Debug)]
pub struct CompiledArgs {
    schema: Value,
    validator: Validator,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    Typed {
        decode: fn(&str) -> Result<Box<dyn Any + Send>, DecodeError>,
        shape: &'static Shape,
    },
    Json,
}

/// Arguments that passed.
#[derive(Debug)]
pub enum Decoded {
    /// The tool's own argument struct.
    Typed(Box<dyn Any + Send>),
    /// A run-time tool's arguments.
    Json(Map<String, Value>),
}

impl CompiledArgs {
    /// A tool without arguments: `{}` only.
    pub fn none() -> Self {
        let schema = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        let validator = schema::typed(&schema);
        Self {
            schema,
            validator,
            decoder: Decoder::Json,
        }
    }

    /// Compiles a type that derives `ToolArgs`.
    ///
    /// # Errors
    /// Everything on which the type's schema and its checks disagree, each with
    /// the type, the field and what to do.
    pub fn of(spec: &ArgsSpec) -> Result<Self, Vec<String>> {
        let noted = publish::publish(spec)?;
        Ok(Self {
            validator: schema::typed(&noted),
            schema: publish::strip(noted),
            decoder: Decoder::Typed {
                decode: spec.decode,
                shape: (spec.shape)(),
            },
        })
    }

    /// Compiles a JSON Schema (2020-12) that is known only at run time.
    ///
    /// The root has to describe an object. Arguments that it does not name are
    /// refused, unless it says `additionalProperties` itself. `format` is a
    /// remark, as the standard has it, except `ipv4` and `ipv6`, which are
    /// checked. `pattern` wants mcp-kit's feature `regex`.
    ///
    /// # Errors
    /// Keywords that are unknown or that mcp-kit cannot check, each with its
    /// place: such a schema would promise what nothing keeps.
    pub fn from_schema(mut schema: Value) -> Result<Self, Vec<String>> {
        let Some(root) = schema.as_object_mut() else {
            return Err(vec!["#: an input schema has to be an object".into()]);
        };
        match root.get("type") {
            None => {
                root.insert("type".into(), "object".into());
            }
            Some(kind) if kind == "object" => {}
            Some(_) => return Err(vec!["#: an input schema has to have `type: object`".into()]),
        }
        let combined = ["allOf", "anyOf", "oneOf", "$ref", "patternProperties"];
        if !combined.iter().any(|keyword| root.contains_key(*keyword)) {
            root.entry("additionalProperties")
                .or_insert(Value::Bool(false));
        }
        let validator = schema::run_time(&schema)?;
        Ok(Self {
            schema,
            validator,
            decoder: Decoder::Json,
        })
    }

    /// The published `inputSchema`.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Decodes and checks one call's `arguments`: the JSON text of an object.
    /// None and `null` count as `{}`.
    ///
    /// # Errors
    /// Everything that is wrong with them, as far as it can be told.
    pub fn decode(&self, raw: Option<&str>) -> Result<Decoded, Violations> {
        let raw = text_of(raw);
        let (refusal, shape) = match &self.decoder {
            Decoder::Typed { decode, shape } => match decode(raw) {
                Ok(value) if self.validator.admits_names(raw) => return Ok(Decoded::Typed(value)),
                Ok(_) => (None, Some(*shape)),
                Err(error) => (Some(error), Some(*shape)),
            },
            Decoder::Json if self.validator.admits(raw) => match serde_json::from_str(raw) {
                Ok(map) => return Ok(Decoded::Json(map)),
                Err(error) => (Some(DecodeError::Json(error)), None),
            },
            Decoder::Json => (None, None),
        };
        Err(self.violations(raw, refusal, shape))
    }

    #[cold]
    fn violations(
        &self,
        raw: &str,
        refusal: Option<DecodeError>,
        shape: Option<&'static Shape>,
    ) -> Violations {
        let mut findings = self.validator.findings(raw);
        match (refusal, shape) {
            (Some(DecodeError::Json(error)), _) => {
                let mut path = schema::place_of(raw, error.line(), error.column());
                if path.is_empty() && findings.is_empty() && error.is_data() {
                    path = schema::last_member(raw);
                }
                // At the place where serde stopped or inside it, or around it.
                let told = |finding: &Finding| {
                    finding.path.starts_with(&path)
                        || !finding.is_of_names() && path.starts_with(&finding.path)
                };
                if !findings.iter().any(told) {
                    let text = if path.is_empty() {
                        "are not acceptable"
                    } else {
                        "is not acceptable here"
                    };
                    findings.insert(0, Finding::new(path, text));
                }
            }
            (Some(DecodeError::Rules(report)), Some(shape)) => {
                let unsaid = broken::unsaid(&report, shape, raw, &findings);
                // Unknown names stay at the end.
                let end = findings
                    .iter()
                    .position(Finding::is_of_names)
                    .unwrap_or(findings.len());
                findings.splice(end..end, unsaid);
            }
            _ => {}
        }
        if findings.is_empty() {
            findings.push(Finding::new("", "are not acceptable"));
        }
        Violations::new(findings)
    }

    /// The names in one call's `arguments`, for a log line.
    pub fn argument_names(&self, raw: Option<&str>) -> ArgumentNames<'_> {
        let (known, unknown) = self.validator.top_names(text_of(raw));
        ArgumentNames { known, unknown }
    }
}

fn text_of(raw: Option<&str>) -> &str {
    raw.map(str::trim)
        .filter(|raw| *raw != "null")
        .unwrap_or("{}")
}
