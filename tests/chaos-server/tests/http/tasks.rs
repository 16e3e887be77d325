//! Tasks over HTTP, by raw messages: they outlive their connections, and end with the
//! process.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::HttpClient;
use crate::rpc;
use crate::server::{Server, setup};

fn with_tasks(params: Value) -> Value {
    let mut params = params;
    params["_meta"] = rpc::meta("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({
        "elicitation": { "form": {} },
        "extensions": { "io.modelcontextprotocol/tasks": {} },
    });
    params
}

fn ask(client: &mut HttpClient, method: &str, params: Value) -> Value {
    rpc::result(&client.ask(method, with_tasks(params))).clone()
}

fn begin(client: &mut HttpClient, tool: &str, arguments: &Value) -> String {
    let call = json!({ "name": tool, "arguments": arguments });
    let task = ask(client, "tools/call", call);
    assert_eq!(task["resultType"], "task", "{task}");
    task["taskId"].as_str().unwrap().to_owned()
}

fn wait_for(client: &mut HttpClient, task: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let state = ask(client, "tasks/get", json!({ "taskId": task }));
        if is_so(&state) {
            return state;
        }
        std::thread::yield_now();
    }
}

fn code(client: &mut HttpClient, method: &str, task: &str) -> i64 {
    let params = json!({ "taskId": task, "inputResponses": {} });
    rpc::code(&client.ask(method, with_tasks(params)))
}

#[test]
fn task_outlives_its_connection_and_belongs_to_its_caller() {
    let server = setup().keys().start();
    let alice = || server.modern_as("alice-key");
    let task = begin(&mut alice(), "long", &json!({ "ms": 300 }));
    let mut bob = server.modern_as("bob-key");
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        assert_eq!(code(&mut bob, method, &task), -32602);
    }
    let ended = wait_for(&mut alice(), &task, |state| state["status"] == "completed");
    assert_eq!(rpc::text(&ended["result"]), "long done");
    // Read again over yet another connection.
    let again = wait_for(&mut alice(), &task, |_| true);
    assert_eq!(again["result"], ended["result"]);
}

fn is_over(state: &Value) -> bool {
    !["working", "input_required"].contains(&state["status"].as_str().unwrap())
}

#[test]
fn signal_ends_tasks_within_the_drain_time_and_their_client_reads_it() {
    let mut server: Server = setup().env("CHAOS_DRAIN", "2000").start();
    let mut client = server.modern();
    let working = begin(&mut client, "long", &json!({ "ms": 3_600_000 }));
    let asking = begin(&mut client, "ask_task", &json!({}));
    let short = begin(&mut client, "long", &json!({ "ms": 100 }));
    server.signal(Signal::TERM);
    for task in [&working, &asking] {
        let ended = wait_for(&mut client, task, is_over);
        let result = &ended["result"];
        assert!(rpc::is_error(result), "{ended}");
        assert!(rpc::text(result).contains("shutting down"), "{ended}");
        if task == &working {
            // One that could end in time did.
            let done = wait_for(&mut client, &short, |_| true);
            assert_eq!(rpc::text(&done["result"]), "long done");
        }
    }
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn an_end_that_has_expired_does_not_delay_the_exit() {
    // The test would not end within the drain time.
    let setup = setup().env("CHAOS_DRAIN", "3600000");
    let mut server: Server = setup.env("CHAOS_TASK_TTL", "1ms").start();
    let mut client = server.modern();
    let task = begin(&mut client, "long", &json!({ "ms": 100 }));
    server.signal(Signal::TERM);
    loop {
        let answer = client.ask("tasks/get", with_tasks(json!({ "taskId": task })));
        if answer.get("error").is_some() || is_over(rpc::result(&answer)) {
            break;
        }
        std::thread::yield_now();
    }
    assert_eq!(server.wait().code(), Some(0));
}
