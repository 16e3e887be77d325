//! What handlers and their children print, and a stderr that is not read.

use std::io::{PipeReader, Write as _, pipe};
use std::os::fd::OwnedFd;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{Chaos, Setup, setup};
use crate::rpc;

/// Waits for a line of the log with this message.
fn wait_for(chaos: &Chaos, message: &str) -> Value {
    let line = chaos.log.wait_for(message, |line| line.contains(message));
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON on stderr: {line:?}"))
}

#[test]
fn what_is_printed_becomes_lines_of_the_log() {
    let mut chaos = setup().env("CHAOS_PROCESS", "1").legacy();
    for (tool, message) in [
        ("print", "a stray line"),
        ("print_rest", "no end"),
        ("child", "a line of a child"),
    ] {
        chaos.text(tool, json!({}));
        let line = wait_for(&chaos, message);
        assert_eq!(line["message"], message);
        assert_eq!(line["target"], "mcp_kit::printed");
        assert_eq!(line["level"], "INFO");
        assert!(line["timestamp"].is_string(), "{line}");
    }
    assert!(chaos.finish().is_empty());
}

/// The last thing that is printed is there before the process ends.
#[test]
fn what_is_printed_last_is_written_before_the_end() {
    let mut chaos = setup().env("CHAOS_PROCESS", "1").legacy();
    chaos.send_call(1, "print", json!({}));
    chaos.send_call(2, "print_rest", json!({}));
    chaos.finish();
    let log = chaos.log.all().join("\n");
    assert!(
        log.contains("a stray line") && log.contains("no end"),
        "{log}"
    );
}

/// A server whose stderr is a full pipe that is not read.
fn with_full_stderr(setup: Setup) -> (Chaos, PipeReader) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'.'; 4_096]).is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    let setup = setup
        .env("CHAOS_PROCESS", "1")
        .stderr(OwnedFd::from(writer));
    (setup.legacy(), reader)
}

/// Two calls of a tool that printed stopped such a server for good.
#[test]
fn prints_stop_nothing_whether_stderr_is_read_or_not() {
    for last in [None, Some(Signal::TERM)] {
        let (mut chaos, _unread) = with_full_stderr(setup());
        for round in 0..4 {
            for id in 0..8 {
                chaos.send_call(id, "print", json!({}));
                chaos.send_call(100 + id, "eprint", json!({ "times": 50 }));
            }
            for id in 200..600 {
                chaos.send_call(id, "add", json!({ "a": 1, "b": 2 }));
            }
            for id in (0..8).chain(100..108).chain(200..600) {
                let answer = chaos.answer(id);
                assert!(
                    !rpc::is_error(rpc::result(&answer)),
                    "round {round}: {answer}"
                );
            }
            rpc::result(&chaos.request("ping", json!({})));
        }
        match last {
            Some(signal) => chaos.signal(signal),
            None => chaos.close_input(),
        }
        assert!(chaos.rest().is_empty());
        assert_eq!(chaos.wait().code(), Some(0));
    }
}

/// The log's own lines are what fills it, and a thread is stuck in a print when
/// that is noticed.
#[test]
fn a_stderr_that_fills_up_meanwhile_stops_nothing() {
    let mut chaos = setup()
        .env("CHAOS_PROCESS", "1")
        .without_reading_stderr()
        .legacy();
    for id in 0..500 {
        chaos.send_call(id, "add", json!({ "a": 1, "b": 2 }));
        if id % 50 == 0 {
            chaos.send_call(1_000 + id, "print", json!({}));
            chaos.send_call(2_000 + id, "eprint", json!({ "times": 100 }));
        }
    }
    for id in 0..500 {
        chaos.answer(id);
        if id % 50 == 0 {
            chaos.answer(1_000 + id);
            chaos.answer(2_000 + id);
        }
    }
    rpc::result(&chaos.request("ping", json!({})));
    assert!(chaos.finish().is_empty());
}

/// What cannot be contained has its last words, while stderr is read.
#[test]
fn what_ends_the_process_leaves_its_last_lines() {
    for (tool, words) in [
        ("exit", vec!["\"name\":\"add\""]),
        (
            "panic_twice",
            vec!["\"name\":\"add\"", "the first panic", "the second panic"],
        ),
        ("overflow", vec!["stack overflow"]),
    ] {
        let mut chaos = setup().env("CHAOS_PROCESS", "1").legacy();
        for id in 0..20 {
            chaos.send_call(id, "add", json!({ "a": 1, "b": 2 }));
        }
        for id in 0..20 {
            chaos.answer(id);
        }
        let arguments = match tool {
            "overflow" => json!({ "times": 10_000_000 }),
            _ => json!({}),
        };
        chaos.send_call(99, tool, arguments);
        chaos.rest();
        assert!(!chaos.wait().success());
        let log = chaos.log.all().join("\n");
        for word in words {
            assert!(log.contains(word), "{tool}, {word}: {log}");
        }
        if tool != "overflow" {
            assert_eq!(log.matches("\"name\":\"add\"").count(), 20, "{tool}: {log}");
        }
    }
}
