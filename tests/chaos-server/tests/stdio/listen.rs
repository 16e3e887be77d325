//! `subscriptions/listen`: acknowledged first, silent where nothing changes, and
//! ended by the side that ends it first.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn listen(chaos: &mut Chaos, id: impl Into<Value>) {
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    chaos.send_request(id, "subscriptions/listen", filter);
}

#[track_caller]
fn assert_acknowledged(message: &Value, id: &Value) {
    let method = &message["method"];
    assert_eq!(
        method, "notifications/subscriptions/acknowledged",
        "{message}"
    );
    assert_eq!(&message["params"]["_meta"][SUBSCRIPTION], id, "{message}");
    assert!(message["params"]["notifications"].is_object(), "{message}");
    assert!(message.get("id").is_none(), "{message}");
}

#[test]
fn a_subscription_is_acknowledged_first_and_completed_at_the_end() {
    for signal in [None, Some(Signal::TERM)] {
        let mut chaos = setup().modern();
        for id in [json!(1), json!("two")] {
            listen(&mut chaos, id.clone());
            assert_acknowledged(&chaos.next(), &id);
        }
        chaos.assert_alive();
        match signal {
            Some(signal) => chaos.signal(signal),
            None => chaos.close_input(),
        }
        let mut rest = chaos.rest();
        rest.sort_by_key(|message| message["id"].is_string());
        assert_eq!(rest.len(), 2, "{rest:?}");
        for (message, id) in rest.iter().zip([json!(1), json!("two")]) {
            assert_eq!(message["id"], id);
            let result = rpc::result(message);
            assert_eq!(result["resultType"], "complete");
            assert_eq!(result["_meta"][SUBSCRIPTION], id);
        }
        assert_eq!(chaos.wait().code(), Some(0));
    }
}

#[test]
fn cancelling_ends_a_subscription_without_an_answer() {
    let mut chaos = setup().modern();
    listen(&mut chaos, 1);
    assert_acknowledged(&chaos.next(), &json!(1));
    chaos.cancel(1);
    chaos.expect_silence();
    // The id is free again.
    listen(&mut chaos, 1);
    assert_acknowledged(&chaos.next(), &json!(1));
    chaos.cancel(1);
    assert!(chaos.finish().is_empty());
}

#[test]
fn the_id_of_a_subscription_belongs_to_it() {
    let mut chaos = setup().modern();
    listen(&mut chaos, 1);
    assert_acknowledged(&chaos.next(), &json!(1));
    listen(&mut chaos, 1);
    assert!(rpc::is_unaddressed(&chaos.next()));
    chaos.send_call(1, "add", json!({ "a": 1, "b": 2 }));
    assert!(rpc::is_unaddressed(&chaos.next()));
    chaos.line(r#"{"jsonrpc":"2.0","id":1,"method":5}"#);
    assert!(rpc::is_unaddressed(&chaos.next()));
    // Nor may it take a call's.
    chaos.send_call(2, "sleep", json!({ "ms": 300 }));
    listen(&mut chaos, 2);
    assert!(rpc::is_unaddressed(&chaos.next()));
    assert_eq!(rpc::text(rpc::result(&chaos.answer(2))), "slept 300");
}

#[test]
fn subscriptions_are_checked_and_limited() {
    let mut chaos = setup().modern();
    for params in [
        json!({}),
        json!({ "notifications": [] }),
        json!({ "notifications": null }),
    ] {
        let answer = chaos.request("subscriptions/listen", params);
        assert_eq!(rpc::code(&answer), -32602, "{answer}");
    }
    for id in 0..100 {
        listen(&mut chaos, id);
        assert_acknowledged(&chaos.next(), &json!(id));
    }
    listen(&mut chaos, 100);
    let refused = chaos.answer(100);
    assert_eq!(rpc::code(&refused), -32600, "{refused}");
    assert!(rpc::message(&refused).contains("100"), "{refused}");
    chaos.cancel(7);
    listen(&mut chaos, 100);
    assert_acknowledged(&chaos.next(), &json!(100));
    assert_eq!(chaos.finish().len(), 100);
}

#[test]
fn the_legacy_era_has_no_such_method() {
    let mut chaos = setup().legacy();
    listen(&mut chaos, 1);
    assert_eq!(rpc::code(&chaos.answer(1)), -32601);
}

/// The counter's subscriber does not read while it is changed 10,000 times.
#[test]
fn last_of_many_updates_arrives_and_a_changed_list_is_announced() {
    const UPDATED: &str = "notifications/resources/updated";
    let mut chaos = setup().modern();
    let filter = json!({ "notifications": {
        "toolsListChanged": true, "resourceSubscriptions": ["watched://counter"],
    } });
    chaos.send_request("listen", "subscriptions/listen", filter);
    assert_acknowledged(&chaos.next(), &json!("listen"));
    let mut updates = 0;
    for _ in 0..10 {
        for id in 0..1_000 {
            chaos.send_call(id, "bump", json!({}));
        }
        let mut answers = 0;
        while answers < 1_000 {
            let message = chaos.next();
            match message["method"] == UPDATED {
                true => {
                    assert_eq!(message["params"]["uri"], "watched://counter");
                    assert_eq!(message["params"]["_meta"][SUBSCRIPTION], "listen");
                    updates += 1;
                }
                false => answers += 1,
            }
        }
    }
    // At most one for each change, and one after the last.
    assert!((1..=10_000).contains(&updates), "{updates}");
    let read = chaos.request("resources/read", json!({ "uri": "watched://counter" }));
    assert_eq!(rpc::result(&read)["contents"][0]["text"], "10000");

    assert_eq!(chaos.text("add_tool", json!({ "name": "added" })), "added");
    assert_eq!(chaos.text("added", json!({})), "added");
    for name in ["added", "add", "no name"] {
        chaos.failure("add_tool", json!({ "name": name }));
    }
    chaos.failure("remove_tool", json!({ "name": "add" }));
    assert_eq!(
        chaos.text("remove_tool", json!({ "name": "added" })),
        "removed"
    );
    let changed = "notifications/tools/list_changed";
    let mut rest = chaos.finish();
    rest.retain(|message| message["method"] == changed);
    assert!((1..=2).contains(&rest.len()), "{rest:?}");
}
