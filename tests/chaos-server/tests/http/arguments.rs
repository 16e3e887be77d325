//! What calls hold of their arguments: as much as there may be of it for the
//! whole server, however the calls come, and whether or not their clients stay.

#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use crate::client::{HttpClient, messages};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};
use crate::sse::OldClient;
use crate::wire::Conn;

const MIB: u64 = 1024 * 1024;

/// No call of a test ends before the test does.
const LONG: u64 = 25_000;

/// A message whose arguments have 4 MiB.
fn large(message: &Value) -> Vec<u8> {
    let (text, ms) = (message.to_string(), format!("\"ms\":{LONG}"));
    let spaces = " ".repeat((4 << 20) - 1_000);
    let large = text.replace(&ms, &format!("{ms}{spaces}"));
    assert!(large.len() > spaces.len(), "{text}");
    large.into_bytes()
}

/// A call of the client that takes long and has large arguments.
fn large_call(client: &HttpClient, id: u64) -> Request {
    let params = json!({ "name": "slow", "arguments": { "ms": LONG } });
    let message = client.message(id, "tools/call", params);
    client.post(&message).body(large(&message))
}

struct Watched {
    server: Server,
    before: u64,
}

impl Watched {
    fn start() -> Self {
        let server = setup().env("CHAOS_SSE", "1").start();
        server.assert_alive();
        let before = server.proc().peak_memory();
        Self { server, before }
    }

    /// Fails if the server holds far more than its limit for arguments, or if a
    /// small call is not served.
    fn assert_small(&self) {
        self.server.proc().wait_until_idle();
        let grown = self.server.proc().peak_memory().saturating_sub(self.before);
        assert!(grown <= 150 * MIB, "{} MiB more", grown / MIB);
        self.server.assert_alive();
    }
}

/// Fails unless some were taken, about as many as there is room for, and the
/// others read when to try again.
fn assert_some_refused(taken: usize, all: usize) {
    assert!((10..=24).contains(&taken), "{taken} of {all}");
}

/// Sends a call that is answered with a stream, or refused; whether it runs.
fn runs(head: &crate::wire::Head) -> bool {
    if head.status == 200 {
        return true;
    }
    assert_eq!(head.status, 503, "{head:?}");
    assert!(head.header("retry-after").is_some(), "{head:?}");
    false
}

#[test]
fn arguments_are_bounded_while_their_calls_stream() {
    let watched = Watched::start();
    let client = watched.server.modern();
    let calls: Vec<Conn> = (0..200)
        .filter_map(|id| {
            let request = large_call(&client, id).set("Accept", "text/event-stream");
            let (head, conn) = client.begin(&request);
            runs(&head).then_some(conn)
        })
        .collect();
    assert_some_refused(calls.len(), 200);
    watched.assert_small();
    // They are given back with the calls, whose clients leave here.
    drop(calls);
    watched.server.proc().wait_until_idle();
    let again = large_call(&client, 1).set("Accept", "text/event-stream");
    assert_eq!(client.begin(&again).0.status, 200);
}

#[test]
fn arguments_are_bounded_while_their_clients_wait() {
    let watched = Watched::start();
    let client = watched.server.modern();
    let _calls: Vec<Conn> = (0..100)
        .map(|id| client.start(&large_call(&client, id)))
        .collect();
    watched.assert_small();
}

/// A session's calls go on without their clients, those that run and those that
/// wait for their turn.
#[test]
fn arguments_are_bounded_in_sessions_whose_clients_have_left() {
    let watched = Watched::start();
    for _ in 0..3 {
        let client = watched.server.legacy();
        for id in 0..40 {
            drop(client.start(&large_call(&client, id)));
        }
        for id in 100..200 {
            let call = client.calling(id, "slow", json!({ "ms": LONG }));
            drop(client.start(&call));
        }
        for id in 200..230 {
            drop(client.start(&large_call(&client, id)));
        }
    }
    watched.assert_small();
}

#[test]
fn arguments_are_given_back_with_their_session() {
    let watched = Watched::start();
    let client = watched.server.legacy();
    let mut taken = 0;
    for id in 0..30 {
        let request = large_call(&client, id).set("Accept", "text/event-stream");
        let (head, _left) = client.begin(&request);
        taken += usize::from(runs(&head));
    }
    assert_some_refused(taken, 30);
    let ended = watched.server.connect().exchange(&client.ending());
    assert!(ended.status() < 300, "{}", ended.text());
    watched.server.proc().wait_until_idle();
    let next = watched.server.legacy();
    let again = large_call(&next, 1).set("Accept", "text/event-stream");
    assert!(runs(&next.begin(&again).0));
    watched.assert_small();
}

#[test]
fn arguments_are_bounded_on_the_older_transport() {
    let watched = Watched::start();
    let client = OldClient::greeted(&watched.server, None);
    let mut taken = 0;
    for id in 0..100 {
        let message = json!({
            "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": { "name": "slow", "arguments": { "ms": LONG } },
        });
        let request = client.request(&message).body(large(&message));
        let response = watched.server.connect().exchange(&request);
        match response.status() {
            202 => taken += 1,
            _ => assert!(!runs(&response.head)),
        }
    }
    assert_some_refused(taken, 100);
    watched.assert_small();
}

/// Each call of a batch counts, however small it is.
#[test]
fn the_calls_of_many_batches_are_bounded() {
    let server = setup()
        .env("CHAOS_HTTP_LIMITS", "incoming_bytes=2097152")
        .start();
    let calls: Vec<Value> = (0..500)
        .map(|id| {
            json!({
                "jsonrpc": "2.0", "id": id, "method": "tools/call",
                "params": { "name": "slow", "arguments": { "ms": LONG } },
            })
        })
        .collect();
    let batch = Value::from(calls).to_string();
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let client = server.session("2025-03-26", None);
        let waiting = client.start(&client.dress(Request::post(batch.clone())));
        sessions.push((client, waiting));
    }
    // The first that come fill what there is. Their session's end cancels them.
    server.proc().wait_until_idle();
    let (mut refused, mut cancelled) = (0, 0);
    for (client, mut waiting) in sessions {
        let ended = server.connect().exchange(&client.ending());
        assert!(ended.status() < 300, "{}", ended.text());
        let response = waiting.response();
        let answers = match response.status() {
            202 => Vec::new(),
            _ => messages(&response),
        };
        for answer in &answers {
            assert!(rpc::message(answer).contains("busy"), "{answer}");
        }
        // There may be no room for the batch itself.
        let of_it = match response.status() {
            503 => 500,
            _ => answers.len(),
        };
        refused += of_it;
        cancelled += 500 - of_it;
    }
    // A call counts for a kilobyte, and small ones may take a quarter more.
    assert!(
        (2_000..=2_600).contains(&cancelled),
        "{cancelled}, {refused}"
    );
    server.assert_alive();
}

/// A batch's large calls are answered one by one: those that found room run.
#[test]
fn a_batch_reports_which_of_its_calls_found_no_room() {
    let server = setup()
        .env("CHAOS_HTTP_LIMITS", "incoming_bytes=131072")
        .start();
    let mut client = server.session("2025-03-26", None);
    let text = "x".repeat(30_000);
    let calls: Vec<Value> = (0..8)
        .map(|id| {
            json!({
                "jsonrpc": "2.0", "id": id, "method": "tools/call",
                "params": { "name": "slow", "arguments": { "ms": 200, "wrong": text } },
            })
        })
        .collect();
    let mut answered = Vec::new();
    for calls in [&calls[..2], &calls[..4]] {
        let request = client.dress(Request::post(Value::from(calls.to_vec()).to_string()));
        let response = client.exchange(&request);
        assert_eq!(response.status(), 200, "{}", response.text());
        let answers = messages(&response);
        assert_eq!(answers.len(), calls.len(), "{answers:?}");
        let refused = answers
            .iter()
            .filter(|answer| answer.get("error").is_some())
            .inspect(|answer| assert!(rpc::message(answer).contains("busy"), "{answer}"))
            .count();
        answered.push(refused);
    }
    assert_eq!(answered[0], 0);
    assert!((1..4).contains(&answered[1]), "{answered:?}");
    client.assert_alive();
}
