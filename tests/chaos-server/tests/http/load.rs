//! Many at once: calls, sessions, connections; each has a limit, and a client that is
//! within it is served.

use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::client::{HttpClient, answer};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup, setup_with_open_files};
use crate::support::PATIENCE;
use crate::support::trace::Trace;
use crate::wire::Conn;

#[cfg(target_os = "linux")]
const MIB: u64 = 1024 * 1024;

#[cfg(target_os = "linux")]
#[test]
fn two_thousand_pipelined_calls_are_answered_within_100_mib() {
    let server = setup().start();
    server.assert_alive();
    let before = server.proc().peak_memory();
    let client = server.modern();
    let mut conn = server.connect();
    let mut bytes = Vec::new();
    for id in 0..2_000 {
        let request = client.calling(id, "add", json!({ "a": id, "b": 1 }));
        bytes.extend(request.bytes(server.address));
    }
    let mut writer = conn.writer();
    let writing = thread::spawn(move || writer.write(&bytes));
    for id in 0..2_000 {
        let result = answer(&conn.response(), &json!(id));
        assert_eq!(rpc::text(rpc::result(&result)), (id + 1).to_string());
    }
    writing.join().expect("the server reads");
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 100 * MIB, "{} MiB more", grown / MIB);
}

#[test]
fn five_hundred_calls_at_once_are_all_answered() {
    let server = setup().start();
    for client in server.both() {
        let asked: Vec<Conn> = (0..500_i64)
            .map(|id| client.start(&client.calling(id, "slow", json!({ "ms": 300 }))))
            .collect();
        for (id, mut conn) in (0_i64..).zip(asked) {
            let result = answer(&conn.response(), &json!(id));
            let result = rpc::result(&result);
            let text = rpc::text(result);
            if rpc::is_error(result) {
                assert!(text.contains("busy"), "{text}");
            } else {
                assert_eq!(text, "slept 300");
            }
        }
    }
}

/// A caller's further calls wait until one of its own ends.
#[test]
fn a_caller_runs_256_calls_at_once_and_others_are_served() {
    let mut trace = Trace::new("http-principal");
    let server = setup().keys().env("CHAOS_TRACE", trace.path()).start();
    let (alice, mut bob) = (server.modern_as("alice-key"), server.modern_as("bob-key"));
    let first = slow(&alice, 20_000, &mut trace);
    let mut calls: Vec<Conn> = (1..400)
        .map(|id| alice.start(&alice.calling(id, "slow", json!({ "ms": 20_001 }))))
        .collect();
    let mut more = Vec::new();
    for ms in 0..3 {
        bob.assert_alive();
        more.push(slow(&server.modern_as("bob-key"), 20_002 + ms, &mut trace));
    }
    trace.wait_for_lines("start 20001", 255);
    let mut waits = alice.start(&alice.calling(9, "slow", json!({ "ms": 1 })));
    server.proc().wait_until_idle();
    assert_eq!(trace.count("start 20001"), 255);
    assert!(!trace.has("start 1"));
    // Those that wait are served in the order in which they came.
    drop((first, calls.split_off(1)));
    trace.wait_for("start 1");
    assert_eq!(waits.response().status(), 200);
}

/// A session runs 64 calls at once. Those that wait take up half of the
/// connections at most, however few there are.
#[cfg(target_os = "linux")]
#[test]
fn one_session_with_calls_on_every_connection_leaves_room_for_others() {
    for server in [
        setup().env("CHAOS_HTTP_LIMITS", "connections=160"),
        setup_with_open_files("-n 256"),
    ] {
        let mut trace = Trace::new("http-session");
        let server = server.keys().env("CHAOS_TRACE", trace.path()).start();
        let alice = server.legacy_as("alice-key");
        let _calls: Vec<Conn> = (0..200)
            .map(|id| alice.start(&alice.calling(id, "slow", json!({ "ms": 25_000 }))))
            .collect();
        let bob = server.modern_as("bob-key");
        let call = bob.calling(1, "add", json!({ "a": 1, "b": 2 }));
        for _ in 0..3 {
            served_at_last(&server, &call);
        }
        trace.wait_for_lines("start 25000", 64);
        assert!(!trace.has("done 25000"), "a call had to end first");
    }
}

/// A connector that opens a session for each call, and ends none, is served for
/// ever: its longest idle session makes room.
#[test]
fn a_session_for_each_call_is_served_for_ever() {
    let server = setup().keys().start();
    let mut bob = server.legacy_as("bob-key");
    for _ in 0..250 {
        server.legacy_as("alice-key").assert_alive();
    }
    bob.assert_alive();
}

/// 3,000 sessions opened by one caller end its own, and no other caller's.
#[cfg(target_os = "linux")]
#[test]
fn sessions_are_capped_for_each_caller() {
    for keys in [true, false] {
        let server = if keys { setup().keys() } else { setup() }.start();
        let client = |key| match keys {
            true => server.legacy_as(key),
            false => server.legacy(),
        };
        let mut bob = client("bob-key");
        let alice = client("alice-key");
        let calling = alice.start(&alice.calling(1, "slow", json!({ "ms": 20_000 })));
        let before = server.proc().peak_memory();
        let opening = alice.opening("2025-11-25");
        let mut conn = server.connect();
        let mut last = None;
        for _ in 0..3_000 {
            let response = conn.exchange(&opening);
            assert_eq!(response.status(), 200, "{}", response.text());
            last = response.head.header("mcp-session-id").map(str::to_owned);
            assert!(last.is_some());
        }
        let grown = server.proc().peak_memory().saturating_sub(before);
        assert!(grown <= 100 * MIB, "{} MiB more", grown / MIB);
        // Another caller's session goes on, and so does one with a call.
        if keys {
            bob.assert_alive();
        }
        alice.twin().assert_alive();
        let mut newest = alice.twin();
        newest.session = last;
        newest.assert_alive();
        drop(calling);
    }
}

#[test]
fn sessions_are_capped_for_the_server() {
    let server = setup()
        .keys()
        .env("CHAOS_HTTP_LIMITS", "sessions=5,sessions_per_principal=4")
        .start();
    let (mut alices, mut bobs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        alices.push(server.legacy_as("alice-key"));
    }
    for _ in 0..3 {
        bobs.push(server.legacy_as("bob-key"));
        // A session that was used just now does not end for another's.
        let is_open = |client: &HttpClient| {
            let request = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
            server.connect().exchange(&request).status() == 200
        };
        let (hers, his) = [&alices, &bobs]
            .map(|clients| clients.iter().filter(|client| is_open(client)).count())
            .into();
        assert!(his >= 1 && hers + his <= 5, "{hers} and {his}");
        assert!(bobs.last().is_some_and(is_open));
    }
    server.modern_as("bob-key").assert_alive();
}

#[test]
fn connections_above_the_limit_are_refused_and_free_places_taken() {
    let mut trace = Trace::new("http-connections");
    let server = setup()
        .env("CHAOS_TRACE", trace.path())
        .env("CHAOS_HTTP_LIMITS", "connections=2")
        .start();
    let client = server.modern();
    let call = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    let [first, mut second] = [1500, 1501].map(|ms| slow(&client, ms, &mut trace));
    let mut third = server.connect();
    third.send(&call);
    if let Some(response) = third.try_response() {
        assert_eq!(response.status(), 503, "{}", response.text());
    }
    // Those inside go on.
    assert_eq!(second.response().status(), 200);
    assert_eq!(second.exchange(&call).status(), 200);
    drop(first);
    // A place is free as soon as the server has seen the end of the first.
    served_at_last(&server, &call);
}

#[test]
fn the_connection_that_waits_longest_makes_room() {
    let server = setup().env("CHAOS_HTTP_LIMITS", "connections=3").start();
    let call = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    let mut slow = server.connect();
    slow.write(b"POST /mcp HTTP/1.1\r\n");
    let mut held: Vec<Conn> = (0..2)
        .map(|_| {
            let mut conn = server.connect();
            assert_eq!(conn.exchange(&call).status(), 200);
            conn
        })
        .collect();
    let mut next = served_at_last(&server, &call);
    if let Some(response) = slow.try_response() {
        assert_eq!(response.status(), 503, "{}", response.text());
    }
    slow.expect_close();
    for conn in held.iter_mut().chain([&mut next]) {
        assert_eq!(conn.exchange(&call).status(), 200);
    }
}

/// A host that keeps as many idle connections as it can, and renews them, does
/// not have the server taken for dead.
#[cfg(target_os = "linux")]
#[test]
fn probes_are_answered_where_descriptors_are_few() {
    let server = setup_with_open_files("-n 256").start();
    let line = server
        .log
        .wait_for("the warning", |line| line.contains("open files"));
    assert!(
        line.contains("WARN") && line.contains("LimitNOFILE"),
        "{line}"
    );
    let address = server.address;
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let renewing = thread::spawn(move || {
        let mut held: Vec<Conn> = (0..400).map(|_| Conn::open(address)).collect();
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            for conn in &mut held {
                if conn.is_closed() {
                    *conn = Conn::open(address);
                }
            }
        }
    });
    let call = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    for _ in 0..20 {
        served_at_last(&server, &Request::new("GET", "/livez"));
        served_at_last(&server, &call);
    }
    drop(stop);
    renewing.join().expect("it ends");
    let log = server.log.text();
    assert!(!log.contains("cannot accept"), "descriptors ran out: {log}");
}

/// The soft limit is raised as far as the hard one allows.
#[test]
fn a_soft_limit_on_open_files_is_raised() {
    let server = setup_with_open_files("-Sn 64").start();
    let call = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    let mut held: Vec<Conn> = (0..200).map(|_| server.connect()).collect();
    for _ in 0..2 {
        for conn in &mut held {
            assert_eq!(conn.exchange(&call).status(), 200);
        }
    }
    assert!(!server.log.text().contains("open files"));
}

/// A refused request does not count as use of a connection.
#[test]
fn a_connection_that_only_asks_what_is_refused_makes_room() {
    for has_key in [true, false] {
        let server = setup()
            .keys()
            .env("CHAOS_HTTP_LIMITS", "connections=1")
            .start();
        let call = server
            .modern_as("alice-key")
            .calling(1, "add", json!({ "a": 1, "b": 2 }));
        let refused = if has_key {
            call.clone().target("/nothing")
        } else {
            call.clone().without("X-API-Key")
        };
        let mut conn = server.connect();
        let first = conn.exchange(&refused).status();
        assert!([401, 404].contains(&first), "{first}");
        let asking = thread::spawn(move || {
            let deadline = Instant::now() + PATIENCE;
            let mut asked = 0;
            loop {
                conn.send(&refused);
                match conn.try_response() {
                    Some(response) if response.status() != 503 => asked += 1,
                    _ => return asked,
                }
                assert!(Instant::now() < deadline, "it is never cut");
            }
        });
        // A request that has just begun is not cut; the next connection has
        // another try.
        while !asking.is_finished() {
            drop(served_at_last(&server, &call));
        }
        assert!(asking.join().expect("it is cut") > 0);
    }
}

/// A call that runs for so many milliseconds.
fn slow(client: &HttpClient, ms: u64, trace: &mut Trace) -> Conn {
    let conn = client.start(&client.calling(ms, "slow", json!({ "ms": ms })));
    trace.wait_for(&format!("start {ms}"));
    conn
}

/// Connects until it is let in.
#[track_caller]
pub(crate) fn served_at_last(server: &Server, call: &Request) -> Conn {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut next = server.connect();
        next.send(call);
        match next.try_response() {
            Some(response) if response.status() == 200 => return next,
            _ => assert!(Instant::now() < deadline, "no place became free"),
        }
    }
}

#[test]
fn requests_above_the_limit_are_refused_with_the_reason() {
    let mut trace = Trace::new("http-requests");
    let server = setup()
        .env("CHAOS_TRACE", trace.path())
        .env("CHAOS_HTTP_LIMITS", "requests=3")
        .start();
    let client = server.modern();
    let held = [1200, 1201, 1202].map(|ms| slow(&client, ms, &mut trace));
    let response = server
        .connect()
        .exchange(&client.calling(9, "add", json!({ "a": 1, "b": 2 })));
    assert_eq!(response.status(), 503, "{}", response.text());
    assert!(response.json()["error"]["message"].is_string());
    // Probes are no requests that count.
    let probe = Request::new("GET", "/livez");
    assert_eq!(server.connect().exchange(&probe).status(), 200);
    for (ms, mut conn) in [1200, 1201, 1202].into_iter().zip(held) {
        let result = answer(&conn.response(), &json!(ms));
        assert_eq!(rpc::text(rpc::result(&result)), format!("slept {ms}"));
    }
    server.assert_alive();
}

/// Many that send large bodies slowly fill a bound, not the memory.
#[cfg(target_os = "linux")]
#[test]
fn large_bodies_that_never_end_are_bounded() {
    let server = setup().start();
    server.assert_alive();
    let before = server.proc().peak_memory();
    let client = server.modern();
    let request = client
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .body(vec![b' '; 4 << 20]);
    let bytes = request.bytes(server.address);
    let held: Vec<Conn> = (0..100)
        .map(|_| {
            let mut conn = server.connect();
            conn.write_what_is_taken(&bytes[..bytes.len() - 1]);
            conn
        })
        .collect();
    server.proc().wait_until_idle();
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 150 * MIB, "{} MiB more", grown / MIB);
    server.assert_alive();
    drop(held);
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_of_64_mib_costs_no_memory() {
    let server = setup().start();
    server.assert_alive();
    let before = server.proc().peak_memory();
    let client = server.modern();
    let request = client
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .body(vec![b' '; 64 << 20]);
    let mut chunked = server.connect();
    chunked.send(&request.clone().chunked(1 << 20));
    if let Some(response) = chunked.try_response() {
        assert_eq!(response.status(), 413);
    }
    let mut whole = server.connect();
    whole.send(&request);
    if let Some(response) = whole.try_response() {
        assert_eq!(response.status(), 413);
    }
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 40 * MIB, "{} MiB more", grown / MIB);
    server.assert_alive();
}
