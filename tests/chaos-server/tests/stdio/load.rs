//! Many calls at once, answers that the client does not read, and what stays bounded.

use std::collections::HashSet;
use std::io::Write as _;
use std::thread;

use serde_json::{Value, json};

use crate::process::{Trace, setup};
use crate::rpc;

#[cfg(target_os = "linux")]
const MIB: u64 = 1024 * 1024;

fn call_line(id: u64, tool: &str, arguments: &Value) -> String {
    let params = json!({ "name": tool, "arguments": arguments });
    let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    format!("{message}\n")
}

#[cfg(target_os = "linux")]
#[test]
fn two_thousand_pipelined_calls_are_all_answered_within_100_mib() {
    let mut chaos = setup().legacy();
    chaos.assert_alive();
    let before = chaos.peak_memory();
    let mut lines = String::new();
    for id in 0..2000 {
        lines.push_str(&call_line(id, "slow", &json!({ "ms": 20 })));
    }
    let mut input = chaos.take_input();
    let writer = thread::spawn(move || {
        input.write_all(lines.as_bytes()).expect("the server reads");
        input
    });
    let mut seen = HashSet::new();
    while seen.len() < 2000 {
        let answer = chaos.next();
        assert_eq!(rpc::text(rpc::result(&answer)), "slept 20", "{answer}");
        assert!(
            seen.insert(answer["id"].as_u64().expect("our ids are numbers")),
            "answered twice"
        );
    }
    let grown = chaos.peak_memory().saturating_sub(before);
    assert!(grown <= 100 * MIB, "{} MiB more", grown / MIB);
    drop(writer.join().expect("the writer ends"));
    assert!(chaos.finish().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_does_not_read_costs_a_bounded_amount_of_memory() {
    let mut chaos = setup().without_reading_stdout().start();
    chaos.send(&rpc::initialize("hello", "2025-11-25"));
    chaos.wait_until_idle();
    let before = chaos.peak_memory();
    let mut input = chaos.take_input();
    let writer = thread::spawn(move || {
        for id in 0..400 {
            let line = call_line(id, "big", &json!({ "bytes": 1_000_000 }));
            input
                .write_all(line.as_bytes())
                .expect("the server reads in the end");
        }
        input
    });
    chaos.wait_until_idle();
    let grown = chaos.peak_memory().saturating_sub(before);
    assert!(grown <= 150 * MIB, "{} MiB more", grown / MIB);

    // Nothing is lost once the client reads.
    chaos.start_reading();
    chaos.answer("hello");
    let mut seen = HashSet::new();
    while seen.len() < 400 {
        let answer = chaos.next();
        assert_eq!(rpc::text(rpc::result(&answer)).len(), 1_000_000);
        assert!(
            seen.insert(answer["id"].as_u64().expect("our ids are numbers")),
            "answered twice"
        );
    }
    let grown = chaos.peak_memory().saturating_sub(before);
    assert!(grown <= 150 * MIB, "{} MiB more", grown / MIB);
    drop(writer.join().expect("the writer ends"));
    assert!(chaos.finish().is_empty());
}

#[test]
fn more_calls_than_can_wait_are_refused_as_busy() {
    let mut trace = Trace::new("busy");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..64 {
        chaos.send_call(id, "slow", json!({ "ms": 1500 }));
    }
    trace.wait_for("start 1500");
    let mut lines = String::new();
    for id in 64..7064 {
        lines.push_str(&call_line(id, "add", &json!({ "a": id, "b": 1 })));
    }
    let mut input = chaos.take_input();
    let writer = thread::spawn(move || {
        input.write_all(lines.as_bytes()).expect("the server reads");
        input
    });
    let (mut seen, mut busy) = (HashSet::new(), 0);
    while seen.len() < 7064 {
        let answer = chaos.next();
        let id = answer["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("an answer without id: {answer}"));
        assert!(seen.insert(id), "answered twice: {answer}");
        let result = rpc::result(&answer);
        let text = rpc::text(result);
        if rpc::is_error(result) {
            assert!(text.to_lowercase().contains("busy"), "{text}");
            assert!(text.contains("again"), "{text}");
            busy += 1;
        } else if id >= 64 {
            assert_eq!(text, (id + 1).to_string());
        } else {
            assert_eq!(text, "slept 1500");
        }
    }
    assert!(busy > 0, "7,000 calls waited; the bound is 4,096");
    assert!(busy < 7000, "no call was allowed to wait");
    drop(writer.join().expect("the writer ends"));
    assert!(chaos.finish().is_empty());
}

#[test]
fn control_messages_are_seen_while_calls_run_and_wait() {
    let mut trace = Trace::new("control");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..64 {
        chaos.send_call(id, "slow", json!({ "ms": 29_000 }));
    }
    trace.wait_for("start 29000");
    for id in 64..1000 {
        chaos.send_call(id, "slow", json!({ "ms": 1 }));
    }
    chaos.send(&json!({ "jsonrpc": "2.0", "id": "ping", "method": "ping" }));
    assert_eq!(chaos.next()["id"], "ping");
    // And a cancellation: the first call that waits takes the free place.
    chaos.cancel(3);
    assert_eq!(chaos.next()["id"], 64);
}

#[test]
fn a_malformed_line_is_answered_while_calls_run_and_wait() {
    let mut trace = Trace::new("malformed-under-load");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..200 {
        chaos.send_call(id, "slow", json!({ "ms": 29_000 }));
    }
    trace.wait_for("start 29000");
    chaos.line("not json");
    assert_eq!(rpc::code(&chaos.next()), -32700);
}
