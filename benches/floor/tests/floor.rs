//! The floor is an honest server: it answers what a client may send.

#![cfg(target_os = "linux")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What the server writes when it is sent `input` and then the end.
fn answers(input: &str) -> Vec<Value> {
    let mut server = Command::new(env!("CARGO_BIN_EXE_floor"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut stdin = server.stdin.take().expect("stdin is a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()).expect("the server reads"));
        server.wait_with_output().expect("the server ends")
    });
    assert!(output.status.success());
    serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("stdout holds JSON")
}

fn call(id: u32, arguments: &Value) -> String {
    let params = json!({ "name": "add", "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

#[test]
fn a_client_can_list_and_call() {
    let initialize = json!({
        "jsonrpc": "2.0", "id": "a", "method": "initialize",
        "params": { "protocolVersion": "2025-06-18" },
    });
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let call = call(2, &json!({ "a": 20, "b": 22 }));
    // The last line has no newline.
    let ping = json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" });
    let answers = answers(&format!(
        "{initialize}\n{initialized}\n{list}\n{call}\n{ping}"
    ));

    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["id"], "a");
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(answers[1]["result"]["tools"][0]["name"], "add");
    assert_eq!(answers[2]["result"]["content"][0]["text"], "42");
    assert_eq!(
        answers[3],
        json!({ "jsonrpc": "2.0", "id": 3, "result": {} })
    );
}

#[test]
fn mistakes_get_the_right_error() {
    let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such" });
    let answers = answers(&format!(
        "{{\n{}\n{}\n{unknown}\n[]\n",
        call(2, &json!({ "a": "1", "b": 2 })),
        call(3, &json!({ "a": i64::MAX, "b": 1 })),
    ));

    assert_eq!(answers[0]["error"]["code"], -32700);
    assert_eq!(answers[1]["result"]["isError"], true);
    assert_eq!(answers[2]["result"]["isError"], true);
    assert_eq!(answers[3]["error"]["code"], -32601);
    assert_eq!(answers[4]["error"]["code"], -32600);
}

#[test]
fn many_calls_and_long_lines_are_answered_in_order() {
    let padding = " ".repeat(1 << 20);
    let lines: String = (0..5000)
        .map(|id| {
            let long = if id == 2500 { padding.as_str() } else { "" };
            format!("{}{long}\n", call(id, &json!({ "a": id, "b": 1 })))
        })
        .collect();
    let answers = answers(&lines);

    assert_eq!(answers.len(), 5000);
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["content"][0]["text"], (id + 1).to_string());
    }
}
