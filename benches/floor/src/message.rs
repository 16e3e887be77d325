//! One message in, one answer out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const LATEST: &str = "2025-11-25";
const TOOLS: &str = r#"{"tools":[{"name":"add","description":"Adds two integers.","inputSchema":{"type":"object","properties":{"a":{"type":"integer","format":"int64"},"b":{"type":"integer","format":"int64"}},"required":["a","b"],"additionalProperties":false}}]}"#;

/// Answers a message at the end of `output`. A notification gets no answer.
pub fn answer(message: &[u8], output: &mut Vec<u8>) {
    let message: Message<'_> = match serde_json::from_slice(message) {
        Ok(message) => message,
        Err(error) if error.is_data() => return fail(None, -32600, "not a request", output),
        Err(_) => return fail(None, -32700, "not JSON", output),
    };
    let Some(id) = message.id else { return };
    if message.jsonrpc != "2.0" {
        return fail(Some(id), -32600, "`jsonrpc` has to be \"2.0\"", output);
    }
    match &*message.method {
        "tools/call" => call(id, message.params, output),
        "tools/list" => match serde_json::from_str::<&RawValue>(TOOLS) {
            Ok(tools) => succeed(id, tools, output),
            Err(_) => fail(Some(id), -32603, "internal error", output),
        },
        "initialize" => initialize(id, message.params, output),
        "ping" => succeed(id, Empty {}, output),
        _ => fail(Some(id), -32601, "unknown method", output),
    }
}

fn initialize(id: &RawValue, params: Option<&RawValue>, output: &mut Vec<u8>) {
    let Some(params) = decode::<InitializeParams<'_>>(params) else {
        return fail(Some(id), -32602, "`protocolVersion` is missing", output);
    };
    let known = VERSIONS.contains(&&*params.protocol_version);
    let result = Initialized {
        protocol_version: if known {
            &params.protocol_version
        } else {
            LATEST
        },
        capabilities: Capabilities { tools: Empty {} },
        server_info: ServerInfo {
            name: "floor",
            version: env!("CARGO_PKG_VERSION"),
        },
    };
    succeed(id, result, output);
}

fn call(id: &RawValue, params: Option<&RawValue>, output: &mut Vec<u8>) {
    let Some(params) = decode::<CallParams<'_>>(params) else {
        return fail(Some(id), -32602, "`name` is missing", output);
    };
    if params.name != "add" {
        return fail(Some(id), -32602, "unknown tool", output);
    }
    let (text, is_error) = match decode::<Add>(params.arguments) {
        None => ("`a` and `b` have to be integers".to_owned(), true),
        Some(Add { a, b }) => match a.checked_add(b) {
            None => ("the sum does not fit into 64 bits".to_owned(), true),
            Some(sum) => (sum.to_string(), false),
        },
    };
    let result = CallResult {
        content: [Text {
            r#type: "text",
            text: &text,
        }],
        is_error,
    };
    succeed(id, result, output);
}

fn decode<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

fn succeed(id: &RawValue, result: impl Serialize, output: &mut Vec<u8>) {
    let jsonrpc = "2.0";
    write(
        &Success {
            jsonrpc,
            id,
            result,
        },
        output,
    );
}

fn fail(id: Option<&RawValue>, code: i32, message: &'static str, output: &mut Vec<u8>) {
    let jsonrpc = "2.0";
    let error = Error { code, message };
    write(&Failure { jsonrpc, id, error }, output);
}

fn write(answer: &impl Serialize, output: &mut Vec<u8>) {
    // Writing these types to memory cannot fail.
    let _ = serde_json::to_writer(output, answer);
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InitializeParams<'a> {
    #[serde(borrow)]
    protocol_version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Serialize)]
struct Success<'a, T> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: T,
}

#[derive(Serialize)]
struct Failure<'a> {
    jsonrpc: &'static str,
    id: Option<&'a RawValue>,
    error: Error,
}

#[derive(Serialize)]
struct Error {
    code: i32,
    message: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initialized<'a> {
    protocol_version: &'a str,
    capabilities: Capabilities,
    server_info: ServerInfo,
}

#[derive(Serialize)]
struct Capabilities {
    tools: Empty,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct ServerInfo {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallResult<'a> {
    content: [Text<'a>; 1],
    is_error: bool,
}

#[derive(Serialize)]
struct Text<'a> {
    r#type: &'static str,
    text: &'a str,
}
