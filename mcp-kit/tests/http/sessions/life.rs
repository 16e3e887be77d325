//! Opening, using and ending a session.

use std::collections::HashSet;

use mcp_kit::auth::ApiKeys;
use mcp_kit::protocol::ProtocolVersion;
use serde_json::json;

use super::tools::{server, whoami};
use crate::client::{
    Ask as _, Names, call, cancel, events_of, http, initialize, open, ping, read, rest_of, watched,
};

const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

#[tokio::test]
async fn a_session_is_opened_used_and_ended() {
    let server = server().build().unwrap();
    for version in VERSIONS {
        let answer = http(&server).ask(&initialize(version)).await.json();
        assert_eq!(answer["result"]["serverInfo"]["name"], "test");
        assert!(answer["result"].get("resultType").is_none());
        let client = http(&server).opened(version).await;
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(client.ask(&initialized).await.status, 202);
        let answer = client.ask(&call(1, "wait", json!({"ms": 0}))).await;
        assert_eq!(answer.result(), "waited 0");
        let ended = read(client.delete().await).await;
        assert_eq!((ended.status.as_u16(), &*ended.text), (204, ""));
        let deleted = read(client.delete().await).await;
        for gone in [client.ask(&ping(1)).await, deleted] {
            let text = gone.refusal(404);
            assert!(text.contains("initialize"), "{text}");
        }
        assert_eq!(client.get().await.status(), 404);
    }
}

#[tokio::test]
async fn initialize_with_another_version_is_answered_with_the_latest_one_that_has_sessions() {
    let server = server().build().unwrap();
    for version in ["2024-01-01", "2026-07-28", "2099-01-01", ""] {
        let answer = http(&server).ask(&initialize(version)).await;
        let agreed = &answer.json()["result"]["protocolVersion"];
        assert_eq!(agreed, "2025-11-25", "{version:?}");
    }
}

#[tokio::test]
async fn ids_are_long_and_differ() {
    let server = server().build().unwrap();
    let client = http(&server);
    let mut ids = Vec::new();
    for _ in 0..50 {
        let client = client.clone().opened("2025-11-25").await;
        let id = client.session_id().unwrap();
        assert_eq!(id.len(), 22, "{id}");
        ids.push(id.to_owned());
    }
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 50);
    // No counter, no clock: each pair differs in most places.
    for pair in ids.windows(2) {
        let places = pair[0].bytes().zip(pair[1].bytes());
        let same = places.filter(|(left, right)| left == right).count();
        assert!(same * 2 < pair[0].len(), "{pair:?}");
    }
}

#[tokio::test]
async fn a_request_says_which_session_it_belongs_to() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let stranger = client.clone().without_session();
    let text = stranger.ask(&ping(7)).await;
    assert_eq!(text.json()["id"], 7);
    assert!(text.refusal(400).contains("Mcp-Session-Id"));
    assert_eq!(stranger.delete().await.status(), 400);
    assert_eq!(stranger.get().await.status(), 400);
    let id = client.session_id().unwrap();
    let swapped: String = (id.chars())
        .map(|c| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        })
        .collect();
    for wrong in [
        "",
        "made-up",
        "AAAAAAAAAAAAAAAAAAAAAA",
        &"x".repeat(5_000),
        &format!("{id}x"),
        &id[1..],
        &format!("{swapped}x"),
    ] {
        let other = client.clone().session(wrong);
        assert_eq!(other.get().await.status(), 404, "{wrong}");
        assert_eq!(other.delete().await.status(), 404, "{wrong}");
        other.ask(&ping(1)).await.refusal(404);
        // Also who wants to begin anew under an id that has ended.
        other.ask(&initialize("2025-11-25")).await.refusal(404);
    }
    let id = ("mcp-session-id", id);
    let headers = [id, id, ("content-type", "application/json")];
    let body = ping(1).to_string();
    let twice = client.bare("POST", "/mcp", &headers, &body).await;
    assert_eq!(twice.status(), 400);
    client.assert_alive().await;
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused() {
    let server = server().build().unwrap();
    let client = http(&server).opened("2025-06-18").await;
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for message in [ping(1), notification] {
        let named = async |version: &str| {
            let client = client.clone().header("mcp-protocol-version", version);
            client.post(&message).await.status().as_u16()
        };
        for version in VERSIONS {
            assert!(named(version).await < 300, "{version}");
        }
        for version in ["2099-01-01", "1900-01-01", "tomorrow", ""] {
            assert_eq!(named(version).await, 400, "{version:?}");
        }
        // None means 2025-03-26.
        let mut silent = client.clone().version(ProtocolVersion::V2025_03_26);
        assert!(silent.post(&message).await.status().is_success());
        silent = silent.header("mcp-protocol-version", "2099-01-01");
        let text = silent.post(&message).await.text().await;
        for known in VERSIONS.into_iter().chain(["2026-07-28"]) {
            assert!(text.contains(known), "{text}");
        }
    }
    let client = client.header("mcp-protocol-version", "2099-01-01");
    assert_eq!(client.get().await.status(), 400);
    // Later revisions have neither.
    let client = client.header("mcp-protocol-version", "2026-07-28");
    assert_eq!(client.get().await.status(), 405);
}

#[tokio::test]
async fn the_handshake_comes_once() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let answer = client.ask(&initialize("2025-11-25")).await;
    assert_eq!(answer.json()["error"]["code"], -32600);
    assert!(!answer.headers.contains_key("mcp-session-id"));
    // One that fails opens nothing.
    let wrong = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
    let answer = http(&server).ask(&wrong).await;
    assert_eq!(answer.json()["error"]["code"], -32602);
    assert!(!answer.headers.contains_key("mcp-session-id"));
    client.assert_alive().await;
}

#[tokio::test]
async fn a_session_is_its_owners_alone() {
    let server = server()
        .tool::<whoami>()
        .http(|http| http.authenticate(Names))
        .build()
        .unwrap();
    let alice = http(&server).named("alice").opened("2025-11-25").await;
    let bob = alice.clone().key("bob");
    let nobodys = bob.clone().session("AAAAAAAAAAAAAAAAAAAAAA");
    // The answer does not reveal that the session is another caller's.
    let stolen = bob.ask(&call(1, "whoami", json!({}))).await;
    let made_up = nobodys.ask(&call(1, "whoami", json!({}))).await;
    assert_eq!(stolen.status, 404);
    assert_eq!(stolen.text, made_up.text);
    read(bob.delete().await).await.refusal(404);
    assert_eq!(bob.get().await.status(), 404);
    // Nor is it anything to a caller without a key.
    let keyless = alice.clone().without_header("x-api-key");
    for message in [call(1, "whoami", json!({})), ping(1), cancel(1)] {
        assert_eq!(bob.ask(&message).await.status, 404, "{message}");
        keyless.ask(&message).await.refusal(401);
    }
    for response in [keyless.get().await, keyless.delete().await] {
        assert_eq!(response.status(), 401);
    }
    let answer = alice.ask(&call(1, "whoami", json!({}))).await;
    assert_eq!(answer.result(), "alice");
}

#[tokio::test]
async fn two_keys_of_one_caller_share_its_sessions() {
    let keys = ApiKeys::from_list("alice:old-key-of-alice,alice:new-key-of-alice").unwrap();
    let server = server()
        .tool::<whoami>()
        .http(|http| http.authenticate(keys))
        .build()
        .unwrap();
    let old = http(&server).key("old-key-of-alice");
    let new = old.opened("2025-11-25").await.key("new-key-of-alice");
    let answer = new.ask(&call(1, "whoami", json!({}))).await;
    assert_eq!(answer.result(), "alice");
    new.key("another-key").ask(&ping(1)).await.refusal(401);
}

#[tokio::test(start_paused = true)]
async fn without_sessions_every_request_is_independent() {
    let server = server()
        .http(|http| http.without_sessions())
        .build()
        .unwrap();
    let client = http(&server);
    let answer = client.ask(&initialize("2025-11-25")).await;
    assert_eq!(answer.json()["result"]["protocolVersion"], "2025-11-25");
    assert!(!answer.headers.contains_key("mcp-session-id"));
    let answer = client.ask(&call(1, "wait", json!({"ms": 0}))).await;
    assert_eq!(answer.result(), "waited 0");
    // It is answered as JSON, however much there is to tell meanwhile.
    let counted = client
        .ask(&watched(2, "count", json!({"to": 3, "ms": 7_000})))
        .await;
    assert_eq!(counted.result(), "counted 3");
    let streaming = client.clone().header("accept", "text/event-stream");
    let message = watched(3, "count", json!({"to": 3}));
    let mut events = events_of(streaming.post(&message).await);
    assert_eq!(rest_of(&mut events).await.len(), 4);
    // No caller has the session that it names.
    let client = client.session("made-up");
    client.assert_alive().await;
    for response in [client.get().await, client.delete().await] {
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST");
    }
}

/// A client that reads the supported versions can begin again with one;
/// what became of its session would not help it.
#[tokio::test]
async fn unknown_version_is_reported_before_an_unknown_session() {
    let server = server().build().unwrap();
    let client = http(&server)
        .session("AAAAAAAAAAAAAAAAAAAAAA")
        .header("mcp-protocol-version", "2031-01-01");
    let mut message = ping(1);
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2031-01-01",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let answer = client.ask(&message).await;
    answer.refusal(400);
    assert_eq!(answer.json()["error"]["code"], -32022, "{answer:?}");
    for response in [client.get().await, client.delete().await] {
        assert_eq!(response.status(), 400);
    }
}
