//! Batches: 2025-03-26 has them, no other version does.

use std::io::Write as _;
use std::thread;

use serde_json::{Value, json};

use crate::process::{Trace, setup};
use crate::rpc;

fn ping(id: i64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })
}

/// The answers of the next line, which must be a batch.
fn by_id(batch: &Value, id: i64) -> &Value {
    batch
        .as_array()
        .unwrap_or_else(|| panic!("not a batch: {batch}"))
        .iter()
        .find(|answer| answer["id"] == id)
        .unwrap_or_else(|| panic!("no answer to {id}: {batch}"))
}

#[test]
fn a_batch_is_answered_as_one_in_2025_03_26() {
    let mut chaos = setup().start();
    chaos.initialize("2025-03-26");
    let call = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": "add", "arguments": { "a": 1, "b": 2 } },
    });
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/unheard-of" });
    chaos.send(&json!([ping(1), note, call, { "jsonrpc": "2.0", "id": 3 }]));
    let batch = chaos.next();
    assert_eq!(batch.as_array().map(Vec::len), Some(3), "{batch}");
    assert_eq!(by_id(&batch, 1)["result"], json!({}));
    assert_eq!(rpc::text(rpc::result(by_id(&batch, 2))), "3");
    assert_eq!(rpc::code(by_id(&batch, 3)), -32600);
    chaos.assert_alive();
}

#[test]
fn a_batch_may_have_every_primitive() {
    let mut chaos = setup().start();
    chaos.initialize("2025-03-26");
    let prompt = json!({ "type": "ref/prompt", "name": "greet" });
    let al = json!({ "ref": prompt, "argument": { "name": "name", "value": "al" } });
    let requests = [
        (
            "tools/call",
            json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }),
        ),
        ("tools/call", json!({ "name": "leak" })),
        (
            "prompts/get",
            json!({ "name": "greet", "arguments": { "name": "Ada" } }),
        ),
        ("prompts/get", json!({ "name": "leak_prompt" })),
        ("resources/read", json!({ "uri": "note://alice/7" })),
        ("resources/read", json!({ "uri": "no://such" })),
        ("resources/read", json!({ "uri": "panic://now" })),
        ("completion/complete", al),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
    ];
    let batch = (0_i64..).zip(requests).map(|(id, (method, params))| {
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    });
    chaos.send(&batch.collect());
    let batch = chaos.next();
    assert_eq!(batch.as_array().map(Vec::len), Some(12), "{batch}");
    let result = |id: i64| rpc::result(by_id(&batch, id));
    assert_eq!(rpc::text(result(0)), "3");
    assert!(rpc::is_error(result(1)));
    assert_eq!(
        result(2)["messages"][0]["content"]["text"],
        "Greet Ada, casual."
    );
    assert_eq!(result(4)["contents"][0]["text"], "note 7 of alice");
    for (id, code) in [(3, -32603), (5, -32002), (6, -32603)] {
        assert_eq!(rpc::code(by_id(&batch, id)), code, "{batch}");
    }
    assert_eq!(result(7)["completion"]["values"], json!(["alan", "alice"]));
    for (id, list) in [
        (8, "tools"),
        (9, "prompts"),
        (10, "resources"),
        (11, "resourceTemplates"),
    ] {
        assert!(
            result(id)[list]
                .as_array()
                .is_some_and(|list| !list.is_empty()),
            "{list}"
        );
    }
    assert!(!batch.to_string().contains("hunter2"), "{batch}");
    assert!(chaos.finish().is_empty());
}

#[test]
fn a_batch_of_notifications_is_answered_with_nothing() {
    let mut chaos = setup().start();
    chaos.initialize("2025-03-26");
    chaos.send(&json!([
        { "jsonrpc": "2.0", "method": "notifications/unheard-of" },
        { "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } },
    ]));
    chaos.expect_silence();
}

#[test]
fn a_batch_without_its_cancelled_member_is_whole() {
    let mut trace = Trace::new("batch-cancel");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).start();
    chaos.initialize("2025-03-26");
    let slow = |id: i64, ms: u64| {
        let params = json!({ "name": "slow", "arguments": { "ms": ms } });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    };
    chaos.send(&json!([slow(1, 29_000), slow(2, 10), slow(2, 11)]));
    trace.wait_for("start 29000");
    chaos.cancel(1);
    let batch = chaos.next();
    assert_eq!(batch.as_array().map(Vec::len), Some(2), "{batch}");
    assert_eq!(rpc::text(rpc::result(by_id(&batch, 2))), "slept 10");
    let members = batch.as_array().expect("a batch");
    assert!(
        members.iter().any(rpc::is_unaddressed),
        "the duplicate id: {batch}"
    );
    chaos.assert_alive();
}

#[test]
fn nothing_in_a_batch_is_answered_with_the_id_of_a_call_in_flight() {
    let mut trace = Trace::new("batch-id-in-flight");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).start();
    chaos.initialize("2025-03-26");
    chaos.send_call(1, "slow", json!({ "ms": 800 }));
    trace.wait_for("start 800");
    for member in [
        ping(1),
        rpc::initialize(1, "2025-03-26"),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such/method" }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "none" } }),
    ] {
        chaos.send(&json!([member, ping(2)]));
        let batch = chaos.next();
        assert_eq!(by_id(&batch, 2)["result"], json!({}));
        let members = batch.as_array().expect("a batch");
        assert_eq!(members.len(), 2, "{member}: {batch}");
        assert!(members.iter().any(rpc::is_unaddressed), "{member}: {batch}");
    }
    let answer = chaos.next();
    assert_eq!(rpc::text(rpc::result(&answer)), "slept 800");
}

/// Each batch waits for its one slow call, and keeps thousands of refusals.
#[cfg(target_os = "linux")]
#[test]
fn batches_that_wait_keep_a_bounded_amount_of_memory() {
    const MIB: u64 = 1024 * 1024;
    let mut chaos = setup().start();
    chaos.initialize("2025-03-26");
    chaos.assert_alive();
    let before = chaos.peak_memory();
    let mut input = chaos.take_input();
    let writer = thread::spawn(move || {
        let nonsense = "{},".repeat(4000);
        for id in 0..300 {
            let params = json!({ "name": "slow", "arguments": { "ms": 29_000 } });
            let call =
                json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
            if writeln!(input, "[{nonsense}{call}]").is_err() {
                return; // the test is over
            }
        }
    });
    chaos.wait_until_idle();
    let grown = chaos.peak_memory().saturating_sub(before);
    assert!(grown <= 64 * MIB, "{} MiB more", grown / MIB);
    drop(chaos);
    writer.join().expect("the writer ends");
}

#[test]
fn an_empty_batch_is_an_invalid_request() {
    let mut chaos = setup().start();
    chaos.initialize("2025-03-26");
    chaos.line("[]");
    assert_eq!(rpc::code(&chaos.next()), -32600);
    chaos.assert_alive();
}

#[test]
fn initialize_inside_a_batch_is_refused() {
    let mut chaos = setup().start();
    chaos.send(&json!([rpc::initialize(1, "2025-03-26"), ping(2)]));
    assert_eq!(rpc::code(&chaos.next()), -32600);
    chaos.initialize("2025-03-26");
    chaos.assert_alive();
}

#[test]
fn a_batch_in_any_other_version_is_an_invalid_request() {
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut chaos = setup().start();
        chaos.initialize(version);
        chaos.send(&json!([ping(1), ping(2)]));
        let answer = chaos.next();
        assert!(rpc::is_unaddressed(&answer), "{version}: {answer}");
        assert_eq!(rpc::code(&answer), -32600, "{version}: {answer}");
        chaos.assert_alive();
    }
    let mut chaos = setup().modern();
    chaos.send(&json!([{ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": rpc::meta("2026-07-28") } }]));
    assert_eq!(rpc::code(&chaos.next()), -32600);
    chaos.assert_alive();
}
