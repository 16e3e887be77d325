//! Request ids over HTTP: an answer reaches the client that asked, and no other.

use std::thread;

use serde_json::{Value, json};

use crate::client::{HttpClient, answer, refusal};
use crate::rpc;
use crate::server::setup;
use crate::wire::Response;

#[track_caller]
fn text(response: &Response, id: impl Into<Value>) -> String {
    let answer = answer(response, &id.into());
    rpc::text(rpc::result(&answer))
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
