//! Sessions of the legacy era: opened, owned, ended, and never another's.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::client::{Era, HttpClient, answer, messages};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};

const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

fn ping(client: &HttpClient) -> Request {
    client.post(&json!({ "jsonrpc": "2.0", "id": "ping", "method": "ping" }))
}

#[track_caller]
fn status(server: &Server, request: &Request) -> u16 {
    server.connect().exchange(request).status()
}

#[test]
fn initialize_opens_a_session_in_each_version() {
    let server = setup().start();
    for version in LEGACY {
        let mut client = HttpClient::new(server.address, Era::Legacy(version));
        let result = client.initialize();
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "chaos-server");
        assert!(result.get("resultType").is_none());
        client.assert_alive();
        let response = client.exchange(&ping(&client));
        assert_eq!(answer(&response, &json!("ping"))["result"], json!({}));
    }
}

#[test]
fn initialize_with_another_version_is_answered_with_the_latest_legacy_one() {
    let server = setup().start();
    for version in ["2024-01-01", "2026-07-28", "2099-01-01", ""] {
        let mut client = HttpClient::new(server.address, Era::Legacy("2025-11-25"));
        let request = client.opening(version);
        let response = client.exchange(&request);
        let result = answer(&response, &json!("open"));
        assert_eq!(rpc::result(&result)["protocolVersion"], "2025-11-25");
    }
}

#[test]
fn ids_of_sessions_cannot_be_guessed() {
    let server = setup().start();
    let ids: Vec<String> = (0..50)
        .map(|_| server.legacy().session.expect("a session"))
        .collect();
    for id in &ids {
        assert!(id.len() >= 22, "less than 128 bits: {id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
    }
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 50);
    // No counter, no clock: each pair differs in most places.
    for pair in ids.windows(2) {
        let same = pair[0]
            .bytes()
            .zip(pair[1].bytes())
            .filter(|(left, right)| left == right)
            .count();
        assert!(same * 2 < pair[0].len(), "{pair:?}");
    }
}

#[test]
fn a_request_without_a_session_is_400_and_with_an_unknown_one_404() {
    let server = setup().start();
    let client = server.legacy();
    let good = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(status(&server, &good), 200);
    assert_eq!(
        status(&server, &good.clone().without("Mcp-Session-Id")),
        400
    );
    let session = client.session.clone().expect("a session");
    for unknown in [
        "made-up".to_owned(),
        String::new(),
        "x".repeat(5_000),
        format!("{session}x"),
        session[1..].to_owned(),
        swap_case(&session),
    ] {
        let request = good.clone().set("Mcp-Session-Id", &unknown);
        let answered = status(&server, &request);
        assert!([400, 404].contains(&answered), "{unknown}: {answered}");
        let get = client.listening().set("Mcp-Session-Id", &unknown);
        let answered = status(&server, &get);
        assert!([400, 404].contains(&answered), "GET {unknown}: {answered}");
        let delete = client.ending().set("Mcp-Session-Id", &unknown);
        let answered = status(&server, &delete);
        assert!(
            [400, 404].contains(&answered),
            "DELETE {unknown}: {answered}"
        );
    }
    let unknown = good
        .clone()
        .set("Mcp-Session-Id", "0123456789abcdef0123456789abcdef");
    let response = server.connect().exchange(&unknown);
    assert_eq!(response.status(), 404, "{}", response.text());
    assert!(response.json()["error"]["code"].is_i64());
    let twice = good.header("Mcp-Session-Id", "another");
    assert_eq!(status(&server, &twice), 400);
    server.legacy().assert_alive();
}

fn swap_case(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .chain(['x'])
        .collect()
}

#[test]
fn a_session_that_was_ended_is_gone() {
    let server = setup().start();
    let client = server.legacy();
    let ended = server.connect().exchange(&client.ending());
    assert!([200, 204].contains(&ended.status()), "{}", ended.text());
    assert_eq!(status(&server, &ping(&client)), 404);
    assert_eq!(status(&server, &client.listening()), 404);
    assert_eq!(status(&server, &client.ending()), 404);
    let without = client.ending().without("Mcp-Session-Id");
    assert!([400, 405].contains(&status(&server, &without)));
    server.legacy().assert_alive();
}

/// Its stream ends with it, and its calls do not outlive it.
#[test]
fn what_a_session_has_open_ends_with_it() {
    let server = setup().start();
    let client = server.legacy();
    let mut stream = client.stream(&client.listening());
    let ended = server.connect().exchange(&client.ending());
    assert!([200, 204].contains(&ended.status()));
    assert!(stream.rest().is_empty());
}

#[test]
fn a_version_that_is_not_supported_is_400() {
    let server = setup().start();
    let client = server.legacy();
    let good = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    for version in ["2099-01-01", "1900-01-01", "tomorrow", ""] {
        let request = good.clone().set("MCP-Protocol-Version", version);
        let response = server.connect().exchange(&request);
        assert_eq!(response.status(), 400, "{version:?}: {}", response.text());
        let text = response.text();
        for known in LEGACY.into_iter().chain(["2026-07-28"]) {
            assert!(text.contains(known), "{version:?}: {text}");
        }
    }
    // Any that is supported is accepted, and none stands for 2025-03-26.
    for version in LEGACY {
        let request = good.clone().set("MCP-Protocol-Version", version);
        assert_eq!(status(&server, &request), 200, "{version}");
    }
    assert_eq!(status(&server, &good.without("MCP-Protocol-Version")), 200);
}

#[test]
fn a_second_initialize_in_a_session_is_an_error() {
    let server = setup().start();
    let mut client = server.legacy();
    let request = client.post(&rpc::initialize(7, "2025-11-25"));
    let response = client.exchange(&request);
    let error = messages(&response).remove(0);
    assert_eq!(rpc::code(&error), -32600, "{error}");
    client.assert_alive();
}

#[test]
fn an_initialize_that_fails_opens_no_session() {
    let server = setup().start();
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} });
    let response = server
        .connect()
        .exchange(&Request::post(message.to_string()));
    let error = messages(&response).remove(0);
    assert_eq!(rpc::code(&error), -32602, "{error}");
    assert!(response.head.header("mcp-session-id").is_none());
}

/// Who knows the id of a session is not yet its owner.
#[test]
fn a_session_is_of_use_to_its_owner_alone() {
    let server = setup().keys().start();
    let mut alice = server.legacy_as("alice-key");
    let stolen = |request: Request, key: &str| request.set("X-API-Key", key);
    let call = alice.calling(1, "whoami", json!({}));
    for (case, request) in [
        ("call", call.clone()),
        ("ping", ping(&alice)),
        ("listen", alice.listening()),
        ("end", alice.ending()),
        (
            "cancel",
            alice.notification("notifications/cancelled", json!({ "requestId": 1 })),
        ),
    ] {
        let answered = status(&server, &stolen(request.clone(), "bob-key"));
        assert!([403, 404].contains(&answered), "{case}: {answered}");
        let answered = status(&server, &stolen(request.clone(), "wrong"));
        assert_eq!(answered, 401, "{case}");
        let answered = status(&server, &request.without("X-API-Key"));
        assert_eq!(answered, 401, "{case}");
    }
    // And nothing of it has changed the session.
    assert_eq!(alice.text("whoami", json!({})), "alice");
}

/// Nobody can tell a session of another's from one that does not exist.
#[test]
fn anothers_session_looks_like_none() {
    let server = setup().keys().start();
    let alice = server.legacy_as("alice-key");
    let call = alice
        .calling(1, "whoami", json!({}))
        .set("X-API-Key", "bob-key");
    let mut conn = server.connect();
    let others = conn.exchange(&call);
    let nobodys = conn.exchange(&call.set("Mcp-Session-Id", "0123456789abcdef0123456789abcdef"));
    assert_eq!(others.status(), nobodys.status());
    assert_eq!(others.text(), nobodys.text());
}

#[test]
fn two_keys_of_one_caller_share_its_sessions() {
    let server = setup()
        .env("MCP_API_KEYS", "alice:old-key,alice:new-key")
        .start();
    let mut alice = server.legacy_as("old-key").with_key("new-key");
    assert_eq!(alice.text("whoami", json!({})), "alice");
}

#[test]
fn a_get_without_event_stream_in_accept_is_refused() {
    let server = setup().start();
    let client = server.legacy();
    let request = client.listening().set("Accept", "application/json");
    let answered = status(&server, &request);
    assert!([400, 405, 406].contains(&answered), "{answered}");
}

/// A stream of the session's own stays open and silent; a second one is served
/// or refused, and takes nothing from the first.
#[test]
fn the_sessions_own_stream_stays_open() {
    let mut server = setup().start();
    let mut client = server.legacy();
    let mut stream = client.stream(&client.listening());
    client.assert_alive();
    let (second, conn) = client.begin(&client.listening());
    assert!([200, 409].contains(&second.status), "{second:?}");
    client.assert_alive();
    drop(conn);
    client.assert_alive();
    server.end();
    let rest: Vec<Value> = stream.rest();
    assert!(
        rest.iter().all(|message| message.get("id").is_none()),
        "an answer on a stream that asked for none: {rest:?}"
    );
}

#[test]
fn idle_sessions_end_and_busy_ones_do_not() {
    let server = setup()
        .env("CHAOS_HTTP_LIMITS", "session_idle=300ms")
        .start();
    let busy = server.legacy();
    let mut conn = busy.start(&busy.calling(1, "slow", json!({ "ms": 2500 })));
    let idle = server.legacy();
    // Time passes: others sleep in the server.
    server.modern().text("slow", json!({ "ms": 1500 }));
    assert_eq!(status(&server, &ping(&idle)), 404);
    let result = answer(&conn.response(), &json!(1));
    assert_eq!(rpc::text(rpc::result(&result)), "slept 2500");
    assert_eq!(status(&server, &ping(&busy)), 200);
}

/// A client that only listens has not gone.
#[test]
fn a_session_with_an_open_stream_is_not_idle() {
    let server = setup()
        .env("CHAOS_HTTP_LIMITS", "session_idle=300ms")
        .start();
    let client = server.legacy();
    let _stream = client.stream(&client.listening());
    server.modern().text("slow", json!({ "ms": 1500 }));
    assert_eq!(status(&server, &ping(&client)), 200);
}

#[test]
fn an_option_serves_older_clients_without_sessions() {
    for server in [
        setup().arg("--without-sessions").start(),
        setup().env("MCP_WITHOUT_SESSIONS", "1").start(),
    ] {
        let mut client = HttpClient::new(server.address, Era::Legacy("2025-11-25"));
        let response = client.exchange(&client.opening("2025-11-25"));
        assert_eq!(response.status(), 200, "{}", response.text());
        assert_eq!(response.head.header("mcp-session-id"), None);
        client.assert_alive();
        assert_eq!(status(&server, &client.listening()), 405);
        // An id that the client has from before means nothing.
        client.session = Some("0123456789abcdef012345".to_owned());
        client.assert_alive();
    }
}
