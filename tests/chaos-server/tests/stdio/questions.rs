//! Questions of the modern era over stdio, by bare messages: the rounds of a call,
//! its state, and effects that happen once.

use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;
use crate::support::trace::Trace;

/// Sends a call from a client that declares every capability; returns its answer.
fn call(chaos: &mut Chaos, id: u64, params: Value) -> Value {
    let mut params = params;
    params["_meta"] = rpc::meta("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "elicitation": { "form": {} }, "sampling": {}, "roots": {} });
    let method = "tools/call";
    chaos.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    chaos.answer(id)
}

/// The parameters of the round after `round`, with this answer to each question.
fn again(name: &str, arguments: &Value, round: &Value, answer: &Value) -> Value {
    let round = rpc::result(round);
    assert_eq!(round["resultType"], "input_required", "{round}");
    let requests = round["inputRequests"].as_object().unwrap();
    let answers = requests.keys().map(|key| (key.clone(), answer.clone()));
    json!({
        "name": name,
        "arguments": arguments,
        "inputResponses": Value::Object(answers.collect()),
        "requestState": round["requestState"],
    })
}

#[test]
fn an_effect_happens_once_however_often_a_round_is_sent() {
    let mut trace = Trace::new("questions-effect");
    let start = || {
        let chaos = setup().env("CHAOS_TRACE", trace.path());
        chaos.env("CHAOS_STATE_KEY", "of this test").start()
    };
    let (mut chaos, mut replica) = (start(), start());
    let arguments = json!({ "what": "delete it" });
    let first = call(
        &mut chaos,
        1,
        json!({ "name": "confirm", "arguments": arguments }),
    );
    let question = &rpc::result(&first)["inputRequests"].as_object().unwrap();
    let question = question.values().next().unwrap();
    assert_eq!(question["params"]["message"], "Really delete it?");
    for (action, content, text) in [
        ("decline", Value::Null, "declined"),
        ("cancel", Value::Null, "cancelled"),
        ("accept", json!({ "sure": false }), "declined"),
    ] {
        let mut answer = json!({ "action": action });
        if !content.is_null() {
            answer["content"] = content;
        }
        let result = call(&mut chaos, 2, again("confirm", &arguments, &first, &answer));
        assert_eq!(rpc::text(rpc::result(&result)), text);
    }
    let sure = json!({ "action": "accept", "content": { "sure": true } });
    let next = again("confirm", &arguments, &first, &sure);
    for id in 3..6 {
        let result = call(&mut chaos, id, next.clone());
        assert_eq!(rpc::text(rpc::result(&result)), "done delete it");
    }
    trace.wait_for_lines("effect delete it", 1);

    // A changed state, and other arguments, before any effect.
    let mut forged = next.clone();
    let state = forged["requestState"].as_str().unwrap().to_owned();
    forged["requestState"] = format!("{}x", &state[..state.len() - 1]).into();
    assert_eq!(rpc::code(&call(&mut chaos, 6, forged)), -32602);
    let mut other = next.clone();
    other["arguments"]["what"] = "delete all".into();
    assert_eq!(rpc::code(&call(&mut chaos, 7, other)), -32602);
    assert_eq!(trace.count("effect delete it"), 1);
    assert!(!trace.has("effect delete all"));

    // Another process has the key; what this one has done it cannot know.
    let result = call(&mut replica, 1, next);
    assert_eq!(rpc::text(rpc::result(&result)), "done delete it");
    assert!(chaos.finish().is_empty());
}

#[test]
fn two_questions_take_two_rounds_and_the_step_between_them_runs_once() {
    let mut trace = Trace::new("questions-two");
    let mut chaos = setup().env("CHAOS_TRACE", trace.path()).start();
    let first = call(&mut chaos, 1, json!({ "name": "two_questions" }));
    let a = json!({ "action": "accept", "content": { "a": 4 } });
    let second = call(
        &mut chaos,
        2,
        again("two_questions", &json!({}), &first, &a),
    );
    let b = json!({ "action": "accept", "content": { "b": 5 } });
    let sum = call(
        &mut chaos,
        3,
        again("two_questions", &json!({}), &second, &b),
    );
    assert_eq!(rpc::text(rpc::result(&sum)), "9");
    assert_eq!(trace.count("first"), 1);
    assert_eq!(chaos.finish(), [] as [Value; 0]);
}

#[test]
fn a_state_has_the_lifetime_that_the_server_sets() {
    let mut chaos = setup().env("CHAOS_STATE_TTL", "1ms").start();
    let first = call(&mut chaos, 1, json!({ "name": "two_questions" }));
    // Reading and writing the next message takes longer, or one after it.
    let a = json!({ "action": "accept", "content": { "a": 4 } });
    let next = again("two_questions", &json!({}), &first, &a);
    let mut id = 2;
    let refused = loop {
        let answer = call(&mut chaos, id, next.clone());
        if answer.get("error").is_some() {
            break answer;
        }
        id += 1;
    };
    assert_eq!(rpc::code(&refused), -32602);
    assert!(rpc::message(&refused).contains("expired"));
}

#[test]
fn a_client_that_declares_nothing_is_not_asked() {
    let mut chaos = setup().modern();
    for tool in ["two_questions", "roots"] {
        let answer = chaos.request("tools/call", json!({ "name": tool }));
        assert_eq!(rpc::code(&answer), -32021, "{tool}");
    }
    let mut chaos = setup().legacy();
    let text = chaos.failure("two_questions", json!({}));
    assert!(text.contains("\"elicitation\""), "{text}");
}
