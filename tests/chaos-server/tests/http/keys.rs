//! Keys: who a caller is, and who it is not.

use serde_json::json;

use crate::client::refusal;
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};
use crate::wire::Response;

/// `whoami` with these headers.
fn ask(server: &Server, headers: &[(&str, &str)]) -> Response {
    let mut request = server.modern().calling(1, "whoami", json!({}));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    server.connect().exchange(&request)
}

#[track_caller]
fn name(server: &Server, headers: &[(&str, &str)]) -> String {
    let response = ask(server, headers);
    assert_eq!(response.status(), 200, "{headers:?}: {}", response.text());
    rpc::text(rpc::result(&response.json()))
}

#[track_caller]
fn assert_unknown(response: &Response, case: &str) {
    assert_eq!(response.status(), 401, "{case}: {}", response.text());
    refusal(response, 401);
    let challenge = response.head.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer"), "{case}: {challenge:?}");
}

#[test]
fn a_key_gives_its_owners_name() {
    let server = setup().keys().start();
    assert_eq!(name(&server, &[("X-API-Key", "alice-key")]), "alice");
    assert_eq!(name(&server, &[("x-api-key", "bob-key")]), "bob");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} bob-key");
        assert_eq!(name(&server, &[("Authorization", &value)]), "bob");
    }
    let both = [
        ("X-API-Key", "alice-key"),
        ("Authorization", "Bearer alice-key"),
    ];
    assert_eq!(name(&server, &both), "alice");
}

#[test]
fn a_client_without_a_key_is_401() {
    let server = setup().keys().start();
    assert_unknown(&ask(&server, &[]), "none");
    for (header, value) in [
        ("X-API-Key", "wrong"),
        ("X-API-Key", ""),
        ("X-API-Key", "alice"),
        ("X-API-Key", "alice:alice-key"),
        ("X-API-Key", "alice:alice-key:admin"),
        ("X-API-Key", "alice-ke"),
        ("X-API-Key", "alice-keyy"),
        ("X-API-Key", "ALICE-KEY"),
        ("X-API-Key", "alice-key,bob-key"),
        ("X-API-Key", "alice-key é"),
        ("X-API-Key", "Bearer alice-key"),
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer "),
        ("Authorization", "Bearer wrong"),
        ("Authorization", "alice-key"),
        ("Authorization", "Basic YWxpY2U6YWxpY2Uta2V5"),
        ("Cookie", "X-API-Key=alice-key"),
        ("Api-Key", "alice-key"),
    ] {
        assert_unknown(
            &ask(&server, &[(header, value)]),
            &format!("{header}: {value}"),
        );
    }
    let long = "x".repeat(8_000);
    assert_unknown(&ask(&server, &[("X-API-Key", &long)]), "a long one");
    let request = server.modern().calling(1, "whoami", json!({}));
    for target in ["/mcp?api_key=alice-key", "/mcp?key=alice-key"] {
        let response = server.connect().exchange(&request.clone().target(target));
        assert_unknown(&response, target);
    }
    let bytes = request.header("X-API-Key", b"\xff\xfealice-key");
    assert!([400, 401].contains(&server.connect().exchange(&bytes).status()));
}

/// Two credentials that name two callers: no choice is right, and a wrong one
/// is not made good by another.
#[test]
fn credentials_that_disagree_are_refused() {
    let server = setup().keys().start();
    for headers in [
        [
            ("X-API-Key", "alice-key"),
            ("Authorization", "Bearer bob-key"),
        ],
        [
            ("X-API-Key", "alice-key"),
            ("Authorization", "Bearer wrong"),
        ],
        [
            ("X-API-Key", "wrong"),
            ("Authorization", "Bearer alice-key"),
        ],
        [("X-API-Key", "alice-key"), ("X-API-Key", "bob-key")],
        [("X-API-Key", "wrong"), ("X-API-Key", "alice-key")],
        [
            ("Authorization", "Bearer alice-key"),
            ("Authorization", "Bearer bob-key"),
        ],
    ] {
        let response = ask(&server, &headers);
        assert!(
            [400, 401].contains(&response.status()),
            "{headers:?}: {} {}",
            response.status(),
            response.text()
        );
    }
}

#[test]
fn everything_at_the_endpoint_asks_for_a_key() {
    let server = setup().keys().start();
    let modern = server.modern();
    let legacy = server.legacy_as("alice-key");
    for request in [
        modern.request(1, "server/discover", json!({})),
        modern.request(1, "tools/list", json!({})),
        modern.notification("notifications/cancelled", json!({ "requestId": 1 })),
        legacy.opening("2025-11-25"),
        legacy.calling(1, "whoami", json!({})),
        legacy.listening(),
        legacy.ending(),
        Request::post("not json"),
    ] {
        let request = request.without("X-API-Key");
        assert_unknown(
            &server.connect().exchange(&request),
            &format!("{request:?}"),
        );
    }
}

/// Who is not known is not listened to: the body is neither waited for nor read.
#[test]
fn a_stranger_is_refused_before_its_body_is_read() {
    let server = setup().keys().start();
    let request = server
        .modern()
        .dress(Request::post("").header("Content-Length", "4000000"));
    let mut conn = server.connect();
    conn.write(&request.head(server.address));
    assert_unknown(&conn.response(), "a body to come");
}

#[test]
fn without_keys_the_caller_is_anonymous() {
    let server = setup().start();
    assert_eq!(name(&server, &[]), "anonymous");
    // A key that no configuration requires has no effect.
    assert_eq!(name(&server, &[("X-API-Key", "alice-key")]), "anonymous");
    assert_eq!(server.legacy().text("whoami", json!({})), "anonymous");
}

#[test]
fn a_bare_key_has_a_name_that_is_not_the_key() {
    let server = setup()
        .env("MCP_API_KEYS", "just-a-key,another-key")
        .start();
    let first = name(&server, &[("X-API-Key", "just-a-key")]);
    let second = name(&server, &[("X-API-Key", "another-key")]);
    assert_ne!(first, second);
    for told in [&first, &second] {
        assert!(!told.is_empty() && told != "anonymous", "{told}");
        assert!(
            !told.contains("just") && !told.contains("another"),
            "{told}"
        );
    }
}

#[test]
fn keys_that_begin_alike_are_two_callers() {
    let server = setup()
        .env("MCP_API_KEYS", "sk-12345678-one,sk-12345678-two")
        .start();
    let first = name(&server, &[("X-API-Key", "sk-12345678-one")]);
    let second = name(&server, &[("X-API-Key", "sk-12345678-two")]);
    assert_ne!(first, second);
}

#[test]
fn keys_that_cannot_be_read_end_the_start_and_are_not_printed() {
    for keys in [
        " ",
        ",",
        "alice:",
        ":s3cret-key",
        "a:s3cret-key:",
        "a:s3cret-key,b:s3cret-key",
    ] {
        let (status, stderr) = setup().env("MCP_API_KEYS", keys).fail();
        assert_ne!(status.code(), Some(0), "{keys:?}");
        assert!(stderr.contains("MCP_API_KEYS"), "{keys:?}: {stderr}");
        assert!(!stderr.contains("s3cret"), "{keys:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{keys:?}: {stderr}");
    }
}

#[test]
fn a_keys_file_is_reloaded_when_it_changes() {
    let path = crate::support::scratch("keys");
    std::fs::write(&path, "alice:first-key:admin\n").unwrap();
    let server = setup()
        .arg("--keys-file")
        .arg(path.to_str().expect("a path in UTF-8"))
        .start();
    assert_eq!(name(&server, &[("X-API-Key", "first-key")]), "alice");
    // As an operator replaces it: a new file under the old name.
    let next = path.with_extension("next");
    std::fs::write(&next, "alice:second-key:admin\ncarol:carol-key\n").unwrap();
    std::fs::rename(&next, &path).unwrap();
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while ask(&server, &[("X-API-Key", "second-key")]).status() != 200 {
        assert!(
            std::time::Instant::now() < deadline,
            "the new key is not known"
        );
    }
    assert_unknown(&ask(&server, &[("X-API-Key", "first-key")]), "the old key");
    assert_eq!(name(&server, &[("X-API-Key", "carol-key")]), "carol");
    // A file that has become unreadable does not lock out callers that were admitted.
    std::fs::write(&path, "carol:\n").unwrap();
    server.log.wait_for("what is wrong with the file", |line| {
        line.contains("keys") && (line.contains("WARN") || line.contains("ERROR"))
    });
    assert_eq!(name(&server, &[("X-API-Key", "carol-key")]), "carol");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_new_key_is_known_by_its_entry() {
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_chaos-server"))
        .args(["new-key", "carol", "admin", "files:read"])
        .output()
        .expect("the chaos server starts");
    assert!(made.status.success(), "{made:?}");
    let entry = String::from_utf8(made.stdout).expect("UTF-8");
    let told = String::from_utf8(made.stderr).expect("UTF-8");
    let key = told.trim().rsplit(' ').next().expect("a key").to_owned();
    assert!(key.len() == 64 && !entry.contains(&key), "{told}");
    assert!(
        entry.starts_with("carol:sha256=") && entry.ends_with(":admin+files:read\n"),
        "{entry}"
    );
    let path = crate::support::scratch("made-keys");
    std::fs::write(&path, entry).unwrap();
    let file = path.to_str().expect("a path in UTF-8");
    let server = setup().arg("--keys-file").arg(file).start();
    assert_eq!(name(&server, &[("X-API-Key", &key)]), "carol");
    std::fs::remove_file(&path).unwrap();
}

/// Tools that block take every thread that tokio has for them, and keep it long
/// after their callers were answered.
#[test]
fn a_revoked_key_is_refused_while_blocking_tools_take_every_thread() {
    const THREADS: usize = 512;
    let path = crate::support::scratch("keys-under-load");
    std::fs::write(&path, "alice:alice-key\nbob:bob-key\ncarol:carol-key\n").unwrap();
    let server = setup()
        .arg("--keys-file")
        .arg(path.to_str().expect("a path in UTF-8"))
        .start();
    std::thread::scope(|scope| {
        for worker in 0..THREADS / 8 {
            let key = ["alice-key", "bob-key"][worker % 2];
            let mut client = server.modern_as(key);
            scope.spawn(move || {
                for _ in 0..8 {
                    client.call("block", json!({ "ms": 60_000 }));
                }
            });
        }
    });
    let discover = server
        .modern_as("carol-key")
        .request(1, "server/discover", json!({}));
    assert_eq!(server.connect().exchange(&discover).status(), 200);
    let next = path.with_extension("next");
    std::fs::write(&next, "alice:alice-key\nbob:bob-key\n").unwrap();
    std::fs::rename(&next, &path).unwrap();
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while server.connect().exchange(&discover).status() != 401 {
        assert!(
            std::time::Instant::now() < deadline,
            "carol is still let in"
        );
    }
    std::fs::remove_file(&path).unwrap();
}

/// Nobody asks for anything meanwhile: the streams themselves have the file
/// looked at.
#[test]
fn streams_end_with_the_key_that_opened_them() {
    let path = crate::support::scratch("revoked-keys");
    std::fs::write(&path, "alice:old-key\nbob:bob-key\n").unwrap();
    let server = setup()
        .arg("--keys-file")
        .arg(path.to_str().expect("a path in UTF-8"))
        .env("CHAOS_SSE", "1")
        .env("CHAOS_HTTP_LIMITS", "keep_alive=100ms")
        .start();
    let session = server.legacy_as("old-key");
    let modern = server.modern_as("old-key");
    let subscribing = modern.request(1, "subscriptions/listen", json!({ "notifications": {} }));
    let oldest = Request::new("GET", "/sse")
        .header("Accept", "text/event-stream")
        .header("X-API-Key", "old-key");
    let streams = [
        session.stream(&session.listening()),
        modern.stream(&subscribing),
        modern.stream(&oldest),
    ];
    let bob = server.legacy_as("bob-key");
    let mut bobs = bob.stream(&bob.listening());
    // A new key for alice, and the line of bob's as it was.
    let next = path.with_extension("next");
    std::fs::write(&next, "alice:new-key\nbob:bob-key\n").unwrap();
    std::fs::rename(&next, &path).unwrap();
    for mut stream in streams {
        while stream.next().is_some() {}
        assert!(stream.is_complete());
    }
    let unknown = server.connect().exchange(&session.listening());
    assert_unknown(&unknown, "the old key");
    assert_eq!(server.connect().exchange(&bob.ending()).status(), 204);
    while bobs.next().is_some() {}
    std::fs::remove_file(&path).unwrap();
    let ended: Vec<_> = server
        .log_after_end()
        .into_iter()
        .filter(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("a stream is ended"))
        })
        .map(|line| line["principal"].clone())
        .collect();
    assert_eq!(ended, ["alice"; 3]);
}

#[test]
fn a_key_is_never_printed() {
    let server = setup().keys().env("RUST_LOG", "trace").start();
    let mut answers = String::new();
    for key in ["alice-key", "bob-key", "wrong-key-of-mine"] {
        for header in ["X-API-Key", "Authorization"] {
            let value = match header {
                "X-API-Key" => key.to_owned(),
                _ => format!("Bearer {key}"),
            };
            let response = ask(&server, &[(header, &value)]);
            answers += &format!("{:?}{}", response.head, response.text());
        }
    }
    server.legacy_as("alice-key").assert_alive();
    server.modern_as("bob-key").failure("leak", json!({}));
    let log: String = server
        .log_after_end()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(log.contains("alice"), "the caller's name is not in the log");
    for key in ["alice-key", "bob-key", "wrong-key-of-mine"] {
        assert!(!answers.contains(key), "in an answer: {key}");
        assert!(!log.contains(key), "in the log: {key}");
    }
}
