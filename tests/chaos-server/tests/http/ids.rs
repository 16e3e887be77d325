//! Request ids over HTTP: an answer reaches who asked, and nobody else.

use std::thread;

use serde_json::{Value, json};

use crate::client::{HttpClient, answer, messages, refusal};
use crate::rpc;
use crate::server::setup;
use crate::support::trace::Trace;
use crate::wire::Response;

#[track_caller]
fn text(response: &Response, id: impl Into<Value>) -> String {
    let answer = answer(response, &id.into());
    rpc::text(rpc::result(&answer))
}

/// In one session: the second of two calls under one id is refused without it,
/// and the first goes on.
#[test]
fn a_doubled_id_in_a_session_is_refused_and_the_first_call_goes_on() {
    let mut trace = Trace::new("http-doubled");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let client = server.legacy();
    let mut first = client.start(&client.calling(7, "slow", json!({ "ms": 1500 })));
    trace.wait_for("start 1500");
    let mut twin = client.twin();
    let response = twin.exchange(&client.calling(7, "add", json!({ "a": 1, "b": 2 })));
    let refused = messages(&response);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(rpc::is_unaddressed(&refused[0]), "{}", refused[0]);
    assert_eq!(rpc::code(&refused[0]), -32600, "{}", refused[0]);
    assert_eq!(text(&first.response(), 7), "slept 1500");
    // The id is free again.
    let response = twin.exchange(&client.calling(7, "add", json!({ "a": 1, "b": 2 })));
    assert_eq!(text(&response, 7), "3");
}

/// The id 1 and the id "1" are two.
#[test]
fn a_number_and_its_text_are_two_ids() {
    let mut trace = Trace::new("http-kinds");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let client = server.legacy();
    let mut first = client.start(&client.calling(1, "slow", json!({ "ms": 800 })));
    trace.wait_for("start 800");
    let response = client
        .twin()
        .exchange(&client.calling("1", "add", json!({ "a": 1, "b": 2 })));
    assert_eq!(text(&response, "1"), "3");
    assert_eq!(text(&first.response(), 1), "slept 800");
}

/// Whatever answers a request echoes its id, and what has no end keeps it: in
/// both eras a long one is refused instead, and 60 clients that do not read
/// their refusals cost the server no memory.
#[test]
#[cfg(target_os = "linux")]
fn a_long_id_is_refused_without_it_and_kept_nowhere() {
    let server = setup().start();
    let long = "i".repeat(4 << 20);
    let long = &long[..long.len() - 1_024];
    for mut client in server.both() {
        for method in ["tools/list", "no/such/method", "subscriptions/listen"] {
            for id in [&long[..1_025], long] {
                let request = client.request(id, method, json!({ "notifications": {} }));
                let response = client.exchange(&request);
                let refused = refusal(&response, 400);
                assert_eq!(rpc::code(&refused), -32600, "{refused}");
                assert!(rpc::message(&refused).contains("1024 bytes"), "{refused}");
                assert!(response.body.len() < 300, "{}", response.text());
            }
        }
        let longest = &long[..1_024];
        let request = client.request(longest, "tools/list", json!({}));
        rpc::result(&answer(&client.exchange(&request), &json!(longest)));
    }
    let client = server.modern();
    let request = client.request(long, "subscriptions/listen", json!({ "notifications": {} }));
    let unread: Vec<_> = (0..60).map(|_| client.start(&request)).collect();
    server.proc().wait_until_idle();
    let peak = server.proc().peak_memory() >> 20;
    assert!(peak < 120, "{peak} MiB");
    drop(unread);
    server.assert_alive();
}

/// Callers that count from 1, as all do: sessions of two callers, clients
/// without sessions, all with the same ids at the same time.
#[test]
fn the_same_ids_everywhere_never_mix_answers() {
    let server = setup().keys().start();
    let mut clients: Vec<(&str, HttpClient)> = Vec::new();
    for (name, key) in [("alice", "alice-key"), ("bob", "bob-key")] {
        clients.push((name, server.legacy_as(key)));
        clients.push((name, server.legacy_as(key)));
        clients.push((name, server.modern_as(key)));
        clients.push((name, server.modern_as(key)));
    }
    let threads: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, (name, mut client))| {
            thread::spawn(move || {
                for id in 1..=60_i64 {
                    if id % 3 == 0 {
                        let request = client.calling(id, "whoami", json!({}));
                        assert_eq!(text(&client.exchange(&request), id), name);
                    } else {
                        let mine = 1_000 * number as i64 + id;
                        let request = client.calling(id, "add", json!({ "a": mine, "b": 0 }));
                        assert_eq!(text(&client.exchange(&request), id), mine.to_string());
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("every answer reached who asked");
    }
}

/// Many calls of one session at once, on connections of their own.
#[test]
fn answers_within_a_session_find_their_connection() {
    let server = setup().start();
    let client = server.legacy();
    let asked: Vec<_> = (0..40_i64)
        .map(|id| {
            let ms = 400 - id * 5;
            let call = client.calling(id, "sleep", json!({ "ms": ms }));
            (id, ms, client.start(&call))
        })
        .collect();
    for (id, ms, mut conn) in asked {
        assert_eq!(text(&conn.response(), id), format!("slept {ms}"));
    }
}

#[test]
fn cancelling_ends_the_call_with_that_id_in_that_session() {
    let mut trace = Trace::new("http-cancel");
    let server = setup().keys().env("CHAOS_TRACE", trace.path()).start();
    let alice = server.legacy_as("alice-key");
    let also_alice = server.legacy_as("alice-key");
    let bob = server.legacy_as("bob-key");
    let mut conn = alice.start(&alice.calling(1, "slow", json!({ "ms": 1200 })));
    trace.wait_for("start 1200");
    // Not theirs to cancel: another session, another caller, another era.
    for other in [&also_alice, &bob, &server.modern_as("alice-key")] {
        let cancel = other.notification("notifications/cancelled", json!({ "requestId": 1 }));
        let response = other.twin().exchange(&cancel);
        assert_eq!(response.status(), 202, "{}", response.text());
    }
    assert_eq!(text(&conn.response(), 1), "slept 1200");

    let mut conn = alice.start(&alice.calling(2, "slow", json!({ "ms": 29_000 })));
    trace.wait_for("start 29000");
    let cancel = alice.notification("notifications/cancelled", json!({ "requestId": 2 }));
    let response = alice.twin().exchange(&cancel);
    assert_eq!(response.status(), 202, "{}", response.text());
    // HTTP owes the request an end; a result it must not be.
    let response = conn.response();
    assert!(!response.text().contains("slept"), "{}", response.text());
    server
        .log
        .wait_for("the cancelled call", |line| line.contains("cancel"));
    assert!(!trace.has("done 29000"));
    // The id is free again.
    let again = alice.calling(2, "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(text(&alice.twin().exchange(&again), 2), "3");
}
