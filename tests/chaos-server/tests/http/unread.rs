//! Streams and answers that the client does not read: they delay no other client, and cost a
//! bounded amount of memory.

use serde_json::json;

use crate::client::{HttpClient, answer};
use crate::rpc;
use crate::server::setup;
use crate::wire::Conn;

#[cfg(target_os = "linux")]
const MIB: u64 = 1024 * 1024;

/// A stream that says much and is never read.
fn unread_stream(client: &HttpClient, id: i64) -> Conn {
    let request = client.watching(id, "flood", json!({ "to": 100_000, "bytes": 200 }));
    client.start(&request)
}

#[test]
fn an_unread_stream_does_not_stop_its_session() {
    let server = setup().env("CHAOS_FLOOD", "1").start();
    let mut client = server.legacy();
    let own = client.start(&client.listening());
    // Ids that no other request of the session has.
    let streams: Vec<Conn> = (900..910).map(|id| unread_stream(&client, id)).collect();
    for _ in 0..50 {
        client.assert_alive();
    }
    let ping = client.post(&json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" }));
    assert_eq!(
        answer(&client.exchange(&ping), &json!("p"))["result"],
        json!({})
    );
    drop((own, streams));
    client.assert_alive();
}

#[test]
fn an_unread_stream_does_not_stop_others() {
    let server = setup().env("CHAOS_FLOOD", "1").keys().start();
    let alice = server.modern_as("alice-key");
    let streams: Vec<Conn> = (0..30).map(|id| unread_stream(&alice, id)).collect();
    for mut bob in [server.modern_as("bob-key"), server.legacy_as("bob-key")] {
        for _ in 0..50 {
            bob.assert_alive();
        }
    }
    drop(streams);
}

/// A client that asks on one connection and never reads.
#[cfg(target_os = "linux")]
#[test]
fn unread_answers_on_one_connection_are_bounded() {
    let server = setup().start();
    for client in server.both() {
        server.assert_alive();
        let before = server.proc().peak_memory();
        let mut conn = server.connect();
        let mut bytes = Vec::new();
        for id in 0..400 {
            let request = client.calling(id, "big", json!({ "bytes": 1_000_000 }));
            bytes.extend(request.bytes(server.address));
        }
        conn.write_what_is_taken(&bytes);
        server.proc().wait_until_idle();
        server.assert_alive();
        let grown = server.proc().peak_memory().saturating_sub(before);
        assert!(grown <= 150 * MIB, "{} MiB more", grown / MIB);
    }
}

/// And one that asks on a connection of its own each time.
#[cfg(target_os = "linux")]
#[test]
fn unread_answers_on_many_connections_are_bounded() {
    let server = setup().keys().start();
    let mut bob = server.modern_as("bob-key");
    for alice in [server.modern_as("alice-key"), server.legacy_as("alice-key")] {
        bob.assert_alive();
        let before = server.proc().peak_memory();
        // The first answer of each is taken over by the system, and does not
        // count. The second one stays with the server.
        let held: Vec<Conn> = (0..150)
            .map(|_| {
                let mut conn = server.connect();
                conn.receive_little();
                for id in 0..2 {
                    conn.send(&alice.calling(id, "big", json!({ "bytes": 2_000_000 })));
                }
                conn
            })
            .collect();
        for _ in 0..20 {
            bob.assert_alive();
        }
        let grown = server.proc().peak_memory().saturating_sub(before);
        assert!(grown <= 150 * MIB, "{} MiB more", grown / MIB);
        drop(held);
        bob.assert_alive();
    }
}

/// A slow reader is not cut off: it gets all of its answer.
#[test]
fn a_slow_reader_gets_its_whole_answer() {
    let server = setup().start();
    let client = server.modern();
    let mut conn = client.start(&client.calling(1, "big", json!({ "bytes": 2_000_000 })));
    // It reads once others have been served.
    for mut other in server.both() {
        for _ in 0..20 {
            other.assert_alive();
        }
    }
    let result = answer(&conn.response(), &json!(1));
    assert_eq!(rpc::text(rpc::result(&result)).len(), 2_000_000);
}

/// Who reads nothing is cut off in the end, and its memory given back.
#[cfg(target_os = "linux")]
#[test]
fn who_reads_nothing_is_cut_off() {
    let server = setup().env("CHAOS_HTTP_LIMITS", "body_time=500ms").start();
    let client = server.modern();
    let descriptors = || {
        std::fs::read_dir(server.proc().entry("fd"))
            .expect("the process is there")
            .count()
    };
    server.assert_alive();
    let before = descriptors();
    let held: Vec<Conn> = (0..20)
        .map(|id| {
            let mut conn = server.connect();
            conn.receive_little();
            // The system takes over the first for the server.
            for id in [id, id + 100] {
                conn.send(&client.calling(id, "big", json!({ "bytes": 2_000_000 })));
            }
            conn
        })
        .collect();
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    // Each round is a call that others make: time passes in the server.
    while descriptors() > before + 2 {
        assert!(
            std::time::Instant::now() < deadline,
            "{} descriptors, {before} before",
            descriptors()
        );
        server.modern().text("slow", json!({ "ms": 100 }));
    }
    drop(held);
}

/// What is kept for clients that resume has a limit.
#[cfg(target_os = "linux")]
#[test]
fn events_that_no_client_reads_are_bounded() {
    let server = setup().env("CHAOS_FLOOD", "1").keys().start();
    let client = server.legacy_as("alice-key");
    server.modern_as("bob-key").assert_alive();
    let before = server.proc().peak_memory();
    for id in 0..60 {
        let request = client.watching(id, "flood", json!({ "to": 3_000 }));
        drop(client.start(&request));
    }
    server.proc().wait_until_idle();
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 40 * MIB, "{} MiB more", grown / MIB);
    client.twin().assert_alive();
}
