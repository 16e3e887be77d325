//! Two processes of the chaos server that share one Redis, as replicas behind
//! a load balancer do.

#![cfg(unix)]
// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../../mcp-kit/tests/replicas/redis.rs"]
mod redis;
mod replica;

use redis::{PASSWORD, Redis};
use replica::Replica;
use serde_json::{Value, json};

#[test]
fn a_rate_holds_for_both_processes_together() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [(); 2].map(|()| Replica::start(&redis, &[("CHAOS_RATE", "3/h")]));
    for replica in [&a, &b, &a] {
        assert_eq!(replica.call("alice-key", "whoami").text(), "alice");
    }
    for replica in [&a, &b] {
        let refused = replica.call("alice-key", "whoami");
        assert_eq!(refused.status, 200);
        let text = refused.text();
        assert!(
            text.starts_with("Rate limit of 3/h reached for this tool. Try again in 1"),
            "{text}"
        );
    }
    // Another caller and another tool have budgets of their own.
    assert_eq!(b.call("bob-key", "whoami").text(), "bob");
    assert_eq!(b.call("alice-key", "print").text(), "printed");
}

/// What a call reads whose rate cannot be counted.
const UNCOUNTED: &str = "The server cannot count this call";

#[test]
fn without_the_store_a_replica_serves_or_refuses_as_configured() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let rate = ("CHAOS_RATE", "1/h");
    let open = Replica::start(&redis, &[rate]);
    let closed = Replica::start(&redis, &[rate, ("CHAOS_REDIS_CLOSED", "1")]);
    assert_eq!(closed.call("bob-key", "whoami").text(), "bob");
    redis.kill();

    assert_eq!(open.call("alice-key", "whoami").text(), "alice");
    // The replica's own count: no caller is without a limit.
    let text = open.call("alice-key", "whoami").text();
    assert!(text.starts_with("Rate limit of 1/h reached"), "{text}");

    let text = closed.call("alice-key", "whoami").text();
    assert!(text.starts_with(UNCOUNTED), "{text}");
    // Callers that are not known are counted by their address.
    let refused = closed.call("no-such-key", "whoami");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        closed.get("/readyz").status,
        200,
        "probes are never counted"
    );

    assert!(redis.restart());
    // It is asked again within a second.
    while closed
        .call("alice-key", "add")
        .text()
        .starts_with(UNCOUNTED)
    {
        std::thread::yield_now();
    }
    for (replica, words) in [(open, "counts for itself"), (closed, "is refused")] {
        let log = replica.end();
        let told: Vec<_> = log
            .lines()
            .filter(|line| line.contains("the shared store does not answer"))
            .collect();
        assert_eq!(told.len(), 1, "{log}");
        assert!(told[0].contains(words), "{log}");
        assert!(!log.contains(PASSWORD), "{log}");
    }
}

/// Begins a task of alice; its id.
fn begin(replica: &Replica, tool: &str, arguments: &Value) -> String {
    let call = json!({"name": tool, "arguments": arguments});
    let answer = replica.ask("alice-key", "tools/call", tool, call);
    assert_eq!(answer["result"]["resultType"], "task", "{answer}");
    answer["result"]["taskId"].as_str().unwrap().to_owned()
}

fn get(replica: &Replica, task: &str) -> Value {
    let params = json!({"taskId": task});
    replica.ask("alice-key", "tasks/get", task, params)["result"].take()
}

fn wait_for(replica: &Replica, task: &str, status: &str) -> Value {
    loop {
        let state = get(replica, task);
        if state["status"] == status {
            return state;
        }
        assert!(!state["status"].is_null(), "{state}");
        std::thread::yield_now();
    }
}

#[test]
fn task_of_one_process_is_read_answered_and_cancelled_through_another() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [(); 2].map(|()| Replica::start(&redis, &[]));
    let task = begin(&a, "ask_task", &json!({}));
    let asked = wait_for(&b, &task, "input_required");
    let key = asked["inputRequests"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap();
    let answers = json!({(key): {"action": "accept", "content": {"ok": true}}});
    let update = json!({"taskId": task, "inputResponses": answers});
    // Another caller's task does not exist.
    let foreign = b.ask("bob-key", "tasks/update", &task, update.clone());
    assert_eq!(foreign["error"]["code"], -32602, "{foreign}");
    let done = b.ask("alice-key", "tasks/update", &task, update);
    assert_eq!(done["result"]["resultType"], "complete", "{done}");
    let ended = wait_for(&b, &task, "completed");
    assert_eq!(ended["result"]["content"][0]["text"], "ok");

    let task = begin(&b, "long", &json!({"ms": 3_600_000}));
    let done = a.ask("alice-key", "tasks/cancel", &task, json!({"taskId": task}));
    assert_eq!(done["result"]["resultType"], "complete", "{done}");
    for replica in [&a, &b] {
        wait_for(replica, &task, "cancelled");
    }
}

#[test]
fn end_of_a_process_is_read_from_the_store() {
    let Some(redis) = Redis::start() else { return };
    let drain = ("CHAOS_DRAIN", "300");
    let [mut a, b] = [(); 2].map(|()| Replica::start(&redis, &[drain]));
    let done = begin(&a, "long", &json!({"ms": 1}));
    wait_for(&a, &done, "completed");
    let task = begin(&a, "long", &json!({"ms": 3_600_000}));
    assert_eq!(get(&b, &task)["status"], "working");
    assert_eq!(a.terminate(), Some(0));
    let ended = get(&b, &task);
    assert_eq!(ended["result"]["isError"], true, "{ended}");
    let text = ended["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("shutting down"), "{text}");
    // A result survives its process.
    let done = get(&b, &done);
    assert_eq!(done["result"]["content"][0]["text"], "long done");
}
