//! Errors and panics that do harm of their own: every call is answered with a
//! reference, and the connection goes on.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::{Value, json};

use crate::process::setup;
use crate::rpc;

/// Kinds of harm after which the client reads a reference.
const MASKED: [&str; 5] = ["error_drop", "payload_drop", "display", "huge", "endless"];

#[test]
fn panics_in_drop_and_display_are_answered_and_the_connection_goes_on() {
    let mut chaos = setup().env("CHAOS_HOSTILE", "1").legacy();
    for _ in 0..3 {
        for how in MASKED {
            let text = chaos.failure("hostile", json!({ "how": how }));
            let reference = rpc::reference(&text);
            assert!(!text.contains("hunter2"), "{text}");
            let line = chaos.log.wait_for(how, |line| {
                line.contains(&reference) && line.contains("\"call\"")
            });
            assert!(line.len() < 40_000, "{how}: {} bytes", line.len());
        }
        let text = chaos.failure("hostile", json!({ "how": "source_drop" }));
        assert_eq!(text, "The source is hostile.");
        chaos.assert_alive();
    }
    chaos
        .log
        .wait_for("the panic in Drop", |line| line.contains("was dropped (at"));
    let rest = chaos.finish();
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn a_batch_with_hostile_calls_is_answered_in_full() {
    let mut chaos = setup().env("CHAOS_HOSTILE", "1").start();
    chaos.initialize("2025-03-26");
    let batch: Vec<Value> = (0..)
        .zip(MASKED)
        .map(|(id, how)| {
            let params = json!({ "name": "hostile", "arguments": { "how": how } });
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
        })
        .collect();
    chaos.send(&Value::Array(batch));
    let answers = chaos.next();
    assert_eq!(
        answers.as_array().map(Vec::len),
        Some(MASKED.len()),
        "{answers}"
    );
    chaos.assert_alive();
}

#[test]
fn a_swallowed_panic_does_not_describe_the_next_one() {
    let mut chaos = setup().env("CHAOS_HOSTILE", "1").legacy();
    for _ in 0..20 {
        let text = chaos.text("hostile", json!({ "how": "swallow" }));
        assert_eq!(text, "swallowed true");
        let text = chaos.failure("hostile", json!({ "how": "resume" }));
        let reference = rpc::reference(&text);
        let line = chaos
            .log
            .wait_for("the panic", |line| line.contains(&reference));
        assert!(line.contains("panicked: resumed"), "{line}");
    }
}

/// Nothing can contain a panic that leaves a destructor during unwinding. The
/// log says what happened, and what calls before it did.
#[test]
fn an_abort_leaves_both_panics_and_the_lines_before_them() {
    let mut chaos = setup().env("CHAOS_HOSTILE", "1").legacy();
    chaos.assert_alive();
    chaos.send_call(1, "hostile", json!({ "how": "abort" }));
    assert_eq!(chaos.wait().signal(), Some(6));
    let lines = chaos.log.all();
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    for text in [
        "\"name\":\"add\"",
        "the first panic of hunter2",
        "the process may abort",
    ] {
        assert!(has(text), "{text}: {lines:#?}");
    }
}
