//! Scopes: a tool is not there for who lacks its scope.

use serde_json::{Value, json};

use crate::client::HttpClient;
use crate::rpc;
use crate::server::setup;

#[track_caller]
fn listed(client: &mut HttpClient) -> (Vec<String>, Value) {
    let answer = client.ask("tools/list", json!({}));
    let result = rpc::result(&answer);
    let names = result["tools"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name").to_owned())
        .collect();
    (names, result["cacheScope"].clone())
}

#[test]
fn a_tool_is_listed_for_who_has_its_scope() {
    let server = setup().keys().start();
    for (key, has_scope) in [("alice-key", true), ("bob-key", false)] {
        let mut modern = server.modern_as(key);
        let (names, cache_scope) = listed(&mut modern);
        assert_eq!(names.iter().any(|name| name == "admin"), has_scope, "{key}");
        assert_eq!(cache_scope, "private", "{key}");
        let mut legacy = server.legacy_as(key);
        let (names, _) = listed(&mut legacy);
        assert_eq!(names.iter().any(|name| name == "admin"), has_scope, "{key}");
        assert!(names.iter().any(|name| name == "add"));
    }
}

#[test]
fn a_call_without_the_scope_is_a_refusal_that_names_it() {
    let server = setup().keys().start();
    for mut client in [server.modern_as("bob-key"), server.legacy_as("bob-key")] {
        let text = client.failure("admin", json!({}));
        assert!(text.contains("admin"), "the scope is not named: {text}");
        assert!(!text.contains("internal error"), "{text}");
        assert!(!text.contains("welcome"), "{text}");
    }
    for mut client in [server.modern_as("alice-key"), server.legacy_as("alice-key")] {
        assert_eq!(client.text("admin", json!({})), "welcome");
    }
}

#[test]
fn a_key_without_scopes_has_none() {
    let server = setup()
        .env(
            "MCP_API_KEYS",
            "alice:alice-key,carol:carol-key:other+admin",
        )
        .start();
    let mut alice = server.modern_as("alice-key");
    alice.failure("admin", json!({}));
    assert!(!listed(&mut alice).0.contains(&"admin".to_owned()));
    assert_eq!(
        server.modern_as("carol-key").text("admin", json!({})),
        "welcome"
    );
}

#[test]
fn anonymous_callers_have_no_scope() {
    let server = setup().start();
    for mut client in server.both() {
        client.failure("admin", json!({}));
        assert!(!listed(&mut client).0.contains(&"admin".to_owned()));
    }
}

/// What a caller claims in the body gives it nothing.
#[test]
fn scopes_are_not_the_clients_to_claim() {
    let server = setup().keys().start();
    let mut bob = server.modern_as("bob-key");
    let mut meta = rpc::meta("2026-07-28");
    meta["scopes"] = json!(["admin"]);
    meta["principal"] = json!("alice");
    let params = json!({ "name": "admin", "arguments": {}, "_meta": meta });
    let answer = bob.ask("tools/call", params);
    assert!(rpc::is_error(rpc::result(&answer)), "{answer}");
}
