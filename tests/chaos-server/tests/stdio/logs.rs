//! The log on stderr: one JSON line for each call, and never a value.

use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

/// A field of a log line, wherever the line nests it.
fn field<'a>(line: &'a Value, name: &str) -> Option<&'a Value> {
    match line {
        Value::Object(map) => map
            .get(name)
            .or_else(|| map.values().find_map(|value| field(value, name))),
        Value::Array(items) => items.iter().find_map(|value| field(value, name)),
        _ => None,
    }
}

/// Every line that the server has written, once it has ended. Each is JSON.
fn log_of(mut chaos: Chaos) -> Vec<Value> {
    chaos.finish();
    chaos
        .log
        .all()
        .iter()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON on stderr: {line:?}"))
        })
        .collect()
}

/// The lines that end a call of this tool.
fn calls_of<'a>(log: &'a [Value], tool: &str) -> Vec<&'a Value> {
    log.iter()
        .filter(|line| field(line, "duration_ms").is_some())
        .filter(|line| field(line, "name").is_some_and(|name| name == tool))
        .collect()
}

fn outcome(line: &Value) -> &str {
    field(line, "outcome")
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no outcome: {line}"))
}

#[test]
fn one_line_for_each_call_says_what_happened() {
    let mut chaos = setup().env("RUST_LOG", "info").legacy();
    chaos.text("add", json!({ "a": 1, "b": 2 }));
    chaos.text("search", json!({ "query": "x", "maxResults": 3 }));
    chaos.failure("search", json!({ "query": "" }));
    chaos.failure("fail", json!({}));
    chaos.failure("panic", json!({}));
    chaos.failure("leak", json!({}));
    chaos.failure("sleep", json!({ "ms": 600_000 }));
    let log = log_of(chaos);
    let mut outcomes = Vec::new();
    for (tool, count) in [
        ("add", 1),
        ("search", 2),
        ("fail", 1),
        ("panic", 1),
        ("leak", 1),
        ("sleep", 1),
    ] {
        let lines = calls_of(&log, tool);
        assert_eq!(lines.len(), count, "{tool}: {lines:?}");
        for line in lines {
            assert!(
                field(line, "duration_ms").is_some_and(Value::is_number),
                "{line}"
            );
            assert_eq!(field(line, "principal"), Some(&json!("local")), "{line}");
            outcomes.push((tool, outcome(line).to_owned()));
        }
    }
    let ok = &outcomes[0].1;
    assert_eq!(&outcomes[1].1, ok);
    for (tool, outcome) in &outcomes[2..] {
        assert_ne!(outcome, ok, "{tool} failed");
    }
    let names = field(calls_of(&log, "search")[0], "arguments")
        .expect("the argument names")
        .to_string();
    assert!(
        names.contains("query") && names.contains("maxResults"),
        "{names}"
    );
}

#[test]
fn no_value_is_logged_at_any_level() {
    let marker = "MARKER-51d0";
    for level in ["info", "debug", "trace"] {
        let mut chaos = setup().env("RUST_LOG", level).legacy();
        chaos.text("search", json!({ "query": marker }));
        chaos.failure("search", json!({ "query": marker.repeat(99) }));
        chaos.failure("search", json!({ "query": "x", "maxResults": marker }));
        chaos.failure("search", json!({ "query": "x", marker: marker }));
        chaos.failure("add", json!({ "a": marker, "b": [marker] }));
        chaos.request(
            "tools/call",
            json!({ "name": "add", "arguments": [marker] }),
        );
        chaos.request(
            "tools/call",
            json!({ "name": "add", "arguments": { "a": 1, "b": 2 }, "_meta": { "x": marker } }),
        );
        chaos.line(&format!("{{ broken {marker}"));
        chaos.finish();
        let log = chaos.log.all().join("\n");
        assert!(!log.contains(marker), "{level}: {log}");
        assert!(!log.is_empty());
    }
}

#[test]
fn the_reference_of_an_internal_error_leads_to_its_source() {
    let mut chaos = setup().env("RUST_LOG", "info").legacy();
    let references: Vec<String> = (0..3)
        .map(|_| rpc::reference(&chaos.failure("leak", json!({}))))
        .collect();
    let log = log_of(chaos);
    for reference in &references {
        let lines: Vec<&Value> = log
            .iter()
            .filter(|line| field(line, "reference").and_then(Value::as_str) == Some(reference))
            .collect();
        assert!(!lines.is_empty(), "{reference} is not in the log: {log:?}");
        assert!(
            lines.iter().any(|line| line
                .to_string()
                .contains("postgres://prod_admin:hunter2@db/prod")),
            "no line with {reference} has the source: {lines:?}"
        );
    }
    assert_ne!(references[0], references[1]);
    assert_ne!(references[1], references[2]);
}

#[test]
fn a_panic_is_one_json_line_under_its_reference() {
    let mut chaos = setup().env("RUST_LOG", "info").legacy();
    let reference = rpc::reference(&chaos.failure("panic", json!({})));
    let log = log_of(chaos);
    let told: Vec<&Value> = log
        .iter()
        .filter(|line| line.to_string().contains("hunter2"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let location = told[0].to_string();
    assert!(
        location.contains(".rs"),
        "the place of the panic is missing: {location}"
    );
    assert!(
        log.iter()
            .any(|line| field(line, "reference").and_then(Value::as_str) == Some(&reference)),
        "{log:?}"
    );
}

#[test]
fn the_level_is_the_environments() {
    let mut chaos = setup().env("RUST_LOG", "warn").legacy();
    chaos.text("add", json!({ "a": 1, "b": 2 }));
    chaos.failure("leak", json!({}));
    let log = log_of(chaos);
    assert!(calls_of(&log, "add").is_empty());
    assert!(
        log.iter()
            .any(|line| line.to_string().contains("postgres://")),
        "{log:?}"
    );

    let mut chaos = setup().env("RUST_LOG", "off").legacy();
    chaos.text("add", json!({ "a": 1, "b": 2 }));
    chaos.failure("fail", json!({}));
    assert!(log_of(chaos).is_empty());
}

#[test]
fn a_level_that_cannot_be_read_does_not_stop_the_server() {
    for level in ["", "louder", "a=b=c", "[{"] {
        let mut chaos = setup().env("RUST_LOG", level).legacy();
        chaos.assert_alive();
        log_of(chaos);
    }
}

#[test]
fn calls_are_logged_without_any_setting() {
    let mut chaos = setup().legacy();
    chaos.text("add", json!({ "a": 1, "b": 2 }));
    assert_eq!(calls_of(&log_of(chaos), "add").len(), 1);
}

#[test]
fn a_cancelled_call_has_its_line_too() {
    let mut trace = crate::process::Trace::new("log-cancel");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 29_000 }));
    trace.wait_for("start 29000");
    chaos.cancel(1);
    chaos
        .log
        .wait_for("the call's end", |line| line.contains("duration_ms"));
    let log = log_of(chaos);
    let lines = calls_of(&log, "slow");
    assert_eq!(lines.len(), 1, "{log:?}");
    assert!(outcome(lines[0]).contains("cancel"), "{}", lines[0]);
}
