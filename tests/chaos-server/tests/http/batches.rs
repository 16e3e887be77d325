//! Batches, which 2025-03-26 alone has.

use serde_json::{Value, json};

use crate::client::messages;
use crate::request::Request;
use crate::rpc;
use crate::server::setup;

fn call(id: i64, tool: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments },
    })
}

#[test]
fn a_batch_is_answered_message_by_message() {
    let server = setup().start();
    let mut client = server.session("2025-03-26", None);
    let batch = json!([
        call(1, "sleep", json!({ "ms": 50 })),
        call(2, "add", json!({ "a": 1, "b": 2 })),
        { "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 99 } },
        call(3, "panic", json!({})),
        { "jsonrpc": "2.0", "id": 4, "method": "no/such/method" },
        { "jsonrpc": "2.0", "id": 5, "method": "ping" },
        7,
    ]);
    let request = client.dress(Request::post(batch.to_string()));
    let response = client.exchange(&request);
    assert_eq!(response.status(), 200, "{}", response.text());
    let answers = messages(&response);
    assert_eq!(answers.len(), 6, "{answers:?}");
    let by_id = |id: i64| {
        answers
            .iter()
            .find(|answer| answer["id"] == id)
            .unwrap_or_else(|| panic!("no answer to {id}: {answers:?}"))
    };
    assert_eq!(rpc::text(rpc::result(by_id(1))), "slept 50");
    assert_eq!(rpc::text(rpc::result(by_id(2))), "3");
    assert!(rpc::is_error(rpc::result(by_id(3))));
    assert_eq!(rpc::code(by_id(4)), -32601);
    assert_eq!(by_id(5)["result"], json!({}));
    assert_eq!(
        answers
            .iter()
            .filter(|answer| rpc::is_unaddressed(answer))
            .count(),
        1
    );
}

#[test]
fn a_batch_that_asks_nothing_is_accepted() {
    let server = setup().start();
    let mut client = server.session("2025-03-26", None);
    let batch = json!([
        { "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 99 } },
        { "jsonrpc": "2.0", "method": "notifications/unheard-of" },
    ]);
    let request = client.dress(Request::post(batch.to_string()));
    let response = client.exchange(&request);
    assert_eq!(response.status(), 202, "{}", response.text());
    assert!(response.body.is_empty());
}

#[test]
fn an_empty_batch_is_an_invalid_request() {
    let server = setup().start();
    let mut client = server.session("2025-03-26", None);
    let request = client.dress(Request::post("[]"));
    let response = client.exchange(&request);
    assert_eq!(response.status(), 400, "{}", response.text());
    assert_eq!(rpc::code(&response.json()), -32600);
    client.assert_alive();
}

#[test]
fn other_versions_have_no_batches() {
    let server = setup().start();
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut client = server.session(version, None);
        let batch = json!([call(1, "add", json!({ "a": 1, "b": 2 }))]);
        let request = client.dress(Request::post(batch.to_string()));
        let response = client.exchange(&request);
        assert_eq!(response.status(), 400, "{version}: {}", response.text());
        assert_eq!(rpc::code(&response.json()), -32600, "{version}");
        client.assert_alive();
    }
}

#[test]
fn a_batch_needs_a_session_as_any_message_does() {
    let server = setup().start();
    let batch = json!([call(1, "add", json!({ "a": 1, "b": 2 }))]);
    let response = server.connect().exchange(&Request::post(batch.to_string()));
    assert_eq!(response.status(), 400, "{}", response.text());
    // Nor can one be opened in a batch.
    let batch = json!([
        rpc::initialize(1, "2025-03-26"),
        call(2, "whoami", json!({}))
    ]);
    let response = server.connect().exchange(&Request::post(batch.to_string()));
    assert_eq!(response.status(), 400, "{}", response.text());
    assert!(response.head.header("mcp-session-id").is_none());
}

/// A doubled id within one batch: one is answered, the other refused without id.
#[test]
fn ids_within_a_batch_are_unique() {
    let server = setup().start();
    let mut client = server.session("2025-03-26", None);
    let batch = json!([
        call(1, "sleep", json!({ "ms": 100 })),
        call(1, "add", json!({ "a": 1, "b": 2 })),
    ]);
    let request = client.dress(Request::post(batch.to_string()));
    let answers = messages(&client.exchange(&request));
    assert_eq!(answers.len(), 2, "{answers:?}");
    let named: Vec<_> = answers.iter().filter(|answer| answer["id"] == 1).collect();
    assert_eq!(named.len(), 1, "{answers:?}");
    assert_eq!(rpc::text(rpc::result(named[0])), "slept 100");
}

#[test]
fn a_large_batch_is_bounded_and_answered() {
    let server = setup().start();
    let mut client = server.session("2025-03-26", None);
    let batch: Vec<Value> = (0..2_000)
        .map(|id| call(id, "add", json!({ "a": id, "b": 1 })))
        .collect();
    let request = client.dress(Request::post(Value::from(batch).to_string()));
    let answers = messages(&client.exchange(&request));
    assert_eq!(answers.len(), 2_000);
    for answer in &answers {
        let id = answer["id"].as_i64().expect("our ids are numbers");
        let result = rpc::result(answer);
        if !rpc::is_error(result) {
            assert_eq!(rpc::text(result), (id + 1).to_string());
        }
    }
    client.assert_alive();
}
