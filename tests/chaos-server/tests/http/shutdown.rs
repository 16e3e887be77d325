//! The end: SIGTERM and SIGINT; what was begun is answered, nothing else begins.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;

use crate::client::{HttpClient, answer, messages};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};
use crate::support::PATIENCE;
use crate::support::trace::Trace;

fn ready(server: &Server) -> u16 {
    let request = Request::new("GET", "/readyz");
    server.connect().exchange(&request).status()
}

/// Asks until the server says that it takes no more. The listener is still open.
fn wait_for_the_drain(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    while ready(server) != 503 {
        assert!(Instant::now() < deadline, "ready after the signal");
    }
}

#[test]
fn a_signal_ends_an_idle_server_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = setup().start();
        assert_eq!(ready(&server), 200);
        // Connections that only wait do not keep it.
        let mut modern = server.modern();
        modern.assert_alive();
        let mut legacy = server.legacy();
        legacy.assert_alive();
        let _silent = server.connect();
        let mut halfway = server.connect();
        halfway.write(b"POST /mcp HTTP/1.1\r\nHost: loc");
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn calls_in_flight_are_answered_and_no_others_begin() {
    let mut trace = Trace::new("http-drain");
    let mut server = setup().env("CHAOS_TRACE", trace.path()).start();
    let (modern, legacy) = (server.modern(), server.legacy());
    // Connections from before the signal, to ask on after it.
    let mut kept = [server.connect(), server.connect()];
    for (conn, client) in kept.iter_mut().zip([&modern, &legacy]) {
        let add = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
        assert_eq!(conn.exchange(&add).status(), 200);
    }
    let mut first = modern.start(&modern.calling(1, "slow", json!({ "ms": 2500 })));
    let mut second = legacy.start(&legacy.calling(2, "slow", json!({ "ms": 2501 })));
    trace.wait_for("start 2500");
    trace.wait_for("start 2501");
    server.signal(Signal::TERM);
    wait_for_the_drain(&server);

    // The process is there, and says so.
    let live = Request::new("GET", "/livez");
    assert_eq!(server.connect().exchange(&live).status(), 200);
    for (conn, client) in kept.iter_mut().zip([&modern, &legacy]) {
        let late = client.calling(9, "slow", json!({ "ms": 7 }));
        for on_a_new_one in [true, false] {
            let response = if on_a_new_one {
                Some(server.connect().exchange(&late))
            } else {
                conn.send(&late);
                conn.try_response()
            };
            let Some(response) = response else {
                assert!(!on_a_new_one, "a new connection was closed without a word");
                continue;
            };
            let text = response.text();
            assert!(text.contains("shutting down"), "{text}");
            if response.status() == 200 {
                let answer = answer(&response, &json!(9));
                assert!(rpc::is_error(rpc::result(&answer)), "{text}");
            } else {
                assert_eq!(response.status(), 503, "{text}");
            }
        }
    }
    // Nor are sessions opened.
    let opening = server.connect().exchange(&legacy.opening("2025-11-25"));
    assert!(opening.head.header("mcp-session-id").is_none() || opening.status() == 200);

    for (conn, id, ms) in [(&mut first, 1, 2500), (&mut second, 2, 2501)] {
        let answered = answer(&conn.response(), &json!(id));
        assert_eq!(rpc::text(rpc::result(&answered)), format!("slept {ms}"));
    }
    assert_eq!(server.wait().code(), Some(0));
    assert!(!trace.has("start 7"), "a call began after the signal");
}

/// Streams on which nothing happens do not keep the server; they end as their
/// framing says.
#[test]
fn open_streams_are_ended() {
    let mut server = setup().start();
    let (modern, legacy) = (server.modern(), server.legacy());
    let mut own = legacy.stream(&legacy.listening());
    let request = modern.request(
        1,
        "subscriptions/listen",
        json!({ "notifications": { "toolsListChanged": true } }),
    );
    let mut subscription = modern.stream(&request);
    subscription.message().expect("an acknowledgement");
    let begin = Instant::now();
    server.end();
    assert!(
        begin.elapsed() < PATIENCE / 2,
        "the streams were waited for"
    );
    assert_eq!(subscription.rest().len(), 1);
    assert!(subscription.is_complete());
    own.rest();
    assert!(own.is_complete());
}

/// A stream with a call in it goes on to its answer.
#[test]
fn a_call_that_streams_is_answered() {
    let mut server = setup().start();
    for client in server.both() {
        let request = client.watching(1, "count", json!({ "to": 20, "ms": 60 }));
        let mut events = client.stream(&request);
        events.message().expect("a report");
        if client.session.is_some() {
            server.signal(Signal::TERM);
        }
        let handle = thread::spawn(move || {
            let rest = events.rest();
            let last = rest.last().expect("an answer").clone();
            assert_eq!(rpc::text(rpc::result(&last)), "counted");
        });
        handle.join().expect("the stream was answered");
    }
    assert_eq!(server.wait().code(), Some(0));
}

/// Clients that never stop asking: each answer is right or a clear refusal,
/// and what began was answered.
#[test]
fn a_signal_under_load_loses_nothing() {
    let trace_path = crate::support::scratch("http-load.trace");
    let mut server = setup().env("CHAOS_TRACE", &trace_path).start();
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..16_u64)
        .map(|number| {
            let client = if number % 2 == 0 {
                server.modern()
            } else {
                server.legacy()
            };
            let address = server.address;
            let stop = Arc::clone(&stop);
            thread::spawn(move || ask_until_refused(&client, address, number, &stop))
        })
        .collect();
    // Half a second of it, measured by the server.
    server.modern().text("sleep", json!({ "ms": 400 }));
    server.signal(Signal::TERM);
    let status = server.wait();
    stop.store(true, Ordering::Relaxed);
    let mut answered: HashSet<u64> = HashSet::new();
    for thread in threads {
        answered.extend(thread.join().expect("every answer was right"));
    }
    assert_eq!(status.code(), Some(0), "{}", server.log.text());
    assert!(answered.len() > 16, "too little load: {}", answered.len());
    let trace = std::fs::read_to_string(&trace_path).unwrap();
    let began: HashSet<u64> = trace
        .lines()
        .filter_map(|line| line.strip_prefix("start ")?.parse().ok())
        .collect();
    let lost: Vec<_> = began.difference(&answered).collect();
    assert!(lost.is_empty(), "began and never answered: {lost:?}");
    let _ = std::fs::remove_file(&trace_path);
}

/// Calls `slow`, each with milliseconds of its own, until the server refuses or
/// is gone; those that were answered.
fn ask_until_refused(
    client: &HttpClient,
    address: std::net::SocketAddr,
    number: u64,
    stop: &AtomicBool,
) -> Vec<u64> {
    let mut answered = Vec::new();
    let mut conn = crate::wire::Conn::open(address);
    for round in 0.. {
        // Distinct, and small.
        let ms = 1 + round * 16 + number;
        if stop.load(Ordering::Relaxed) || ms > 29_000 {
            break;
        }
        conn.send(&client.calling(ms, "slow", json!({ "ms": ms })));
        let Some(response) = conn.try_response() else {
            break;
        };
        if response.status() != 200 {
            assert_eq!(response.status(), 503, "{}", response.text());
            break;
        }
        let message = messages(&response).remove(0);
        assert_eq!(message["id"], ms, "{message}");
        let result = rpc::result(&message);
        let text = rpc::text(result);
        if rpc::is_error(result) {
            assert!(text.contains("shutting down"), "{text}");
            break;
        }
        assert_eq!(text, format!("slept {ms}"));
        answered.push(ms);
        if response.head.header("connection") == Some("close") {
            break;
        }
    }
    answered
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut trace = Trace::new("http-second");
    let mut server = setup().env("CHAOS_TRACE", trace.path()).start();
    let client = server.modern();
    let _conn = client.start(&client.calling(1, "slow", json!({ "ms": 29_000 })));
    trace.wait_for("start 29000");
    let begin = Instant::now();
    server.signal(Signal::TERM);
    wait_for_the_drain(&server);
    server.signal(Signal::TERM);
    server.wait();
    assert!(begin.elapsed().as_secs() < 9, "the drain was waited for");
    assert!(!trace.has("done 29000"));
}

#[test]
fn the_drain_has_an_end() {
    let mut trace = Trace::new("http-drain-end");
    let mut server = setup()
        .env("CHAOS_TRACE", trace.path())
        .env("CHAOS_FLOOD", "1")
        .start();
    let (modern, legacy) = (server.modern(), server.legacy());
    let mut conns = [
        modern.start(&modern.calling(1, "slow", json!({ "ms": 29_000 }))),
        legacy.start(&legacy.calling(1, "slow", json!({ "ms": 29_001 }))),
    ];
    trace.wait_for("start 29000");
    trace.wait_for("start 29001");
    // And one that never reads.
    let unread = modern.watching(2, "flood", json!({ "to": 100_000, "bytes": 500 }));
    let _unread = modern.start(&unread);
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert!(!trace.has("done 29000") && !trace.has("done 29001"));
    for conn in &mut conns {
        if let Some(response) = conn.try_response() {
            assert!(!response.text().contains("slept"), "{}", response.text());
        }
    }
}

/// Load balancers take a while to notice: until then all is as before, but for
/// what the probe says.
#[test]
fn a_delay_before_the_drain_serves_on() {
    let mut server = setup().arg("--drain-delay").arg("1500ms").start();
    let mut kept = server.modern();
    kept.assert_alive();
    let begin = Instant::now();
    server.signal(Signal::TERM);
    wait_for_the_drain(&server);
    if begin.elapsed().as_millis() < 700 {
        kept.assert_alive();
        server.assert_alive();
        server.legacy().assert_alive();
    }
    assert_eq!(server.wait().code(), Some(0));
    assert!(begin.elapsed().as_millis() >= 1_400, "no delay");
}

/// With every worker of the runtime held, nothing in it sees a signal or the
/// time.
#[test]
fn the_end_does_not_depend_on_a_free_worker() {
    for (drain, is_asked_twice) in [("100", false), ("1800000", true)] {
        let mut trace = Trace::new(&format!("http-hogged-{drain}"));
        let mut server = setup()
            .env("CHAOS_TRACE", trace.path())
            .env("CHAOS_PROCESS", "1")
            .env("CHAOS_DRAIN", drain)
            .start();
        let client = server.modern();
        let workers = thread::available_parallelism().unwrap().get().max(2);
        let _calls: Vec<_> = (0..workers)
            .map(|id| {
                let ms = 59_000 + id;
                let call = client.start(&client.calling(id, "hog", json!({ "ms": ms })));
                trace.wait_for(&format!("start {ms}"));
                call
            })
            .collect();
        server.signal(Signal::TERM);
        while is_asked_twice && server.is_running() {
            server.signal(Signal::TERM);
            thread::yield_now();
        }
        let expected = if is_asked_twice { 0 } else { 1 };
        assert_eq!(server.wait().code(), Some(expected));
    }
}
