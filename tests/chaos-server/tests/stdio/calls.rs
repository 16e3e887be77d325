//! What tools answer: values, refusals, failures, panics, timeouts, bounds.

use serde_json::{Value, json};

use crate::process::{Trace, setup};
use crate::rpc;

#[test]
fn add_adds_64_bit_integers() {
    let mut chaos = setup().legacy();
    assert_eq!(chaos.text("add", json!({ "a": -5, "b": 3 })), "-2");
    assert_eq!(
        chaos.text("add", json!({ "a": i64::MAX, "b": 0 })),
        i64::MAX.to_string()
    );
    let text = chaos.failure("add", json!({ "a": i64::MAX, "b": 1 }));
    assert!(text.contains("64"), "{text}");
    assert!(
        !text.contains("reference"),
        "an overflow is the caller's affair: {text}"
    );
}

#[test]
fn search_takes_wire_names_and_defaults() {
    let mut chaos = setup().legacy();
    assert_eq!(
        chaos.text("search", json!({ "query": "rust" })),
        "query=rust max=5"
    );
    assert_eq!(
        chaos.text("search", json!({ "query": "é", "maxResults": 10 })),
        "query=é max=10"
    );
    // The bound counts characters, not bytes.
    let longest = "é".repeat(500);
    assert_eq!(
        chaos.text("search", json!({ "query": longest })),
        format!("query={longest} max=5")
    );
    assert!(
        chaos
            .failure("search", json!({ "query": "é".repeat(501) }))
            .contains("500")
    );
}

#[test]
fn arguments_are_taken_as_hosts_send_them() {
    let mut chaos = setup().legacy();
    // Raw: `json!` would write the numbers in its own way.
    for (id, (tool, arguments, answer)) in [
        ("add", r#"{"a":5.0,"b":-1e2}"#, "-95"),
        (
            "add",
            r#"{"a":"9007199254740993","b":"-0.0"}"#,
            "9007199254740993",
        ),
        (
            "add",
            r#"{"a":9223372036854775807.0,"b":0}"#,
            "9223372036854775807",
        ),
        (
            "search",
            r#"{"query":"5","maxResults":"7"}"#,
            "query=5 max=7",
        ),
        (
            "search",
            r#"{"query":"null","maxResults":null}"#,
            "query=null max=5",
        ),
        (
            "search",
            r#"{"query":"a","maxResults":"50"}"#,
            "Invalid arguments: maxResults: must be at most 10",
        ),
        (
            "search",
            r#"{"query":"a","maxResults":null,"maxResults":5}"#,
            "Invalid arguments: maxResults: must be a whole number; maxResults: is given twice",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        chaos.line(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
        ));
        assert_eq!(
            rpc::text(rpc::result(&chaos.answer(id as u64))),
            answer,
            "{arguments}"
        );
    }
}

#[test]
fn a_failed_validation_is_one_complete_report_in_wire_names() {
    let mut chaos = setup().legacy();
    // Raw, since the report follows the order of the arguments.
    chaos.line(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"","maxResults":1000,"max_result":3}}}"#,
    );
    let answer = chaos.answer(1);
    assert!(rpc::is_error(rpc::result(&answer)));
    let text = rpc::text(rpc::result(&answer));
    assert_eq!(
        text,
        "Invalid arguments: query: must have at least 1 character; maxResults: must be at most 10; \
         unknown argument \"max_result\" (did you mean \"maxResults\"?)"
    );
}

#[test]
fn a_failed_validation_never_repeats_a_value() {
    let mut chaos = setup().legacy();
    let marker = "MARKER-8c1f";
    for (tool, arguments) in [
        ("add", json!({ "a": marker, "b": 1 })),
        ("add", json!({ "a": 1, "b": { marker: marker } })),
        ("search", json!({ "query": [marker] })),
        ("search", json!({ "query": marker.repeat(100) })),
        ("search", json!({ "query": "x", "maxResults": marker })),
        ("search", json!({ "query": "x", "unknown": marker })),
        ("whoami", json!({ "unknown": marker })),
    ] {
        let text = chaos.failure(tool, arguments.clone());
        assert!(!text.contains(marker), "{arguments}: {text}");
        assert!(text.starts_with("Invalid arguments"), "{text}");
    }
}

#[test]
fn missing_arguments_are_named() {
    let mut chaos = setup().legacy();
    for arguments in [json!({}), json!({ "maxResults": 3 })] {
        let text = chaos.failure("search", arguments);
        assert!(
            text.contains("query") && text.contains("required"),
            "{text}"
        );
    }
    let text = chaos.failure("add", json!({}));
    assert!(text.contains("a: ") && text.contains("b: "), "{text}");
    // No `arguments` at all is the same as none.
    let answer = chaos.request("tools/call", json!({ "name": "search" }));
    assert!(rpc::is_error(rpc::result(&answer)));
    let answer = chaos.request("tools/call", json!({ "name": "whoami" }));
    assert_eq!(rpc::text(rpc::result(&answer)), "local");
}

#[test]
fn wrong_types_are_reported_in_the_schemas_words() {
    let mut chaos = setup().legacy();
    for (arguments, name, expected) in [
        (json!({ "query": 5 }), "query", "string"),
        (json!({ "query": null }), "query", "string"),
        (
            json!({ "query": "x", "maxResults": "three" }),
            "maxResults",
            "whole number",
        ),
        (
            json!({ "query": "x", "maxResults": 2.5 }),
            "maxResults",
            "whole number",
        ),
        (json!({ "query": "x", "maxResults": -1 }), "maxResults", "1"),
        (
            json!({ "query": "x", "maxResults": 300 }),
            "maxResults",
            "10",
        ),
    ] {
        let text = chaos.failure("search", arguments.clone());
        assert!(
            text.contains(name) && text.contains(expected),
            "{arguments}: {text}"
        );
    }
}

#[test]
fn a_panic_is_contained_and_says_nothing() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        let text = chaos.failure("panic", json!({}));
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!rpc::reference(&text).is_empty());
        chaos.assert_alive();
    }
}

#[test]
fn panics_in_many_calls_at_once_answer_each() {
    let mut chaos = setup().legacy();
    for id in 0..200 {
        chaos.send_call(id, "panic", json!({}));
    }
    for id in 0..200 {
        assert!(rpc::is_error(rpc::result(&chaos.answer(id))));
    }
    chaos.assert_alive();
}

#[test]
fn an_internal_error_keeps_its_source_to_itself() {
    let mut chaos = setup().legacy();
    let text = chaos.failure("leak", json!({}));
    for secret in ["postgres", "prod_admin", "hunter2", "db/prod"] {
        assert!(!text.contains(secret), "{text}");
    }
    let again = chaos.failure("leak", json!({}));
    assert_ne!(rpc::reference(&text), rpc::reference(&again));
}

#[test]
fn a_user_error_reaches_the_client_word_by_word() {
    let mut chaos = setup().legacy();
    assert_eq!(
        chaos.failure("fail", json!({})),
        "Search rate limit reached. Try again in 60 seconds."
    );
}

fn names_the_timeout(text: &str) {
    assert!(text.contains("timed out"), "{text}");
    assert!(text.contains("500 ms") || text.contains("0.5 s"), "{text}");
}

#[test]
fn a_timeout_says_so_and_after_how_long() {
    let mut chaos = setup().legacy();
    assert_eq!(chaos.text("sleep", json!({ "ms": 10 })), "slept 10");
    names_the_timeout(&chaos.failure("sleep", json!({ "ms": 600_000 })));
    chaos.assert_alive();
}

#[test]
fn the_time_of_a_call_includes_its_wait() {
    let mut trace = Trace::new("waits-too-long");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..64 {
        chaos.send_call(id, "slow", json!({ "ms": 29_000 }));
    }
    trace.wait_for("start 29000");
    names_the_timeout(&chaos.failure("sleep", json!({ "ms": 1 })));
}

#[test]
fn a_blocking_tool_keeps_its_timeout() {
    let mut chaos = setup().legacy();
    assert_eq!(chaos.text("block", json!({ "ms": 10 })), "slept 10");
    names_the_timeout(&chaos.failure("block", json!({ "ms": 600_000 })));
    chaos.assert_alive();
    // And does not hold the process back when it is time to go.
    assert!(chaos.finish().is_empty());
}

#[test]
fn many_blocking_calls_do_not_stop_the_others() {
    let mut chaos = setup().legacy();
    for id in 0..40 {
        chaos.send_call(id, "block", json!({ "ms": 600_000 }));
    }
    chaos.send_call("quick", "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(chaos.next()["id"], "quick");
    for id in 0..40 {
        names_the_timeout(&rpc::text(rpc::result(&chaos.answer(id))));
    }
}

#[test]
fn a_result_above_its_limit_is_a_readable_error() {
    let mut chaos = setup().legacy();
    // More than the server's bound, less than this tool's own.
    assert_eq!(
        chaos.text("big", json!({ "bytes": 1_500_000 })).len(),
        1_500_000
    );
    let text = chaos.failure("big", json!({ "bytes": 3_000_000 }));
    assert!(text.contains("2 MiB") || text.contains("2097152"), "{text}");
    assert!(text.len() < 1000);
    assert_eq!(chaos.text("big", json!({ "bytes": 0 })), "(no result)");
    chaos.assert_alive();
}

#[test]
fn a_stray_print_does_not_reach_the_wire() {
    let mut chaos = setup().legacy();
    for _ in 0..20 {
        assert_eq!(chaos.text("print", json!({})), "printed");
    }
    assert!(chaos.finish().is_empty());
    assert!(
        chaos
            .log
            .all()
            .iter()
            .any(|line| line.contains("a stray line")),
        "{}",
        chaos.log.text()
    );
}

#[test]
fn the_caller_on_stdio_is_local_and_holds_every_scope() {
    let mut chaos = setup().legacy();
    assert_eq!(chaos.text("whoami", json!({})), "local");
    assert_eq!(chaos.text("admin", json!({})), "welcome");
}

#[test]
fn a_rate_limit_names_the_seconds_to_wait_and_counts_each_tool_apart() {
    let mut chaos = setup().env("CHAOS_RATE", "5/s").legacy();
    for id in 0..100 {
        chaos.send_call(id, "add", json!({ "a": id, "b": 1 }));
    }
    let answers: Vec<Value> = (0..100).map(|id| chaos.answer(id)).collect();
    let refused: Vec<String> = answers
        .iter()
        .map(rpc::result)
        .filter(|result| rpc::is_error(result))
        .map(rpc::text)
        .collect();
    assert!(
        refused.len() >= 100 - 30,
        "only {} of 100 were refused",
        refused.len()
    );
    assert!(refused.len() <= 95, "not even the burst was served");
    for text in refused {
        assert!(text.contains("second"), "{text}");
        assert!(
            text.chars().any(|character| character.is_ascii_digit()),
            "{text}"
        );
    }
    assert_eq!(
        chaos.text("search", json!({ "query": "x" })),
        "query=x max=5"
    );
}

#[test]
fn without_a_rate_no_caller_is_limited() {
    let mut trace = Trace::new("no-rate");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..1000 {
        chaos.send_call(id, "add", json!({ "a": id, "b": 1 }));
    }
    for id in 0..1000 {
        assert_eq!(
            rpc::text(rpc::result(&chaos.answer(id))),
            (id + 1).to_string()
        );
    }
    assert_eq!(chaos.text("slow", json!({ "ms": 1 })), "slept 1");
    trace.wait_for("start 1");
    trace.wait_for("done 1");
}

#[test]
fn a_type_that_explodes_when_decoded_does_not_delay_others() {
    let mut chaos = setup().env("CHAOS_NESTED", "1").legacy();
    let nested = |levels: usize, last: Value| {
        (1..levels).fold(last, |of, _| json!({ "of": of, "minus": 1 }))
    };
    let arguments = |levels, last| json!({ "expression": nested(levels, last) });
    assert_eq!(chaos.text("levels", arguments(8, json!({ "add": 1 }))), "8");
    for other in [json!({}), json!({ "of": null })] {
        assert_eq!(
            chaos.failure("levels", arguments(1, other)),
            "Invalid arguments: expression: must have exactly one of the members \"add\", \
             \"times\" or \"minus\""
        );
    }
    for levels in [12, 16, 40] {
        for last in [json!({ "add": 1 }), json!({ "add": "x" })] {
            // Decoding it would take longer than the call may.
            assert_eq!(
                chaos.failure("levels", arguments(levels + 1, last)),
                "Invalid arguments: expression: is nested too deeply to be decoded: send fewer levels"
            );
        }
    }
}
