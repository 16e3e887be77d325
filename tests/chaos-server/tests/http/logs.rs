//! The log over HTTP: one line for each call, with who called, and no value.

use serde_json::{Value, json};

use crate::server::setup;

fn field<'a>(line: &'a Value, name: &str) -> Option<&'a Value> {
    line.get(name).or_else(|| line.get("fields")?.get(name))
}

#[test]
fn every_call_has_one_line_that_names_its_caller() {
    let server = setup().keys().start();
    let marker = "a-value-of-mine-4711";
    for mut client in [
        server.modern_as("alice-key"),
        server.legacy_as("alice-key"),
        server.modern_as("bob-key"),
    ] {
        client.text("search", json!({ "query": marker }));
        client.failure("search", json!({ "query": marker, "maxResults": 99 }));
        // Without its scope a tool is unknown, and yet its refusal is logged.
        client.ask("tools/call", json!({ "name": "admin" }));
    }
    let log = server.log_after_end();
    let of = |tool: &str, principal: &str| {
        log.iter()
            .filter(|line| {
                field(line, "duration_ms").is_some()
                    && field(line, "name").is_some_and(|value| value == tool)
                    && field(line, "principal").is_some_and(|value| value == principal)
            })
            .count()
    };
    assert_eq!(of("search", "alice"), 4, "{log:?}");
    assert_eq!(of("search", "bob"), 2, "{log:?}");
    assert_eq!(of("admin", "alice"), 2, "{log:?}");
    assert_eq!(of("admin", "bob"), 1, "{log:?}");
    let text: String = log.iter().map(ToString::to_string).collect();
    assert!(!text.contains(marker), "a value is in the log");
    assert!(text.contains("maxResults"), "the names are not in the log");
}

/// Strangers can fill no log with text of theirs.
#[test]
fn what_strangers_send_is_in_no_line() {
    let server = setup().keys().env("RUST_LOG", "debug").start();
    let marker = "text-of-a-stranger";
    let request = crate::request::Request::post(marker)
        .target(&format!("/{marker}"))
        .header("X-API-Key", marker)
        .header("Origin", format!("https://{marker}.example"))
        .header("User-Agent", marker)
        .header("Mcp-Session-Id", marker);
    server.connect().exchange(&request);
    let request = request.target("/mcp");
    server.connect().exchange(&request);
    server.connect().exchange(&request.without("Origin"));
    let log = server.log_after_end();
    let text: String = log.iter().map(ToString::to_string).collect();
    assert!(!text.contains(marker), "{text}");
}

#[test]
fn ids_of_sessions_are_in_no_line() {
    let server = setup().env("RUST_LOG", "trace").start();
    let mut client = server.legacy();
    client.assert_alive();
    client.failure("leak", json!({}));
    let session = client.session.clone().expect("a session");
    let ended = client.ending();
    client.exchange(&ended);
    let log = server.log_after_end();
    let text: String = log.iter().map(ToString::to_string).collect();
    assert!(!text.contains(&session), "who reads the log could use it");
}
