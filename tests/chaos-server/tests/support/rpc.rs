//! JSON-RPC messages as a client builds and reads them.

use serde_json::{Value, json};

/// The metadata that every request of the modern era carries.
pub(crate) fn meta(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": { "name": "chaos-tests", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// The first request of the legacy era.
pub(crate) fn initialize(id: impl Into<Value>, version: &str) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": id.into(),
        "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "chaos-tests", "version": "1" },
        },
    })
}

/// Reads one line of stdout. Fails unless it is a JSON-RPC message or, for a
/// batch, an array of them.
pub(crate) fn parse(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| {
        panic!("stdout holds something else than JSON ({error}): {line:?}")
    });
    match &value {
        Value::Array(items) => {
            assert!(!items.is_empty(), "an empty batch on stdout");
            items.iter().for_each(assert_message);
        }
        message => assert_message(message),
    }
    value
}

/// What a server may ask a client of the legacy era.
const QUESTIONS: [&str; 3] = ["elicitation/create", "sampling/createMessage", "roots/list"];

fn assert_message(message: &Value) {
    assert_eq!(message["jsonrpc"], "2.0", "not JSON-RPC 2.0: {message}");
    let (result, error) = (message.get("result"), message.get("error"));
    if let Some(method) = message.get("method") {
        assert!(
            message.get("id").is_none() || QUESTIONS.iter().any(|question| method == question),
            "the server must not send requests but questions: {message}"
        );
    } else if let Some(error) = error {
        assert!(result.is_none(), "both result and error: {message}");
        assert!(error["code"].is_i64(), "an error without code: {message}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "no text: {message}"
        );
    } else {
        assert!(
            result.is_some_and(Value::is_object),
            "neither result nor error: {message}"
        );
        assert!(
            message.get("id").is_some_and(|id| !id.is_null()),
            "a result without id: {message}"
        );
    }
}

/// The result of an answer. Fails on an error.
#[track_caller]
pub(crate) fn result(answer: &Value) -> &Value {
    answer
        .get("result")
        .unwrap_or_else(|| panic!("not a result: {answer}"))
}

/// The code of an error answer. Fails on a result.
#[track_caller]
pub(crate) fn code(answer: &Value) -> i64 {
    answer["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("not an error: {answer}"))
}

/// The text of an error answer.
#[track_caller]
pub(crate) fn message(answer: &Value) -> &str {
    answer["error"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("not an error: {answer}"))
}

/// Whether an error belongs to no request: its id is null.
pub(crate) fn is_unaddressed(answer: &Value) -> bool {
    answer.get("error").is_some() && answer.get("id").is_none_or(Value::is_null)
}

/// Whether a tool's result is an error.
pub(crate) fn is_error(result: &Value) -> bool {
    result.get("isError") == Some(&Value::Bool(true))
}

/// The text blocks of a tool's result, joined.
#[track_caller]
pub(crate) fn text(result: &Value) -> String {
    let blocks = result["content"]
        .as_array()
        .unwrap_or_else(|| panic!("no content: {result}"));
    blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The reference in a sanitised error's text.
#[track_caller]
pub(crate) fn reference(text: &str) -> String {
    let start = text
        .find("(reference ")
        .unwrap_or_else(|| panic!("no reference: {text}"));
    let rest = &text[start + "(reference ".len()..];
    rest.split(')')
        .next()
        .expect("split yields one part")
        .to_owned()
}
