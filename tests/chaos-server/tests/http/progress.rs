//! Progress: a stream where the call asks for it, plain JSON where not.

use serde_json::{Value, json};

use crate::rpc;
use crate::server::setup;

/// Reports that rise, then the one answer, then the end.
#[track_caller]
fn assert_watched(messages: &[Value], id: i64) {
    let (last, reports) = messages.split_last().expect("at least the answer");
    assert_eq!(last["id"], id, "{last}");
    assert_eq!(rpc::text(rpc::result(last)), "counted");
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
    let server = setup().start();
    for client in server.both() {
        let request = client.watching(5, "count", json!({ "to": 5, "ms": 0 }));
        let (head, conn) = client.begin(&request);
        let buffering = head.header("x-accel-buffering").map(str::to_owned);
        let mut events = crate::events::Events::new(conn, &head);
        let messages = events.rest();
        assert!(events.is_complete());
        assert_watched(&messages, 5);
        assert_eq!(messages.len(), 6, "{messages:?}");
        assert_eq!(buffering.as_deref(), Some("no"), "proxies would hold it");
    }
}
