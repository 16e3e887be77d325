//! Questions over stdio, by bare messages: those that the server sends in the legacy
//! era, and the rounds of a call in the modern one, its state, and effects that happen
//! once.

use serde_json::{Value, json};

use crate::process::{Chaos, Setup, setup};
use crate::rpc;
use crate::support::trace::Trace;

fn every_capability() -> Value {
    json!({ "elicitation": { "form": {} }, "sampling": {}, "roots": {} })
}

/// Sends a call from a client that declares every capability; returns its answer.
fn call(chaos: &mut Chaos, id: u64, params: Value) -> Value {
    request(chaos, id, "tools/call", params)
}

fn request(chaos: &mut Chaos, id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"] = rpc::meta("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = every_capability();
    chaos.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    chaos.answer(id)
}

/// Starts the process for a client of 2025-11-25 that declares every capability.
fn legacy(setup: Setup) -> Chaos {
    let mut chaos = setup.start();
    let mut hello = rpc::initialize(0, "2025-11-25");
    hello["params"]["capabilities"] = every_capability();
    chaos.send(&hello);
    rpc::result(&chaos.answer(0));
    chaos.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    chaos
}

/// The next message, which must be a question.
fn question(chaos: &mut Chaos, method: &str) -> Value {
    let question = chaos.next();
    assert_eq!(question["method"], method, "{question}");
    assert!(question.get("id").is_some(), "{question}");
    question
}

fn reply(chaos: &mut Chaos, question: &Value, result: Value) {
    chaos.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
}

/// What one request asks, and its answer once each question has `answer`, in the
/// legacy era and in the modern one.
fn in_both_eras(method: &str, params: &Value, asks: &str, answer: &Value) -> [(Value, Value); 2] {
    let mut chaos = legacy(setup());
    chaos.send_request(1, method, params.clone());
    let asked = question(&mut chaos, asks);
    reply(&mut chaos, &asked, answer.clone());
    let of_legacy = (asked["params"].clone(), chaos.answer(1));

    let mut chaos = setup().start();
    let round = request(&mut chaos, 1, method, params.clone());
    let round = rpc::result(&round);
    assert_eq!(round["resultType"], "input_required", "{round}");
    let (key, asked) = round["inputRequests"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    assert_eq!(asked["method"], asks);
    let mut next = params.clone();
    next["inputResponses"] = json!({ key: answer });
    next["requestState"] = round["requestState"].clone();
    let result = request(&mut chaos, 2, method, next);
    [of_legacy, (asked["params"].clone(), result)]
}

#[test]
fn a_model_and_a_user_are_asked_in_both_eras() {
    let words = json!({
        "role": "assistant", "content": { "type": "text", "text": "Short." }, "model": "m",
    });
    let summarise = json!({ "name": "summarise", "arguments": { "text": "A long text." } });
    for (asked, answer) in in_both_eras("tools/call", &summarise, "sampling/createMessage", &words)
    {
        assert_eq!(asked["maxTokens"], 100, "{asked}");
        let text = asked["messages"][0]["content"]["text"].as_str().unwrap();
        assert!(text.contains("A long text."), "{asked}");
        assert_eq!(rpc::text(rpc::result(&answer)), "summary: Short.");
    }
    let folders = json!({ "roots": [{ "uri": "file:///a" }, { "uri": "file:///b", "name": "b" }] });
    let roots = json!({ "name": "roots" });
    for (_, answer) in in_both_eras("tools/call", &roots, "roots/list", &folders) {
        assert_eq!(rpc::text(rpc::result(&answer)), "file:///a\nfile:///b");
    }
    let bees = json!({ "action": "accept", "content": { "topic": "bees" } });
    let prompt = json!({ "name": "ask_prompt" });
    for (asked, answer) in in_both_eras("prompts/get", &prompt, "elicitation/create", &bees) {
        let topic = &asked["requestedSchema"]["properties"]["topic"];
        assert_eq!(topic["type"], "string", "{asked}");
        let content = json!({ "type": "text", "text": "Write about bees." });
        let messages = json!([{ "role": "user", "content": content }]);
        assert_eq!(rpc::result(&answer)["messages"], messages);
    }
    let nothing = json!({ "action": "decline" });
    for (_, answer) in in_both_eras("prompts/get", &prompt, "elicitation/create", &nothing) {
        assert_eq!(rpc::code(&answer), -32603);
        assert!(rpc::message(&answer).contains("topic"), "{answer}");
    }
}

/// Pings are answered and other calls run; cancelling the call ends the question.
#[test]
fn a_legacy_question_holds_up_nothing_and_ends_with_its_call() {
    let mut trace = Trace::new("questions-legacy");
    let mut chaos = legacy(setup().env("CHAOS_TRACE", trace.path()));
    let confirm = json!({ "what": "delete it" });
    chaos.send_call(1, "confirm", confirm.clone());
    let first = question(&mut chaos, "elicitation/create");
    assert_eq!(first["params"]["message"], "Really delete it?");
    chaos.send(&json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" }));
    assert_eq!(chaos.answer("p")["result"], json!({}));
    chaos.assert_alive();
    chaos.cancel(1);
    let cancelled = chaos.next();
    assert_eq!(
        cancelled["method"], "notifications/cancelled",
        "{cancelled}"
    );
    assert_eq!(cancelled["params"]["requestId"], first["id"]);
    let sure = json!({ "action": "accept", "content": { "sure": true } });
    reply(&mut chaos, &first, sure.clone());
    chaos.expect_silence();
    assert!(!trace.has("effect delete it"));

    for (content, text) in [
        (json!({ "sure": "yes" }), "sure: "),
        (
            json!({ "sure": true, "reason": "x".repeat(101) }),
            "reason: ",
        ),
        (json!({}), "sure: "),
    ] {
        chaos.send_call(2, "confirm", confirm.clone());
        let asked = question(&mut chaos, "elicitation/create");
        let wrong = json!({ "action": "accept", "content": content });
        reply(&mut chaos, &asked, wrong);
        let answer = chaos.answer(2);
        let result = rpc::result(&answer);
        assert!(rpc::is_error(result), "{result}");
        assert!(rpc::text(result).contains(text), "{result}");
    }

    chaos.send_call(3, "two_questions", json!({}));
    for name in ["a", "b"] {
        let asked = question(&mut chaos, "elicitation/create");
        assert!(asked["params"]["requestedSchema"]["properties"][name].is_object());
        reply(
            &mut chaos,
            &asked,
            json!({ "action": "accept", "content": { name: 6 } }),
        );
    }
    assert_eq!(rpc::text(rpc::result(&chaos.answer(3))), "12");
    trace.wait_for_lines("first", 1);
    assert_eq!(trace.count("first"), 1);

    // A client that leaves ends what it was asked.
    chaos.send_call(4, "confirm", confirm);
    question(&mut chaos, "elicitation/create");
    chaos.close_input();
    chaos.rest();
    assert_eq!(chaos.wait().code(), Some(0));
    assert!(!trace.has("effect delete it"));
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

    // A changed state, another tool and other arguments, before any effect.
    let mut forged = next.clone();
    let state = forged["requestState"].as_str().unwrap().to_owned();
    forged["requestState"] = format!("{}x", &state[..state.len() - 1]).into();
    assert_eq!(rpc::code(&call(&mut chaos, 6, forged)), -32602);
    let mut other = next.clone();
    other["arguments"]["what"] = "delete all".into();
    assert_eq!(rpc::code(&call(&mut chaos, 7, other)), -32602);
    for (name, arguments) in [
        ("two_questions", json!({})),
        ("add", json!({ "a": 1, "b": 2 })),
    ] {
        let other = again(name, &arguments, &first, &sure);
        assert_eq!(rpc::code(&call(&mut chaos, 8, other)), -32602, "{name}");
    }
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
    trace.wait_for_lines("first", 1);
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
