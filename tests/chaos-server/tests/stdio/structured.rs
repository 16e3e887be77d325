//! Results with an output schema, progress and log messages over stdio: their bytes in
//! both eras.

use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

/// The messages up to the answer with this id, which is the last one.
fn up_to(chaos: &mut Chaos, id: u64) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        messages.push(chaos.next());
        if messages.last().is_some_and(|message| message["id"] == id) {
            return messages;
        }
    }
}

#[test]
fn a_structured_result_keeps_its_schema_and_is_also_text() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        let list = chaos.request("tools/list", json!({}));
        let tools = rpc::result(&list)["tools"].as_array().unwrap();
        let tool = tools
            .iter()
            .find(|tool| tool["name"] == "structured")
            .unwrap();
        let schema = &tool["outputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        assert_eq!(schema["required"], json!(["n", "square"]));
        for n in [0, 7, 100] {
            let result = chaos.call("structured", json!({ "n": n }));
            let expected = json!({ "n": n, "square": n * n });
            assert_eq!(result["structuredContent"], expected);
            let text: Value = serde_json::from_str(&rpc::text(&result)).unwrap();
            assert_eq!(text, expected);
        }
        let text = chaos.failure("structured", json!({ "n": 101 }));
        assert!(text.contains("n: must be at most 100"), "{text}");
    }
}

#[test]
fn a_result_that_breaks_its_schema_is_an_internal_error_with_one_line() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        let result = chaos.call("bad_structured", json!({}));
        assert!(rpc::is_error(&result), "{result}");
        assert!(result.get("structuredContent").is_none(), "{result}");
        assert!(!result.to_string().contains("hunter2"), "{result}");
        let reference = rpc::reference(&rpc::text(&result));
        chaos.finish();
        let lines = chaos.log.all();
        let lines: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("bad_structured"))
            .collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = lines[0];
        for part in [&*reference, "internal_error", "n: must be a whole number"] {
            assert!(line.contains(part), "no {part}: {line}");
        }
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn progress_rises_by_one_and_precedes_the_answer() {
    for (mut chaos, meta) in [
        (setup().legacy(), json!({})),
        (setup().start(), rpc::meta("2026-07-28")),
    ] {
        for token in [json!("a token"), json!(7)] {
            let mut meta = meta.clone();
            meta["progressToken"] = token.clone();
            let arguments = json!({ "to": 3, "ms": 10 });
            let params = json!({ "name": "count", "arguments": arguments, "_meta": meta });
            chaos.send_request(1, "tools/call", params);
            let messages = up_to(&mut chaos, 1);
            let (answer, reports) = messages.split_last().unwrap();
            assert_eq!(rpc::text(rpc::result(answer)), "counted");
            let reports: Vec<_> = reports.iter().map(|report| &report["params"]).collect();
            assert_eq!(reports.len(), 3, "{reports:?}");
            for (at, report) in (1_u64..).zip(reports) {
                assert_eq!(report["progressToken"], token);
                assert_eq!(report["progress"].as_f64(), Some(at as f64));
                assert_eq!(report["total"].as_f64(), Some(3.0));
            }
        }
    }
    let mut chaos = setup().legacy();
    for arguments in [
        json!({ "to": 0, "ms": 0 }),
        json!({ "to": 1_001, "ms": 0 }),
        json!({ "to": 1, "ms": 101 }),
        json!({ "to": 1 }),
    ] {
        chaos.failure("count", arguments);
    }
    // Without a token nothing is reported.
    assert_eq!(chaos.text("count", json!({ "to": 3, "ms": 0 })), "counted");
    assert!(chaos.finish().is_empty());
}

#[test]
fn log_messages_reach_a_client_from_its_level_on() {
    let level = "io.modelcontextprotocol/logLevel";
    let log = |level: &str| json!({ "level": level, "text": "a message" });
    let logged = |messages: &[Value], expected: &str| {
        let [message, answer] = messages else {
            panic!("not a message and an answer: {messages:?}");
        };
        assert_eq!(message["method"], "notifications/message", "{message}");
        assert_eq!(message["params"]["level"], expected);
        assert_eq!(message["params"]["data"], "a message");
        assert_eq!(rpc::text(rpc::result(answer)), "logged");
    };

    let mut chaos = setup().legacy();
    let set = chaos.request("logging/setLevel", json!({ "level": "warning" }));
    assert_eq!(rpc::result(&set), &json!({}));
    chaos.send_call(1, "log", log("warning"));
    logged(&up_to(&mut chaos, 1), "warning");
    chaos.send_call(2, "log", log("notice"));
    assert_eq!(up_to(&mut chaos, 2).len(), 1);
    let wrong = chaos.request("logging/setLevel", json!({ "level": "loud" }));
    assert_eq!(rpc::code(&wrong), -32602);

    let mut chaos = setup().start();
    let call = |arguments: Value, least: Option<&str>| {
        let mut meta = rpc::meta("2026-07-28");
        if let Some(least) = least {
            meta[level] = json!(least);
        }
        json!({ "name": "log", "arguments": arguments, "_meta": meta })
    };
    chaos.send_request(1, "tools/call", call(log("alert"), Some("error")));
    logged(&up_to(&mut chaos, 1), "alert");
    for least in [None, Some("emergency")] {
        chaos.send_request(2, "tools/call", call(log("alert"), least));
        assert_eq!(up_to(&mut chaos, 2).len(), 1, "{least:?}");
    }
    chaos.send_request(3, "tools/call", call(log("alert"), Some("loud")));
    assert_eq!(rpc::code(&chaos.answer(3)), -32602);
    assert!(chaos.finish().is_empty());
}
