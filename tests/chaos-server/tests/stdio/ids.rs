//! Request ids: echoed exactly, or refused; unique among the calls in flight.

use serde_json::{Value, json};

use crate::process::{Trace, setup};
use crate::rpc;

fn ping(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

#[test]
fn integers_are_echoed_digit_by_digit() {
    let mut chaos = setup().legacy();
    for id in [
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
    ] {
        chaos.line(&ping(id));
        assert_eq!(chaos.next()["id"].to_string(), id);
    }
}

#[test]
fn strings_are_echoed_whatever_they_hold() {
    let mut chaos = setup().legacy();
    for id in [
        r#""""#,
        r#""1""#,
        r#""a \"quoted\" \\ id""#,
        r#""\u00e9\n\t\u0000\ud83d\ude00""#,
        r#""é😀""#,
        r#""</script>""#,
    ] {
        chaos.line(&ping(id));
        let expected: Value = serde_json::from_str(id).unwrap();
        assert_eq!(chaos.next()["id"], expected, "{id}");
    }
}

/// An id is kept and echoed, so its length has a limit: what the client wrote
/// between the quotes counts.
#[test]
fn an_id_of_1024_bytes_is_echoed_and_a_longer_one_is_refused_without_it() {
    let longest = ["i".repeat(1_024), r"\u0061".repeat(170), "é".repeat(512)];
    let too_long = [
        "i".repeat(1_025),
        r"\u0061".repeat(171),
        "é".repeat(513),
        "i".repeat(3 << 20),
    ];
    // Of the first one the second is the first message, which is answered
    // before the server's runtime is there.
    for first in [longest[0].clone(), too_long[0].clone()] {
        let mut chaos = setup().start();
        let mut initialize = rpc::initialize("open", "2025-03-26");
        initialize["id"] = json!(first);
        chaos.send(&initialize);
        let is_served = chaos.next()["id"] == json!(first);
        assert_eq!(is_served, first.len() == 1_024);
        if !is_served {
            chaos.initialize("2025-03-26");
        }
        for id in &longest {
            let id = format!("\"{id}\"");
            chaos.line(&ping(&id));
            let expected: Value = serde_json::from_str(&id).unwrap();
            assert_eq!(chaos.next()["id"], expected, "{id}");
        }
        let numbers = ["7".repeat(1_500), format!("-{}", "7".repeat(3 << 20))];
        let texts = too_long.iter().map(|id| format!("\"{id}\""));
        for id in texts.chain(numbers) {
            // By itself, and as a member of a batch.
            for message in [ping(&id), format!("[{}]", ping(&id))] {
                chaos.line(&message);
                let line = chaos.next_line().unwrap();
                assert!(line.len() < 300, "{line}");
                let answer = rpc::parse(&line);
                let answer = answer.get(0).unwrap_or(&answer);
                assert!(rpc::is_unaddressed(answer), "{answer}");
                assert_eq!(rpc::code(answer), -32600, "{answer}");
                let text = rpc::message(answer);
                assert!(text.contains("1024 bytes"), "{text}");
            }
            // Neither is an answer to anything, nor to be answered.
            chaos.line(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#));
            let params = format!(r#"{{"requestId":{id}}}"#);
            chaos.line(&format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#
            ));
        }
        chaos.expect_silence();
    }
}

#[test]
fn ids_of_other_kinds_are_refused_without_id() {
    let mut chaos = setup().legacy();
    for id in ["null", "true", "[]", "[1]", "{}", r#"{"id":1}"#] {
        chaos.line(&ping(id));
        let answer = chaos.next();
        assert!(rpc::is_unaddressed(&answer), "{id}: {answer}");
        assert_eq!(rpc::code(&answer), -32600, "{id}: {answer}");
    }
    chaos.assert_alive();
}

#[test]
fn numbers_that_no_integer_holds_are_echoed_exactly_or_refused() {
    let mut chaos = setup().legacy();
    for id in [
        "1.5",
        "1.0",
        "1e3",
        "-0.25",
        "18446744073709551616",
        "99999999999999999999999999",
        "1e400",
    ] {
        chaos.line(&ping(id));
        let answer = chaos.next();
        let echoed = answer["id"].to_string();
        assert!(
            echoed == id || rpc::is_unaddressed(&answer),
            "{id}: {answer}"
        );
    }
    chaos.assert_alive();
}

#[test]
fn a_duplicate_id_in_flight_is_refused_and_the_first_call_goes_on() {
    let mut trace = Trace::new("duplicate");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 700 }));
    trace.wait_for("start 700");
    chaos.send_call(1, "add", json!({ "a": 1, "b": 2 }));
    let refused = chaos.next();
    assert!(
        rpc::is_unaddressed(&refused),
        "it would end the first call: {refused}"
    );
    assert_eq!(rpc::code(&refused), -32600, "{refused}");
    let first = chaos.next();
    assert_eq!(first["id"], 1);
    assert_eq!(rpc::text(rpc::result(&first)), "slept 700");
    // Free again.
    chaos.send_call(1, "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(rpc::text(rpc::result(&chaos.next())), "3");
    assert!(chaos.finish().is_empty());
}

#[test]
fn a_duplicate_of_a_waiting_call_is_refused_too() {
    let mut trace = Trace::new("duplicate-waiting");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    for id in 0..64 {
        chaos.send_call(id, "slow", json!({ "ms": 500 }));
    }
    trace.wait_for("start 500");
    chaos.send_call("waiting", "add", json!({ "a": 1, "b": 2 }));
    chaos.send_call("waiting", "add", json!({ "a": 3, "b": 4 }));
    let refused = chaos.next();
    assert!(rpc::is_unaddressed(&refused), "{refused}");
    assert_eq!(rpc::text(rpc::result(&chaos.answer("waiting"))), "3");
    let rest = chaos.finish();
    assert_eq!(rest.len(), 64);
}

#[test]
fn a_number_and_the_same_digits_as_text_are_two_ids() {
    let mut trace = Trace::new("two-ids");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 400 }));
    trace.wait_for("start 400");
    chaos.send_call("1", "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(rpc::text(rpc::result(&chaos.answer("1"))), "3");
    assert_eq!(rpc::text(rpc::result(&chaos.answer(1))), "slept 400");
}

#[test]
fn escapes_do_not_make_another_id() {
    let mut trace = Trace::new("same-id");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call("a", "slow", json!({ "ms": 450 }));
    trace.wait_for("start 450");
    chaos.line(r#"{"jsonrpc":"2.0","id":"\u0061","method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}"#);
    assert!(rpc::is_unaddressed(&chaos.next()));
    assert_eq!(rpc::text(rpc::result(&chaos.next())), "slept 450");
}

#[test]
fn nothing_else_is_answered_with_the_id_of_a_call_in_flight() {
    let mut trace = Trace::new("id-in-flight");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).legacy();
    chaos.send_call(1, "slow", json!({ "ms": 800 }));
    trace.wait_for("start 800");
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"no/such/method"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"none"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"#,
    ] {
        chaos.line(line);
        let answer = chaos.next();
        assert!(rpc::is_unaddressed(&answer), "{line}: {answer}");
    }
    assert_eq!(rpc::text(rpc::result(&chaos.next())), "slept 800");
}
