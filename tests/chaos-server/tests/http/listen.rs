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
    // There are no prompts and no resources here.
    for absent in [
        "promptsListChanged",
        "resourcesListChanged",
        "resourceSubscriptions",
    ] {
        assert!(
            honoured
                .get(absent)
                .is_none_or(|value| value == &json!(false) || value == &json!([])),
            "{absent} cannot be honoured: {message}"
        );
    }
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

#[test]
fn a_subscription_without_a_filter_is_invalid() {
    let server = setup().start();
    let mut client = server.modern();
    for params in [
        json!({}),
        json!({ "notifications": null }),
        json!({ "notifications": [] }),
        json!({ "notifications": "all" }),
    ] {
        let request = client.request(1, "subscriptions/listen", params.clone());
        let response = client.exchange(&request);
        assert!(
            [200, 400].contains(&response.status()),
            "{params}: {}",
            response.text()
        );
        assert_eq!(rpc::code(&response.json()), -32602, "{params}");
    }
    client.assert_alive();
}

#[test]
fn an_empty_filter_is_a_subscription_to_nothing() {
    let server = setup().start();
    let client = server.modern();
    let request = client.request(1, "subscriptions/listen", json!({ "notifications": {} }));
    let mut events = client.stream(&request);
    assert_acknowledged(&events.message().expect("an acknowledgement"), &json!(1));
}

#[test]
fn the_legacy_era_does_not_know_subscriptions() {
    let server = setup().start();
    let mut client = server.legacy();
    let answer = client.ask("subscriptions/listen", json!({ "notifications": {} }));
    assert_eq!(rpc::code(&answer), -32601, "{answer}");
}

/// Streams on which nothing happens hold up nobody, and leave nothing behind.
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

/// A proxy that sees nothing for a minute closes the connection.
#[test]
fn a_silent_stream_is_kept_alive() {
    let server = setup().env("CHAOS_HTTP_LIMITS", "keep_alive=100ms").start();
    let modern = server.modern();
    let legacy = server.legacy();
    for request in [listening(&modern, 1), legacy.listening()] {
        let (head, mut conn) = modern.begin(&request);
        assert_eq!(head.status, 200, "{head:?}");
        let mut text = String::new();
        // Comments, which no reader of events sees.
        while text.lines().filter(|line| line.starts_with(':')).count() < 3 {
            let piece = conn.piece().expect("the stream goes on");
            text += &String::from_utf8(piece).expect("events are text");
        }
    }
}
