//! Shows tools and their results to people, for the commands `tools` and `call`.

use serde_json::Value;

use crate::content::shown;
use crate::primitive::shown::{head, hints};
use crate::primitive::{PrimitiveInfo, ToolDefinition};
use crate::schema::shown::{has_members, kind, members};
use crate::support::json::Members as _;

/// Writes a tool with its schemas.
pub(super) fn describe(tool: &ToolDefinition, info: &PrimitiveInfo, text: &mut String) {
    let hints = hints(info.annotations());
    head(text, tool.name(), tool.title(), &hints, tool.description());
    let arguments = tool.input_schema();
    if has_members(arguments) {
        text.push_str("  arguments:\n");
        members(text, arguments, 2);
    } else {
        text.push_str("  no arguments\n");
    }
    if let Some(schema) = tool.output_schema() {
        text.push_str("  result:\n");
        if has_members(schema) {
            members(text, schema, 2);
        } else {
            text.push_str("    ");
            text.push_str(&kind(schema));
            text.push('\n');
        }
    }
}

/// Returns a result: structured content as indented JSON, text as it is, and one line for
/// every other block.
pub(super) fn result(result: &Value) -> String {
    let mut text = String::new();
    let structured = result.member("structuredContent");
    if let Some(structured) = structured {
        text.push_str(&format!("{structured:#}\n"));
    }
    for block in result.at("content").as_array().into_iter().flatten() {
        // Structured content is also sent as text.
        let repeats = block.at("text").as_str().is_some_and(|block| {
            structured.is_some_and(|structured| {
                serde_json::from_str::<Value>(block).is_ok_and(|block| block == *structured)
            })
        });
        if !repeats {
            text.push_str(&shown::block(block));
            text.push('\n');
        }
    }
    text
}
