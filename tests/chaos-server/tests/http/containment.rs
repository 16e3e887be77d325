//! Tools that panic, leak, hang and print, over HTTP: the caller is answered,
//! the connection lives, and nothing of the inside gets out.

use serde_json::json;

use crate::client::HttpClient;
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};

fn clients(server: &Server) -> [HttpClient; 3] {
    let [modern, legacy] = server.both();
    [modern, legacy, server.session("2025-03-26", None)]
}

#[test]
fn a_panic_is_an_answer_with_a_reference() {
    let server = setup().start();
    for mut client in clients(&server) {
        for _ in 0..3 {
            let text = client.failure("panic", json!({}));
            assert!(text.contains("internal error"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
            let reference = rpc::reference(&text);
            server
                .log
                .wait_for("the panic", |line| line.contains(&reference));
        }
        client.assert_alive();
    }
}

#[test]
fn an_internal_error_is_masked() {
    let server = setup().start();
    for mut client in clients(&server) {
        let request = client.calling(1, "leak", json!({}));
        let response = client.exchange(&request);
        assert_eq!(response.status(), 200);
        let told = format!("{:?}{}", response.head, response.text());
        for secret in ["hunter2", "postgres", "prod_admin", "db/prod"] {
            assert!(!told.contains(secret), "{told}");
        }
        let answer = crate::client::answer(&response, &json!(1));
        let reference = rpc::reference(&rpc::text(rpc::result(&answer)));
        server.log.wait_for("the source", |line| {
            line.contains(&reference) && line.contains("postgres://")
        });
        client.assert_alive();
    }
}

#[test]
fn an_error_for_the_model_reaches_it() {
    let server = setup().start();
    for mut client in clients(&server) {
        assert_eq!(
            client.failure("fail", json!({})),
            "Search rate limit reached. Try again in 60 seconds."
        );
    }
}

#[test]
fn tools_that_take_too_long_are_answered_in_time() {
    let server = setup().start();
    for mut client in clients(&server) {
        for tool in ["sleep", "block"] {
            let text = client.failure(tool, json!({ "ms": 3_000 }));
            assert!(text.contains("timed out"), "{tool}: {text}");
            assert!(text.contains("500"), "the time is missing: {text}");
        }
        client.assert_alive();
    }
}

/// More that block than there are threads for the others.
#[test]
fn tools_that_block_do_not_delay_other_calls() {
    let server = setup().start();
    let client = server.modern();
    let held: Vec<_> = (0..40)
        .map(|id| client.start(&client.calling(id, "block", json!({ "ms": 2_000 }))))
        .collect();
    for mut other in server.both() {
        for _ in 0..20 {
            other.assert_alive();
        }
    }
    for mut conn in held {
        let response = conn.response();
        assert!(response.text().contains("timed out"), "{}", response.text());
    }
}

#[test]
fn what_a_tool_prints_is_in_no_answer() {
    let server = setup().start();
    for mut client in clients(&server) {
        let request = client.calling(1, "print", json!({}));
        let response = client.exchange(&request);
        assert!(!response.text().contains("stray"), "{}", response.text());
        let answer = crate::client::answer(&response, &json!(1));
        assert_eq!(rpc::text(rpc::result(&answer)), "printed");
    }
}

/// One caller's failures do not affect another: calls fail next to calls that work.
#[test]
fn trouble_at_once_stays_where_it_is() {
    let server = setup().start();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let mut client = if number % 2 == 0 {
                server.modern()
            } else {
                server.legacy()
            };
            std::thread::spawn(move || {
                for round in 0..30 {
                    match (number + round) % 4 {
                        0 => drop(client.failure("panic", json!({}))),
                        1 => drop(client.failure("leak", json!({}))),
                        2 => drop(client.failure("search", json!({ "query": "" }))),
                        _ => client.assert_alive(),
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("every answer was its own");
    }
}

/// Kinds of harm after which the client reads a reference.
const MASKED: [&str; 5] = ["error_drop", "payload_drop", "display", "huge", "endless"];

#[test]
fn errors_and_panics_that_do_harm_of_their_own_are_answered_with_a_reference() {
    let server = setup().env("CHAOS_HOSTILE", "1").start();
    for mut client in clients(&server) {
        for how in MASKED {
            let text = client.failure("hostile", json!({ "how": how }));
            assert!(!text.contains("hunter2"), "{how}: {text}");
            let reference = rpc::reference(&text);
            server.log.wait_for(how, |line| line.contains(&reference));
        }
        let text = client.failure("hostile", json!({ "how": "source_drop" }));
        assert_eq!(text, "The source is hostile.");
        client.assert_alive();
    }
}

#[test]
fn a_batch_with_hostile_calls_is_answered_in_full() {
    let server = setup().env("CHAOS_HOSTILE", "1").start();
    let mut client = server.session("2025-03-26", None);
    let batch: Vec<_> = (0..)
        .zip(MASKED)
        .map(|(id, how)| {
            let params = json!({ "name": "hostile", "arguments": { "how": how } });
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
        })
        .collect();
    let request = client.dress(Request::post(json!(batch).to_string()));
    let response = client.exchange(&request);
    let answers = crate::client::messages(&response);
    assert_eq!(answers.len(), MASKED.len(), "{answers:?}");
    for answer in answers {
        rpc::reference(&rpc::text(rpc::result(&answer)));
    }
}

#[test]
fn a_panic_in_an_authenticator_is_an_answer_with_a_reference() {
    let server = setup().env("CHAOS_HOSTILE", "gate").start();
    let calm = server.modern_as("alice");
    let broken = server.modern_as("panic");
    let mut conn = server.connect();
    for id in 0..3 {
        let response = conn.exchange(&broken.calling(id, "add", json!({ "a": 1, "b": 2 })));
        assert_eq!(response.status(), 500, "{}", response.text());
        let error = response.json();
        assert_eq!(rpc::code(&error), -32603);
        let text = error["error"]["message"].as_str().unwrap_or_default();
        assert!(!text.contains("hunter2"), "{text}");
        let reference = rpc::reference(text);
        server.log.wait_for("the panic", |line| {
            line.contains(&reference) && line.contains("hunter2 at the gate")
        });
        // The same connection serves another caller.
        let response = conn.exchange(&calm.calling(id, "add", json!({ "a": 1, "b": 2 })));
        assert_eq!(response.status(), 200, "{}", response.text());
    }
}

/// Headers that describe the server help only attackers.
#[test]
fn answers_do_not_tell_what_runs_here() {
    let server = setup().start();
    for mut client in server.both() {
        let request = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
        let response = client.exchange(&request);
        assert!(response.head.header("server").is_none());
        assert!(response.head.header("x-powered-by").is_none());
    }
}
