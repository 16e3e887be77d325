//! `tools`: what the server offers.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::build::Failure;
use super::output::{count, print};
use crate::server::Server;
use crate::tool::ToolDefinition;

/// Nested objects are shown this deep; what is deeper is in the JSON.
const DEEPEST: usize = 3;

/// Prints every tool with its schemas.
pub(super) fn tools(server: &Server, as_json: bool) -> Result<ExitCode, Failure> {
    let text = if as_json {
        format!("{:#}\n", server.listed_tools())
    } else {
        readable(server)
    };
    print(&text)
}

fn readable(server: &Server) -> String {
    let number = server.tools().count();
    let mut text = format!(
        "{} {}: {}\n",
        server.name(),
        server.version(),
        count(number, "tool")
    );
    for tool in server.tools() {
        text.push('\n');
        describe(&mut text, tool);
    }
    text
}

// Writing into a `String` cannot fail.
fn describe(text: &mut String, tool: &ToolDefinition) {
    text.push_str(tool.name());
    if let Some(title) = tool.title() {
        let _ = write!(text, " – {title}");
    }
    let hints = hints(tool);
    if !hints.is_empty() {
        let _ = write!(text, " ({})", hints.join(", "));
    }
    text.push('\n');
    for line in tool.description().trim().lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
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
            let _ = writeln!(text, "    {}", kind(schema));
        }
    }
}

fn hints(tool: &ToolDefinition) -> Vec<&'static str> {
    let hints = tool.annotations();
    [
        (hints.read_only, "read-only", ""),
        (hints.destructive, "destructive", "not destructive"),
        (hints.idempotent, "idempotent", ""),
        (hints.open_world, "open world", "closed world"),
    ]
    .into_iter()
    .filter_map(|(hint, yes, no)| hint.map(|hint| if hint { yes } else { no }))
    .filter(|word| !word.is_empty())
    .collect()
}

fn has_members(schema: &Value) -> bool {
    schema["properties"]
        .as_object()
        .is_some_and(|members| !members.is_empty())
}

/// One line for each member of an object's schema, and for what is inside.
fn members(text: &mut String, schema: &Value, depth: usize) {
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let indent = "  ".repeat(depth);
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            ", optional"
        };
        let _ = write!(
            text,
            "{indent}{name}: {}{}{optional}",
            kind(member),
            bounds(member)
        );
        if let Some(description) = member["description"].as_str() {
            let _ = write!(
                text,
                " – {}",
                description.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        }
        text.push('\n');
        let inside = match &member["items"] {
            Value::Object(_) => &member["items"],
            _ => member,
        };
        if depth < 1 + DEEPEST && has_members(inside) {
            members(text, inside, depth + 1);
        }
    }
}

/// "string", "array of integer", "string or null", "one of \"a\", \"b\"".
fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(Value::to_string).collect();
        return format!("one of {}", values.join(", "));
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    for combined in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[combined].as_array() {
            let choices: Vec<_> = choices.iter().map(kind).collect();
            return choices.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => match schema.get("items") {
            Some(items) => format!("array of {}", self::kind(items)),
            None => "array".to_owned(),
        },
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        _ => match schema["$ref"].as_str() {
            Some(reference) => reference.rsplit('/').next().unwrap_or_default().to_owned(),
            None => "any value".to_owned(),
        },
    }
}

/// ", at least 1, at most 10, default 5".
fn bounds(schema: &Value) -> String {
    const BOUNDS: [(&str, &str); 13] = [
        ("minimum", "at least "),
        ("exclusiveMinimum", "more than "),
        ("maximum", "at most "),
        ("exclusiveMaximum", "less than "),
        ("multipleOf", "a multiple of "),
        ("minLength", "characters from "),
        ("maxLength", "characters up to "),
        ("minItems", "items from "),
        ("maxItems", "items up to "),
        ("minProperties", "members from "),
        ("maxProperties", "members up to "),
        ("pattern", "pattern "),
        ("default", "default "),
    ];
    BOUNDS
        .iter()
        .filter_map(|(keyword, words)| schema.get(keyword).map(|value| format!(", {words}{value}")))
        .collect()
}
