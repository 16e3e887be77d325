//! A stream that was lost is taken up again where it stopped.

use serde_json::{Value, json};

use crate::client::HttpClient;
use crate::events::{Event, Events};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};

fn server() -> Server {
    setup().env("CHAOS_PROGRESS", "1").keys().start()
}

fn count(client: &HttpClient, to: u64, ms: u64) -> Request {
    client.watching(1, "count", json!({ "to": to, "ms": ms }))
}

fn resuming(client: &HttpClient, last: &str) -> Request {
    client.listening().header("Last-Event-ID", last)
}

/// The next event that has a message.
#[track_caller]
fn next(events: &mut Events) -> Event {
    loop {
        let event = events.next().expect("the stream goes on");
        if event.message().is_some() {
            return event;
        }
    }
}

fn progress(message: &Value) -> Option<u64> {
    message["params"]["progress"]
        .as_f64()
        .map(|progress| progress as u64)
}

/// An id before anything happens, so that a client can come back however early
/// it was cut off.
#[test]
fn a_stream_begins_with_an_id() {
    let server = server();
    let client = server.legacy_as("alice-key");
    let mut events = client.stream(&count(&client, 3, 10));
    let first = events.next().expect("an event");
    assert!(first.id.is_some(), "{first:?}");
    assert_eq!(first.data, "", "{first:?}");
    let mut ids = vec![first.id];
    while let Some(event) = events.next() {
        assert!(event.id.is_some(), "cannot be resumed from: {event:?}");
        assert!(!ids.contains(&event.id), "an id twice: {event:?}");
        ids.push(event.id);
    }
}

#[test]
fn what_was_missed_is_sent_again_once_and_in_order() {
    let server = server();
    let client = server.legacy_as("alice-key");
    let mut events = client.stream(&count(&client, 10, 50));
    let seen = [next(&mut events), next(&mut events), next(&mut events)];
    drop(events);
    let last = seen[2].id.clone().expect("an id");
    let rest = client.stream(&resuming(&client, &last)).rest();
    let reports: Vec<u64> = rest.iter().filter_map(progress).collect();
    assert_eq!(reports, (4..=10).collect::<Vec<_>>(), "{rest:?}");
    let answer = rest.last().expect("the answer");
    assert_eq!(answer["id"], 1);
    assert_eq!(rpc::text(rpc::result(answer)), "counted 10");
    assert_eq!(rest.len(), 8, "{rest:?}");
}

/// The call ended while nobody listened: its answer waits.
#[test]
fn an_answer_waits_for_its_client() {
    let server = server();
    let client = server.legacy_as("alice-key");
    let mut events = client.stream(&count(&client, 2, 100));
    let first = events.next().expect("an event").id.expect("an id");
    drop(events);
    server.log.wait_for("the end of the call", |line| {
        line.contains("duration_ms") && line.contains("count")
    });
    for _ in 0..2 {
        // As often as the client needs.
        let rest = client.stream(&resuming(&client, &first)).rest();
        let answer = rest.last().expect("the answer");
        assert_eq!(rpc::text(rpc::result(answer)), "counted 2");
    }
}

/// Only what belongs to the stream of that id, never another stream's.
#[test]
fn one_stream_is_resumed_and_no_other() {
    let server = server();
    let client = server.legacy_as("alice-key");
    let mut first = client.stream(&count(&client, 6, 60));
    let id = next(&mut first).id.expect("an id");
    let other = client.watching(2, "count", json!({ "to": 4, "ms": 60 }));
    let mut second = client.stream(&other);
    next(&mut second);
    drop(first);
    let rest = client.stream(&resuming(&client, &id)).rest();
    assert_eq!(rest.last().expect("the answer")["id"], 1);
    assert!(rest.iter().all(|message| message["id"] != 2), "{rest:?}");
    let rest = second.rest();
    assert_eq!(rest.last().expect("the answer")["id"], 2);
    assert_eq!(rest.iter().filter_map(progress).count(), 3, "{rest:?}");
}

#[test]
fn nobody_resumes_anothers_stream() {
    let server = server();
    let alice = server.legacy_as("alice-key");
    let mut events = alice.stream(&count(&alice, 3, 10));
    let id = next(&mut events).id.expect("an id");
    events.rest();
    // With alice's session: refused. With a session of his own: nothing of hers.
    let stolen = resuming(&alice, &id).set("X-API-Key", "bob-key");
    let response = server.connect().exchange(&stolen);
    assert!(
        [403, 404].contains(&response.status()),
        "{}",
        response.text()
    );
    let bob = server.legacy_as("bob-key");
    let other_session = server.legacy_as("alice-key");
    for client in [bob, other_session] {
        let (head, conn) = client.begin(&resuming(&client, &id));
        if head.status == 200 {
            let mut events = Events::new(conn, &head);
            let ended = server.connect().exchange(&client.ending());
            assert!(ended.status() < 300);
            assert!(events.rest().is_empty());
        } else {
            assert!((400..500).contains(&head.status), "{head:?}");
        }
    }
}

#[test]
fn a_made_up_place_is_no_fault_of_the_server() {
    let server = server();
    let client = server.legacy_as("alice-key");
    for id in [
        "",
        "made up",
        "-1",
        "0",
        "18446744073709551616",
        "1_99999",
        "../../etc",
        "a\u{e9}",
    ] {
        let (head, _conn) = client.begin(&resuming(&client, id));
        assert!(head.status < 500, "{id:?}: {head:?}");
    }
    server.modern_as("bob-key").assert_alive();
}

/// What is kept for those who come back has a bound.
#[cfg(target_os = "linux")]
#[test]
fn events_that_nobody_collects_are_bounded() {
    let server = server();
    let client = server.legacy_as("alice-key");
    server.modern_as("bob-key").assert_alive();
    let before = server.proc().peak_memory();
    for id in 0..60 {
        let request = client.watching(id, "count", json!({ "to": 3_000 }));
        drop(client.start(&request));
    }
    server.proc().wait_until_idle();
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 40 << 20, "{} MiB more", grown >> 20);
    client.twin().assert_alive();
}
