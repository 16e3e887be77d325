//! Clients that leave: a modern call is cancelled, a legacy one goes on.

use serde_json::json;

use crate::client::HttpClient;
use crate::rpc;
use crate::server::{Server, field, setup};
use crate::support::trace::Trace;

/// Waits for the log line of the call that was cancelled.
#[track_caller]
fn wait_for_the_cancelled_call(server: &Server) {
    server.log.wait_for("the cancelled call", |line| {
        field(line, "name").as_deref() == Some("slow") && line.contains("cancel")
    });
}

fn slow(client: &HttpClient, ms: u64) -> crate::request::Request {
    client.calling(1, "slow", json!({ "ms": ms }))
}

#[test]
fn leaving_cancels_a_modern_call() {
    let mut trace = Trace::new("http-leave");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let client = server.modern();
    let conn = client.start(&slow(&client, 29_000));
    trace.wait_for("start 29000");
    drop(conn);
    wait_for_the_cancelled_call(&server);
    assert!(!trace.has("done 29000"));
    server.assert_alive();
}

/// With a second request already sent behind the first.
#[test]
fn leaving_cancels_a_modern_call_with_another_behind_it() {
    let mut trace = Trace::new("http-leave-pipelined");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let client = server.modern();
    let mut conn = server.connect();
    let mut bytes = slow(&client, 29_000).bytes(server.address);
    bytes.extend(slow(&client, 1).bytes(server.address));
    conn.write(&bytes);
    trace.wait_for("start 29000");
    drop(conn);
    wait_for_the_cancelled_call(&server);
    assert!(!trace.has("done 29000"));
    assert!(!trace.has("start 1"), "a call ran for who has left");
    server.assert_alive();
}

/// A reset in place of an orderly end.
#[test]
fn a_reset_cancels_a_modern_call() {
    let mut trace = Trace::new("http-reset");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let client = server.modern();
    let conn = client.start(&slow(&client, 29_000));
    trace.wait_for("start 29000");
    conn.reset();
    wait_for_the_cancelled_call(&server);
    assert!(!trace.has("done 29000"));
    server.assert_alive();
}

#[test]
fn leaving_cancels_a_modern_call_that_streams() {
    let server = setup().start();
    let client = server.modern();
    let request = client.watching(1, "count", json!({ "to": 1_000, "ms": 20 }));
    let mut events = client.stream(&request);
    events.message().expect("a report");
    drop(events);
    server.log.wait_for("the cancelled call", |line| {
        field(line, "name").as_deref() == Some("count") && line.contains("cancel")
    });
    server.assert_alive();
}

/// Its answer is for the session, not for the connection.
#[test]
fn leaving_does_not_cancel_a_legacy_call() {
    let mut trace = Trace::new("http-leave-legacy");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    for (version, ms) in [
        ("2025-03-26", 401),
        ("2025-06-18", 402),
        ("2025-11-25", 403),
    ] {
        let client = server.session(version, None);
        let conn = client.start(&slow(&client, ms));
        trace.wait_for(&format!("start {ms}"));
        drop(conn);
        trace.wait_for(&format!("done {ms}"));
    }
    server.assert_alive();
}

/// The session is as good as before, and the id is free once the call ended.
#[test]
fn a_session_outlives_its_connections() {
    let mut trace = Trace::new("http-outlive");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let mut client = server.legacy();
    let conn = client.start(&slow(&client, 300));
    trace.wait_for("start 300");
    conn.reset();
    trace.wait_for("done 300");
    client.assert_alive();
    client.twin().assert_alive();
}

/// A stream that broke off with its connection is resumed on another one.
#[test]
fn a_lost_stream_is_resumed_where_it_stopped() {
    let server = setup().start();
    let client = server.legacy();
    let count = client.watching(1, "count", json!({ "to": 10, "ms": 50 }));
    let mut events = client.stream(&count);
    let mut last = None;
    for _ in 0..4 {
        last = events.next().expect("the stream goes on").id;
    }
    drop(events);
    let last = last.expect("an id");
    let resuming = client.listening().header("Last-Event-ID", &last);
    let rest = client.stream(&resuming).rest();
    let reports = rest
        .iter()
        .map(|message| message["params"]["progress"].as_f64());
    let reports: Vec<f64> = reports.flatten().collect();
    assert_eq!(reports, (4..=10).map(f64::from).collect::<Vec<_>>());
    let answer = rest.last().expect("the answer");
    assert_eq!(answer["id"], 1);
    assert_eq!(rpc::text(rpc::result(answer)), "counted");
    assert_eq!(rest.len(), 8, "{rest:?}");
}

/// A client that has said all it has to say may still want to hear.
#[test]
fn a_half_closed_connection_affects_no_other() {
    let server = setup().start();
    for client in server.both() {
        let mut conn = client.start(&client.calling(1, "sleep", json!({ "ms": 100 })));
        conn.finish_writing();
        if let Some(response) = conn.try_response() {
            assert!(response.text().contains("slept 100"), "{}", response.text());
        }
    }
    server.assert_alive();
}

/// Hundreds that come and leave in the middle of their calls leave nothing.
#[cfg(target_os = "linux")]
#[test]
fn those_who_left_leave_nothing_behind() {
    let server = setup().start();
    let client = server.modern();
    let descriptors = |server: &Server| {
        std::fs::read_dir(server.proc().entry("fd"))
            .expect("the process is there")
            .count()
    };
    server.assert_alive();
    server.proc().wait_until_idle();
    let before = descriptors(&server);
    for _ in 0..300 {
        drop(client.start(&slow(&client, 29_000)));
    }
    server.assert_alive();
    server.proc().wait_until_idle();
    let after = descriptors(&server);
    assert!(after <= before + 2, "{before} descriptors, then {after}");
}
