//! Tasks over stdio, by bare messages: they outlive their request, and end with the
//! process.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

/// Sends a request from a client that declares tasks and forms; returns its result.
fn ask(chaos: &mut Chaos, id: u64, method: &str, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = rpc::meta("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({
        "elicitation": { "form": {} },
        "extensions": { "io.modelcontextprotocol/tasks": {} },
    });
    chaos.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    rpc::result(&chaos.answer(id)).clone()
}

fn begin(chaos: &mut Chaos, tool: &str, arguments: &Value) -> String {
    let call = json!({ "name": tool, "arguments": arguments });
    let task = ask(chaos, 1, "tools/call", call);
    assert_eq!(task["resultType"], "task", "{task}");
    task["taskId"].as_str().unwrap().to_owned()
}

fn get(chaos: &mut Chaos, task: &str) -> Value {
    ask(chaos, 2, "tasks/get", json!({ "taskId": task }))
}

fn wait_for(chaos: &mut Chaos, task: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let state = get(chaos, task);
        if is_so(&state) {
            return state;
        }
        std::thread::yield_now();
    }
}

#[test]
fn task_reports_asks_and_completes() {
    let mut chaos = setup().start();
    let task = begin(&mut chaos, "long", &json!({ "ms": 300 }));
    let state = wait_for(&mut chaos, &task, |state| {
        state["statusMessage"].is_string()
    });
    assert!(
        state["statusMessage"]
            .as_str()
            .unwrap()
            .ends_with(" of 300"),
        "{state}"
    );
    let ended = wait_for(&mut chaos, &task, |state| state["status"] == "completed");
    assert_eq!(rpc::text(&ended["result"]), "long done");

    let task = begin(&mut chaos, "ask_task", &json!({}));
    let asked = wait_for(&mut chaos, &task, |state| {
        state["status"] == "input_required"
    });
    let requests = asked["inputRequests"].as_object().unwrap();
    let key = requests.keys().next().unwrap();
    let answers = json!({ (key): { "action": "accept", "content": { "ok": true } } });
    let update = json!({ "taskId": task, "inputResponses": answers });
    let acknowledged = ask(&mut chaos, 3, "tasks/update", update);
    assert_eq!(acknowledged["resultType"], "complete");
    let ended = wait_for(&mut chaos, &task, |state| state["status"] == "completed");
    assert_eq!(rpc::text(&ended["result"]), "ok");
    chaos.finish();
}

/// Both a task that works and one that waits for its client.
#[test]
fn signal_ends_tasks_within_the_drain_time_and_their_client_reads_it() {
    for (tool, arguments) in [
        ("long", json!({ "ms": 3_600_000 })),
        ("ask_task", json!({})),
    ] {
        let mut chaos = setup().env("CHAOS_DRAIN", "2000").start();
        let task = begin(&mut chaos, tool, &arguments);
        chaos.signal(Signal::TERM);
        let ended = wait_for(&mut chaos, &task, |state| {
            !["working", "input_required"].contains(&state["status"].as_str().unwrap())
        });
        let result = &ended["result"];
        assert!(rpc::is_error(result), "{ended}");
        assert!(rpc::text(result).contains("shutting down"), "{ended}");
        // The client knows, so the server does not wait for the rest of the time.
        assert!(chaos.rest().is_empty());
        assert_eq!(chaos.wait().code(), Some(0));
    }
}

#[test]
fn task_whose_client_does_not_read_its_end_delays_the_exit_by_no_more_than_the_drain_time() {
    let mut chaos = setup().env("CHAOS_DRAIN", "300").start();
    begin(&mut chaos, "long", &json!({ "ms": 3_600_000 }));
    chaos.signal(Signal::TERM);
    assert!(chaos.rest().is_empty());
    assert_eq!(chaos.wait().code(), Some(0));
}

/// Its client has left, so the task ends at once, and the log says how.
#[test]
fn end_of_stdin_ends_tasks() {
    for (tool, arguments) in [
        ("long", json!({ "ms": 3_600_000 })),
        ("ask_task", json!({})),
    ] {
        // Longer than the test waits.
        let mut chaos = setup()
            .env("CHAOS_DRAIN", "3600000")
            .env("RUST_LOG", "info")
            .start();
        begin(&mut chaos, tool, &arguments);
        assert!(chaos.finish().is_empty());
        let is_end = |line: &&Value| line["name"] == tool && line.get("outcome").is_some();
        let log: Vec<Value> = (chaos.log.all().iter())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let line = log.iter().find(is_end).expect("a line for the task");
        assert_eq!(line["outcome"], "busy", "{line}");
    }
}
