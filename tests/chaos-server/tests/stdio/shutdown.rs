//! The end: stdin closed, SIGTERM, SIGINT; what was begun is answered.

use std::collections::HashSet;
use std::io::Write as _;
use std::thread;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;

use crate::process::{Chaos, PATIENCE, Trace, setup};
use crate::rpc;

#[test]
fn the_end_of_stdin_ends_an_idle_server() {
    let mut chaos = setup().start();
    assert!(chaos.finish().is_empty());
    let mut chaos = setup().legacy();
    assert!(chaos.finish().is_empty());
}

#[test]
fn the_end_of_stdin_lets_calls_finish() {
    let mut trace = Trace::new("eof");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..3 {
        chaos.send_call(id, "slow", json!({ "ms": 600 }));
    }
    trace.wait_for("start 600");
    let rest = chaos.finish();
    assert_eq!(rest.len(), 3, "{rest:?}");
    for answer in &rest {
        assert_eq!(rpc::text(rpc::result(answer)), "slept 600");
    }
}

/// More answers wait for it than it may leave unread, so nothing more is read.
#[test]
fn the_end_of_stdin_ends_a_server_whose_answers_are_not_read() {
    let mut chaos = setup()
        .env("CHAOS_DRAIN", "100")
        .without_reading_stdout()
        .start();
    for id in 0..20 {
        chaos.send(&json!({
            "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {
                "name": "big", "arguments": { "bytes": 1_000_000 },
                "_meta": rpc::meta("2026-07-28"),
            },
        }));
    }
    chaos.wait_until_idle();
    chaos.close_input();
    chaos.wait();
}

/// `printf … | server`: everything that was written before the end counts,
/// also what had to wait.
#[test]
fn the_end_of_stdin_loses_no_call_that_waits() {
    let mut chaos = setup().legacy();
    for id in 0..300 {
        chaos.send_call(id, "slow", json!({ "ms": 30 }));
    }
    let rest = chaos.finish();
    assert_eq!(rest.len(), 300);
    for answer in &rest {
        assert_eq!(rpc::text(rpc::result(answer)), "slept 30");
    }
}

#[test]
fn a_signal_ends_an_idle_server_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut chaos = setup().legacy();
        chaos.assert_alive();
        chaos.signal(signal);
        assert!(chaos.rest().is_empty());
        assert_eq!(chaos.wait().code(), Some(0), "{signal:?}");
    }
}

/// The first answer leaves before the runtime runs; a signal right behind it
/// ends the server as cleanly as a later one.
#[test]
fn a_signal_right_after_the_first_answer_ends_the_server_cleanly() {
    for _ in 0..20 {
        let mut chaos = setup().start();
        chaos.send(&rpc::initialize(1, "2025-11-25"));
        chaos.answer(1);
        chaos.signal(Signal::TERM);
        assert_eq!(chaos.wait().code(), Some(0));
    }
}

#[test]
fn a_signal_before_the_handshake_ends_the_server_cleanly() {
    let mut chaos = setup().start();
    // Any answer shows that the server has come up.
    chaos.line("not json");
    chaos.next();
    chaos.signal(Signal::TERM);
    assert_eq!(chaos.wait().code(), Some(0));
}

/// Calls until one is refused: from then on the server is known to have seen
/// the signal. Fails unless the refusal can be read.
fn wait_for_the_drain(chaos: &mut Chaos) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let result = chaos.call("add", json!({ "a": 1, "b": 2 }));
        if rpc::is_error(&result) {
            let text = rpc::text(&result);
            assert!(text.contains("shutting down"), "{text}");
            return;
        }
    }
    panic!("calls are still taken after the signal");
}

#[test]
fn a_signal_lets_calls_finish_and_starts_no_others() {
    for (signal, name) in [(Signal::TERM, "sigterm"), (Signal::INT, "sigint")] {
        let mut trace = Trace::new(name);
        let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
        chaos.send_call(1, "slow", json!({ "ms": 2500 }));
        trace.wait_for("start 2500");
        chaos.signal(signal);
        wait_for_the_drain(&mut chaos);
        chaos.send_call(2, "slow", json!({ "ms": 1 }));
        let refused = chaos.next();
        assert_eq!(refused["id"], 2, "{refused}");
        assert!(rpc::is_error(rpc::result(&refused)), "{refused}");
        // Who asks whether the server is there is answered all the same.
        chaos.send(&json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" }));
        assert_eq!(chaos.next()["id"], 3);
        let finished = chaos.next();
        assert_eq!(finished["id"], 1);
        assert_eq!(rpc::text(rpc::result(&finished)), "slept 2500");
        assert!(chaos.rest().is_empty());
        assert_eq!(chaos.wait().code(), Some(0));
        assert!(!trace.has("start 1"), "a call began after the signal");
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut trace = Trace::new("second-signal");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 29_000 }));
    trace.wait_for("start 29000");
    chaos.signal(Signal::TERM);
    wait_for_the_drain(&mut chaos);
    chaos.signal(Signal::TERM);
    // A drain that ran out of time would have answered the call.
    assert!(chaos.rest().is_empty());
    chaos.wait();
}

#[test]
fn the_drain_has_an_end() {
    let mut trace = Trace::new("drain-end");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 29_000 }));
    trace.wait_for("start 29000");
    let rest = chaos.finish();
    assert!(
        !trace.has("done 29000"),
        "the server waited for a call after the drain time"
    );
    for answer in rest {
        assert!(
            answer.get("error").is_some() || rpc::is_error(rpc::result(&answer)),
            "{answer}"
        );
    }
}

#[test]
fn unread_output_does_not_keep_the_server() {
    let mut chaos = setup().without_reading_stdout().start();
    chaos.send(&rpc::initialize("hello", "2025-11-25"));
    for id in 0..20 {
        chaos.send_call(id, "big", json!({ "bytes": 1_000_000 }));
    }
    chaos.close_input();
    chaos.wait();
}

/// Such a client is always owed another refusal; the end must not wait for it.
#[test]
fn a_client_that_never_stops_sending_does_not_put_the_end_off() {
    let mut chaos = setup().legacy();
    let mut input = chaos.take_input();
    let writer = thread::spawn(move || {
        for id in 0.. {
            let params = json!({ "name": "add", "arguments": { "a": id, "b": 1 } });
            let call =
                json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
            if writeln!(input, "{call}").is_err() {
                return; // the server is gone
            }
        }
    });
    let mut seen = HashSet::new();
    while seen.len() < 1000 {
        let answer = chaos.next();
        assert!(seen.insert(answer["id"].as_u64()), "twice: {answer}");
    }
    chaos.signal(Signal::TERM);
    // Every line is whole, the last one too, and none is answered twice.
    for answer in chaos.rest() {
        assert!(seen.insert(answer["id"].as_u64()), "twice: {answer}");
    }
    assert_eq!(chaos.wait().code(), Some(0));
    writer.join().expect("the writer ends");
}

#[test]
fn a_call_in_flight_keeps_its_id_while_the_server_drains() {
    let mut trace = Trace::new("id-in-drain");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 2500 }));
    trace.wait_for("start 2500");
    chaos.signal(Signal::TERM);
    wait_for_the_drain(&mut chaos);
    chaos.send_call(1, "add", json!({ "a": 1, "b": 2 }));
    assert!(rpc::is_unaddressed(&chaos.next()));
    let rest = chaos.rest();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0]["id"], 1);
    assert_eq!(rpc::text(rpc::result(&rest[0])), "slept 2500");
}

/// The only thing that a client of such a server can do is to end it.
fn hogged(name: &str, drain: &str) -> (Chaos, Trace) {
    let mut trace = Trace::new(name);
    let mut chaos = setup()
        .env("CHAOS_TRACE", trace.path())
        .env("CHAOS_PROCESS", "1")
        .env("CHAOS_DRAIN", drain)
        .legacy();
    let workers = thread::available_parallelism().unwrap().get().max(2);
    for id in 0..workers {
        chaos.send_call(id, "hog", json!({ "ms": 59_000 + id }));
    }
    for id in 0..workers {
        trace.wait_for(&format!("start {}", 59_000 + id));
    }
    (chaos, trace)
}

/// With every worker of the runtime held, nothing in it sees anything.
#[test]
fn the_drain_has_an_end_though_no_worker_is_free() {
    for signal in [None, Some(Signal::TERM), Some(Signal::INT)] {
        let (mut chaos, _trace) = hogged("hogged", "100");
        match signal {
            None => chaos.close_input(),
            Some(signal) => chaos.signal(signal),
        }
        assert!(chaos.rest().is_empty());
        assert_eq!(chaos.wait().code(), Some(1), "{signal:?}");
        let log = chaos.log.all().join("\n");
        assert!(log.contains("block every worker"), "{signal:?}: {log}");
    }
}

/// The drain time is half an hour, so nothing else ends it.
#[test]
fn a_second_signal_ends_the_server_though_no_worker_is_free() {
    let (mut chaos, _trace) = hogged("hogged-twice", "1800000");
    // Two at once can be one.
    while chaos.is_running() {
        chaos.signal(Signal::TERM);
        thread::yield_now();
    }
    assert_eq!(chaos.wait().code(), Some(0));
}

/// Hosts close stdin, wait two seconds, and send SIGTERM.
#[test]
fn a_signal_after_the_end_of_stdin_ends_the_server_at_once() {
    let mut trace = Trace::new("eof-then-term");
    let mut chaos = setup()
        .env("CHAOS_TRACE", trace.path())
        .env("CHAOS_DRAIN", "1800000")
        .legacy();
    chaos.send_call(1, "slow", json!({ "ms": 29_000 }));
    trace.wait_for("start 29000");
    chaos.close_input();
    chaos.signal(Signal::TERM);
    assert!(chaos.rest().is_empty());
    assert_eq!(chaos.wait().code(), Some(0));
    assert!(!trace.has("done 29000"));
}

#[test]
fn a_signal_after_the_end_of_stdin_ends_the_server_though_no_worker_is_free() {
    let (mut chaos, _trace) = hogged("hogged-eof", "1800000");
    chaos.close_input();
    chaos.signal(Signal::TERM);
    assert!(chaos.rest().is_empty());
    assert_eq!(chaos.wait().code(), Some(0));
}
