//! `subscriptions/listen`: acknowledged first, silent where nothing changes,
//! ended with a result.

use serde_json::{Value, json};

use crate::client::HttpClient;
use crate::request::Request;
use crate::rpc;
use crate::server::setup;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn listening(client: &HttpClient, id: impl Into<Value>) -> Request {
    client.request(
        id,
        "subscriptions/listen",
        json!({ "notifications": {
            "toolsListChanged": true,
            "promptsListChanged": true,
            "resourcesListChanged": true,
            "resourceSubscriptions": ["test://anything"],
        } }),
    )
}

#[track_caller]
fn assert_acknowledged(message: &Value, id: &Value) {
    assert_eq!(
        message["method"], "notifications/subscriptions/acknowledged",
        "{message}"
    );
    assert_eq!(&message["params"]["_meta"][SUBSCRIPTION], id, "{message}");
    let honoured = &message["params"]["notifications"];
    assert!(honoured.is_object(), "{message}");
    for list in [
        "toolsListChanged",
        "promptsListChanged",
        "resourcesListChanged",
    ] {
        assert_eq!(honoured[list], true, "{message}");
    }
    let absent = "resourceSubscriptions";
    assert!(
        honoured.get(absent).is_none(),
        "no such resource: {message}"
    );
}

#[test]
fn a_subscription_is_acknowledged_first_and_completed_at_the_end() {
    let mut server = setup().start();
    let client = server.modern();
    let mut streams: Vec<_> = [json!(1), json!("two")]
        .into_iter()
        .map(|id| {
            let events = client.stream(&listening(&client, id.clone()));
            (id, events)
        })
        .collect();
    for (id, events) in &mut streams {
        assert_acknowledged(&events.message().expect("an acknowledgement"), id);
    }
    server.assert_alive();
    server.end();
    for (id, events) in &mut streams {
        let rest = events.rest();
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(&rest[0]["id"], id);
        let result = rpc::result(&rest[0]);
        assert_eq!(result["resultType"], "complete", "{result}");
        assert_eq!(&result["_meta"][SUBSCRIPTION], id, "{result}");
        assert!(events.is_complete());
    }
}

/// Idle streams delay no other request, and leave nothing behind.
#[cfg(target_os = "linux")]
#[test]
fn many_subscriptions_come_and_go() {
    let server = setup().start();
    let client = server.modern();
    let descriptors = || {
        std::fs::read_dir(server.proc().entry("fd"))
            .expect("the process is there")
            .count()
    };
    server.assert_alive();
    server.proc().wait_until_idle();
    let before = descriptors();
    let held: Vec<_> = (0..100)
        .map(|id| {
            let mut events = client.stream(&listening(&client, id));
            events.message().expect("an acknowledgement");
            events
        })
        .collect();
    for mut client in server.both() {
        client.assert_alive();
    }
    drop(held);
    server.proc().wait_until_idle();
    let after = descriptors();
    assert!(after <= before + 4, "{before} descriptors, then {after}");
}
