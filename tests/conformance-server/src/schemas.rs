//! Tools whose schemas are known at run time only.

use mcp_kit::ToolError;
use mcp_kit::call::Call;
use mcp_kit::server::ServerBuilder;
use mcp_kit::tool::{self, ToolDefinition};
use serde_json::json;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    let names = tool::from_fn(json_schema_2020_12_tool(), |call: Call| async move {
        let names: Vec<_> = call.arguments().keys().map(String::as_str).collect();
        Ok::<_, ToolError>(names.join(", "))
    });
    let region = tool::from_fn(test_custom_headers(), |call: Call| async move {
        Ok::<_, ToolError>(call.arguments()["region"].to_string())
    });
    server.add(names).add(region)
}

/// A tool whose schema has keywords that few schemas have.
fn json_schema_2020_12_tool() -> ToolDefinition {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {
                    "street": {"type": "string"},
                    "city": {"type": "string"}
                }
            }
        },
        "properties": {
            "name": {"type": "string", "description": "The name of the person."},
            "address": {"$ref": "#/$defs/address", "description": "The postal address."},
            "contactMethod": {
                "type": "string",
                "enum": ["phone", "email"],
                "description": "The way to reach the person."
            },
            "phone": {"type": "string", "description": "The telephone number."},
            "email": {"type": "string", "description": "The address for email."}
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {
            "properties": {"contactMethod": {"const": "phone"}},
            "required": ["contactMethod"]
        },
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false
    });
    ToolDefinition::new(
        "json_schema_2020_12_tool",
        "Returns the names of the arguments that it receives.",
    )
    .with_input_schema(schema)
}

/// A tool with an argument that clients repeat in an HTTP header.
fn test_custom_headers() -> ToolDefinition {
    let schema = json!({
        "type": "object",
        "properties": {
            "region": {
                "type": "string",
                "description": "The region to return.",
                "x-mcp-header": "Region"
            },
            "query": {"type": "string", "description": "A text that is not used."}
        },
        "required": ["region"]
    });
    ToolDefinition::new(
        "test_custom_headers",
        "Returns the region that it receives.",
    )
    .with_input_schema(schema)
}
