//! What callers and operators notice of the built program.

mod support;

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{PATIENCE, Remote, run};

const KEYS: &str = "alice:alice-key-0123456789,bob:bob-key-0123456789";
const ALICE: (&str, &str) = ("x-api-key", "alice-key-0123456789");
const BOB: (&str, &str) = ("authorization", "Bearer bob-key-0123456789");

fn a_query() -> Value {
    json!({"query": "rate limits", "maxResults": 1})
}

#[test]
fn the_modern_era_calls_with_either_header() {
    let remote = Remote::start(KEYS, &[]);
    for credentials in [ALICE, BOB] {
        let answer = remote.call(credentials, "search_web", &a_query());
        assert_eq!(answer.status, 200, "{answer:?}");
        let result = &answer.message()["result"];
        assert_eq!(result["resultType"], "complete");
        let hits = &result["structuredContent"]["results"];
        assert_eq!(hits.as_array().map(Vec::len), Some(1), "{result}");
    }
    let page = json!({"url": "corpus:limits.md"});
    let answer = remote.call(ALICE, "read_page", &page);
    assert!(answer.text().starts_with("# Limits"), "{answer:?}");
}

#[test]
fn the_legacy_era_has_a_session() {
    let remote = Remote::start(KEYS, &[]);
    let initialize = json!({
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    });
    let answer = remote.post(&[ALICE], &initialize);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.message()["result"]["protocolVersion"], "2025-11-25");
    let session = answer
        .header("mcp-session-id")
        .expect("a session")
        .to_owned();
    let session = ("mcp-session-id", session.as_str());
    let version = ("mcp-protocol-version", "2025-11-25");

    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = remote.post(&[ALICE, session, version], &initialized);
    assert_eq!(answer.status, 202, "{answer:?}");

    let call = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "search_web", "arguments": a_query()},
    });
    let answer = remote.post(&[ALICE, session, version], &call);
    assert!(answer.text().contains("#rate-limits"), "{answer:?}");

    // Another's session is none.
    let answer = remote.post(&[BOB, session, version], &call);
    assert_eq!(answer.status, 404, "{answer:?}");

    let answer = remote.request("DELETE /mcp", &[ALICE, session, version], "");
    assert!((200..300).contains(&answer.status), "{answer:?}");
    let answer = remote.post(&[ALICE, session, version], &call);
    assert_eq!(answer.status, 404, "{answer:?}");
}

#[test]
fn requests_without_a_valid_key_are_refused_and_no_key_is_logged() {
    let remote = Remote::start(KEYS, &[]);
    let nothing = ("x-nothing", "nothing");
    let wrong = ("x-api-key", "alice-key-0123456780");
    let other = ("authorization", "Basic YWxpY2U6YWxpY2U=");
    for credentials in [nothing, wrong, other] {
        let answer = remote.call(credentials, "search_web", &a_query());
        assert_eq!(answer.status, 401, "{credentials:?}: {answer:?}");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer"), "{answer:?}");
        assert!(!answer.body.contains("alice"), "{answer:?}");
    }
    remote.call(ALICE, "search_web", &a_query());
    remote.terminate();
    let (code, log) = remote.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains(r#""principal":"alice""#), "{log}");
    for secret in ["alice-key", "bob-key", "YWxpY2U6"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn web_pages_of_others_are_refused() {
    let remote = Remote::start(KEYS, &[]);
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for foreign in [("origin", "https://evil.example"), ("origin", "null")] {
        let answer = remote.post(&[ALICE, foreign], &message);
        assert_eq!(answer.status, 403, "{answer:?}");
    }
}

#[test]
fn a_caller_above_its_rate_receives_the_seconds_to_wait() {
    let remote = Remote::start(KEYS, &[]);
    let page = json!({"url": "corpus:limits.md"});
    let refused = (0..200)
        .map(|_| remote.call(ALICE, "read_page", &page))
        .find(|answer| answer.message()["result"]["isError"] == true)
        .expect("there is a limit");
    assert!(refused.text().contains("second"), "{refused:?}");
    let another = remote.call(BOB, "read_page", &page);
    assert_ne!(another.message()["result"]["isError"], true, "{another:?}");
}

#[test]
fn a_key_is_replaced_while_the_server_runs() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rotation");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("keys");
    let replace = |text: &str| {
        fs::write(folder.join("new"), text).expect("a file");
        fs::rename(folder.join("new"), &file).expect("it takes the other's place");
    };
    replace("alice:the-old-key-of-alice\n");
    let remote = Remote::start("", &["--keys-file", file.to_str().expect("a path")]);
    let status = |key| {
        remote
            .call(("x-api-key", key), "search_web", &a_query())
            .status
    };
    assert_eq!(status("the-old-key-of-alice"), 200);
    assert_eq!(status("the-new-key-of-alice"), 401);

    replace("alice:the-old-key-of-alice\nalice:the-new-key-of-alice\n");
    until(|| status("the-new-key-of-alice") == 200);
    assert_eq!(status("the-old-key-of-alice"), 200);

    replace("alice:the-new-key-of-alice\n");
    until(|| status("the-old-key-of-alice") == 401);
    assert_eq!(status("the-new-key-of-alice"), 200);
}

#[test]
fn probes_need_no_key_and_turn_while_the_server_ends() {
    let remote = Remote::start(KEYS, &["--drain-delay", "2s"]);
    for path in ["/livez", "/readyz", "/health"] {
        let answer = remote.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    assert_eq!(remote.get("/health").message()["status"], "ok");
    let address = remote.address.clone();
    assert_eq!(run(&["health", "--addr", &address]).status.code(), Some(0));

    remote.terminate();
    until(|| remote.get("/readyz").status == 503);
    // For the time of the delay, calls are served and the process is healthy.
    let answer = remote.call(ALICE, "search_web", &a_query());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(remote.get("/livez").status, 200);
    assert_eq!(run(&["health", "--addr", &address]).status.code(), Some(1));

    let (code, log) = remote.wait();
    assert_eq!(code, Some(0), "{log}");
    let gone = run(&["health", "--addr", &address]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains(&address));
}

#[test]
fn a_public_address_requires_keys() {
    let output = run(&["http", "--addr", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("MCP_API_KEYS"), "{said}");
    assert!(said.contains("allow-unauthenticated"), "{said}");
}

#[test]
fn a_folder_is_served_over_http() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("notes");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("note.md"), "# Zebras\nStripes.\n").expect("a file");
    let remote = Remote::start(KEYS, &["--corpus", folder.to_str().expect("a path")]);
    let answer = remote.call(ALICE, "search_web", &json!({"query": "zebra"}));
    assert!(answer.text().contains("corpus:note.md"), "{answer:?}");
}

/// Asks again until it holds.
fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never holds");
        thread::sleep(Duration::from_millis(20));
    }
}
