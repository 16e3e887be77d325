//! Progress: a stream where the call asks for it, plain JSON where not.

use serde_json::{Value, json};

use crate::rpc;
use crate::server::{Server, setup};

fn server() -> Server {
    setup().env("CHAOS_PROGRESS", "1").start()
}

/// Reports that rise, then the one answer, then the end.
#[track_caller]
fn assert_watched(messages: &[Value], id: i64, to: usize) {
    let (last, reports) = messages.split_last().expect("at least the answer");
    assert_eq!(last["id"], id, "{last}");
    assert_eq!(rpc::text(rpc::result(last)), format!("counted {to}"));
    let mut before = f64::NEG_INFINITY;
    for report in reports {
        assert_eq!(report["method"], "notifications/progress", "{report}");
        assert_eq!(report["params"]["progressToken"], "a token");
        let progress = report["params"]["progress"].as_f64().expect("a number");
        assert!(progress > before, "{report} after {before}");
        before = progress;
    }
    assert!(!reports.is_empty(), "no report: {last}");
}

#[test]
fn a_call_that_reports_progress_is_answered_as_a_stream() {
    let server = server();
    for client in server.both() {
        let request = client.watching(5, "count", json!({ "to": 5 }));
        let (head, conn) = client.begin(&request);
        let buffering = head.header("x-accel-buffering").map(str::to_owned);
        let mut events = crate::events::Events::new(conn, &head);
        let messages = events.rest();
        assert!(events.is_complete());
        assert_watched(&messages, 5, 5);
        assert_eq!(messages.len(), 6, "{messages:?}");
        assert_eq!(buffering.as_deref(), Some("no"), "proxies would hold it");
    }
}

/// Reports leave when they are made, not when the call ends.
#[test]
fn reports_arrive_while_the_call_runs() {
    let server = server();
    for mut client in server.both() {
        let request = client.watching(5, "count", json!({ "to": 2, "ms": 400 }));
        let mut events = client.stream(&request);
        let first = events.message().expect("a report");
        assert_eq!(first["method"], "notifications/progress");
        // The call still runs: another one is served meanwhile.
        client.assert_alive();
        let rest = events.rest();
        assert_eq!(rest.len(), 2, "{rest:?}");
    }
}

#[test]
fn nobody_who_did_not_ask_gets_reports() {
    let server = server();
    for mut client in server.both() {
        let request = client.calling(5, "count", json!({ "to": 5 }));
        let response = client.exchange(&request);
        let messages = crate::client::messages(&response);
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(rpc::text(rpc::result(&messages[0])), "counted 5");
    }
    let mut client = server.modern();
    let request = client.calling(5, "count", json!({ "to": 5 }));
    let response = client.exchange(&request);
    assert_eq!(response.head.media_type(), "application/json");
}

/// One that asks, but whose call reports nothing, may get JSON.
#[test]
fn a_token_alone_changes_no_answer() {
    let server = server();
    for mut client in server.both() {
        let request = client.watching(5, "add", json!({ "a": 1, "b": 2 }));
        let response = client.exchange(&request);
        let messages = crate::client::messages(&response);
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(rpc::text(rpc::result(&messages[0])), "3");
    }
}

/// Two calls with one token: each report goes where its call was asked.
#[test]
fn reports_stay_on_the_stream_of_their_call() {
    let server = server();
    for client in server.both() {
        let own = (client.session.is_some()).then(|| client.stream(&client.listening()));
        let mut streams: Vec<_> = (0..5)
            .map(|id| {
                let request = client.watching(id, "count", json!({ "to": 3 + id, "ms": 20 }));
                client.stream(&request)
            })
            .collect();
        for (id, stream) in (0_usize..).zip(&mut streams) {
            let messages = stream.rest();
            assert_watched(&messages, id as i64, 3 + id);
            assert_eq!(messages.len(), 4 + id, "{messages:?}");
        }
        if let Some(mut own) = own {
            let ended = server.connect().exchange(&client.ending());
            assert!(ended.status() < 300);
            let broadcast = own.rest();
            assert!(broadcast.is_empty(), "{broadcast:?}");
        }
    }
}

#[test]
fn streams_of_both_eras_differ_in_their_event_ids() {
    let server = server();
    for client in [server.modern(), server.session("2025-11-25", None)] {
        let request = client.watching(1, "count", json!({ "to": 2 }));
        let mut events = client.stream(&request);
        while let Some(event) = events.next() {
            if client.session.is_none() {
                assert_eq!(event.id, None, "event ids are gone since 2026-07-28");
            }
            assert!(event.kind.is_none_or(|kind| kind == "message"));
        }
    }
}

/// A tool's fault in the middle of a stream is its result, not its end.
#[test]
fn a_call_that_fails_after_a_report_is_still_answered() {
    let server = server();
    for client in server.both() {
        // Beyond the tool's own time limit.
        let request = client.watching(1, "count", json!({ "to": 100, "ms": 100 }));
        let messages = client.stream(&request).rest();
        let last = messages.last().expect("an answer");
        assert_eq!(last["id"], 1);
        let result = rpc::result(last);
        assert!(rpc::is_error(result), "{result}");
        assert!(rpc::text(result).contains("timed out"), "{result}");
    }
}
