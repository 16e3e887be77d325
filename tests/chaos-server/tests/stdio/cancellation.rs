//! Cancelling: the handler stops, nothing is answered, other calls are not affected.

use serde_json::json;

use crate::process::{Trace, setup};
use crate::rpc;

#[test]
fn a_cancelled_call_stops_and_is_not_answered() {
    for (id, name) in [
        (json!(1), "cancel-number"),
        (json!("a \"b\""), "cancel-text"),
    ] {
        let mut trace = Trace::new(name);
        let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
        chaos.send_call(id.clone(), "slow", json!({ "ms": 300 }));
        trace.wait_for("start 300");
        chaos.cancel(id);
        // One that starts later and takes longer: when it is done, the first
        // would have been.
        chaos.send_call(2, "slow", json!({ "ms": 600 }));
        assert_eq!(rpc::text(rpc::result(&chaos.next())), "slept 600");
        trace.wait_for("done 600");
        assert!(!trace.has("done 300"), "the handler ran to its end");
        assert!(chaos.finish().is_empty());
    }
}

#[test]
fn a_modern_call_is_cancelled_the_same_way() {
    let mut trace = Trace::new("cancel-modern");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).modern();
    chaos.send_call(1, "slow", json!({ "ms": 300 }));
    trace.wait_for("start 300");
    chaos.cancel(1);
    assert_eq!(chaos.text("slow", json!({ "ms": 600 })), "slept 600");
    trace.wait_for("done 600");
    assert!(!trace.has("done 300"));
    assert!(chaos.finish().is_empty());
}

#[test]
fn a_waiting_call_that_is_cancelled_never_starts() {
    let mut trace = Trace::new("cancel-waiting");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..64 {
        chaos.send_call(id, "slow", json!({ "ms": 400 }));
    }
    trace.wait_for("start 400");
    chaos.send_call("waiting", "slow", json!({ "ms": 11 }));
    chaos.send_call("behind", "slow", json!({ "ms": 12 }));
    chaos.cancel("waiting");
    assert_eq!(rpc::text(rpc::result(&chaos.answer("behind"))), "slept 12");
    let rest = chaos.finish();
    assert_eq!(rest.len(), 64, "{rest:?}");
    trace.wait_for("done 12");
    assert!(!trace.has("start 11"));
}

#[test]
fn the_id_of_a_cancelled_call_can_be_used_again() {
    let mut trace = Trace::new("cancel-reuse");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for round in 0..50 {
        chaos.send_call(1, "slow", json!({ "ms": 20_000 + round }));
        trace.wait_for(&format!("start {}", 20_000 + round));
        chaos.cancel(1);
    }
    chaos.send_call(1, "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(rpc::text(rpc::result(&chaos.next())), "3");
}

#[test]
fn cancelling_frees_the_place_of_the_call() {
    let mut trace = Trace::new("cancel-frees");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..64 {
        chaos.send_call(id, "slow", json!({ "ms": 29_000 }));
    }
    for _ in 0..64 {
        trace.wait_for("start 29000");
    }
    chaos.send_call("waiting", "add", json!({ "a": 1, "b": 2 }));
    chaos.cancel(17);
    assert_eq!(rpc::text(rpc::result(&chaos.next())), "3");
}

#[test]
fn cancelling_what_is_not_there_is_harmless() {
    let mut chaos = setup().legacy();
    chaos.assert_alive();
    for id in [
        json!(1),
        json!("x"),
        json!(null),
        json!(1.5),
        json!({}),
        json!([]),
    ] {
        chaos.cancel(id);
    }
    for params in [json!({}), json!([]), json!(null), json!("x")] {
        chaos.send(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }),
        );
    }
    chaos.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }));
    chaos.expect_silence();
}

#[test]
fn a_blocking_call_that_is_cancelled_is_not_answered() {
    let mut chaos = setup().legacy();
    chaos.send_call(1, "block", json!({ "ms": 400 }));
    chaos.cancel(1);
    assert_eq!(chaos.text("sleep", json!({ "ms": 450 })), "slept 450");
    assert!(chaos.finish().is_empty());
}
