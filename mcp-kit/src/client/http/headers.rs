//! The headers in which a client repeats parts of its message, for proxies that do not read
//! bodies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::protocol::{Era, ProtocolVersion};
use crate::server::Server;

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Names the version, from the first version on that requires it of clients.
pub(super) fn name_version(version: ProtocolVersion, has_session: bool, set: &mut HeaderMap) {
    if has_session && version >= ProtocolVersion::V2025_06_18 || version.era() == Era::Modern {
        set.insert(VERSION, HeaderValue::from_static(version.as_str()));
    }
}

/// Repeats the parts of `message` that 2026-07-28 requires in headers.
pub(super) fn repeat(
    message: &Value,
    version: ProtocolVersion,
    server: &Server,
    set: &mut HeaderMap,
) {
    let params = &message["params"];
    let named = &params["_meta"]["io.modelcontextprotocol/protocolVersion"];
    match named.as_str() {
        Some(named) => insert(set, VERSION, named),
        None if version.era() == Era::Modern => {}
        None => return,
    }
    let Some(method) = message["method"].as_str() else {
        return;
    };
    insert(set, METHOD, method);
    let name = match server.inner().name_parameter(method) {
        Some(parameter) => params[parameter].as_str(),
        None => (["name", "uri", "taskId"].into_iter()).find_map(|name| params[name].as_str()),
    };
    let Some(name) = name else {
        return;
    };
    insert(set, NAME, name);
    if method == "tools/call"
        && let Some(tool) = server.tools().iter().find(|tool| tool.name() == name)
    {
        repeat_arguments(tool.input_schema(), &params["arguments"], set);
    }
}

/// The arguments that the tool's schema marks with `x-mcp-header`.
fn repeat_arguments(schema: &Value, arguments: &Value, set: &mut HeaderMap) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let value = &arguments[name];
        let header = property["x-mcp-header"].as_str();
        if let Some(header) = header.and_then(|header| format!("mcp-param-{header}").parse().ok()) {
            match value {
                Value::String(text) => insert(set, header, text),
                Value::Bool(_) | Value::Number(_) => insert(set, header, &value.to_string()),
                _ => {}
            }
        }
        repeat_arguments(property, value, set);
    }
}

/// Sets a header, in base64 if it could not hold the text otherwise.
fn insert(set: &mut HeaderMap, name: HeaderName, text: &str) {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.trim() == text
        && !text.starts_with("=?base64?");
    let value = match is_plain {
        true => HeaderValue::try_from(text),
        false => HeaderValue::try_from(format!("=?base64?{}?=", STANDARD.encode(text))),
    };
    if let Ok(value) = value {
        set.insert(name, value);
    }
}
