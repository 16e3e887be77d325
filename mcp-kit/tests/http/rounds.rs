//! Questions of 2026-07-28 over HTTP: the rounds of a call, their statuses, and
//! replicas that share a key.

use garde::Validate;
use mcp_kit::auth::ApiKeys;
use mcp_kit::prelude::*;
use mcp_kit::testing::{Answer, TestClient, TestHttpClient};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Ask as _;
use crate::modern::message;

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
struct Number {
    #[garde(range(min = 1, max = 10))]
    n: u8,
}

/// Adds two numbers of the user.
#[tool]
async fn sum(client: Client) -> Result<String, ToolError> {
    let one = client.elicit::<Number>("one").await?.accepted();
    let two = client.elicit::<Number>("two").await?.accepted();
    match (one, two) {
        (Some(one), Some(two)) => Ok((one.n + two.n).to_string()),
        _ => Ok("no sum".to_owned()),
    }
}

fn server() -> Server {
    let keys = "alice:key-of-alice-0001,bob:key-of-bob-000002";
    Server::builder("rounds", "1.0.0")
        .state_key([3; 32])
        .tool::<sum>()
        .http(|http| http.authenticate(ApiKeys::from_list(keys).unwrap()))
        .build()
        .unwrap()
}

fn alice(server: &Server) -> TestHttpClient {
    TestClient::http(server).modern().key("key-of-alice-0001")
}

/// A call of a client that declares these capabilities.
fn calling(capabilities: Value, more: Value) -> Value {
    let mut params = json!({"name": "sum", "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }});
    for (name, value) in more.as_object().into_iter().flatten() {
        params[name] = value.clone();
    }
    message(1, "tools/call", params)
}

/// What the next round carries: the state, and a number for each question.
fn answered(result: &Value, n: u8) -> Value {
    let requests = result["inputRequests"].as_object().unwrap();
    let answer = json!({"action": "accept", "content": {"n": n}});
    let answers = requests.keys().map(|key| (key.clone(), answer.clone()));
    json!({
        "requestState": result["requestState"],
        "inputResponses": Value::Object(answers.collect()),
    })
}

#[tokio::test]
async fn a_question_without_its_capability_is_400() {
    let server = server();
    let client = alice(&server);
    for (capabilities, tool) in [
        (json!({}), "sum"),
        (json!({"sampling": {}, "elicitation": {"url": {}}}), "sum"),
    ] {
        let answer = client
            .ask(&calling(capabilities, json!({"name": tool})))
            .await;
        answer.refusal(400);
        let error = &answer.json()["error"];
        assert_eq!(error["code"], -32021);
        assert_eq!(
            error["data"]["requiredCapabilities"],
            json!({"elicitation": {}})
        );
        assert_eq!(answer.json()["id"], 1);
    }
}

#[tokio::test]
async fn rounds_may_reach_any_replica_that_has_the_key() {
    let (one, two) = (server(), server());
    let elicitation = || json!({"elicitation": {"form": {}}});
    let first = alice(&one)
        .ask(&calling(elicitation(), json!({})))
        .await
        .json();
    let first = &first["result"];
    assert_eq!(first["resultType"], "input_required");
    let next = calling(elicitation(), answered(first, 2));
    let second = alice(&two).ask(&next).await.json();
    let next = calling(elicitation(), answered(&second["result"], 3));
    assert_eq!(alice(&one).ask(&next).await.result(), "5");

    // Another caller, with everything that alice has sent.
    let bob = TestClient::http(&one).modern().key("key-of-bob-000002");
    let refused = bob.ask(&next).await.json();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

#[tokio::test]
async fn a_client_with_a_script_answers_until_the_call_is_complete() {
    let server = server();
    let number = |n: u8| Answer::accept(json!({"n": n}));
    // The second answer is not valid, so the question is asked again.
    let client = alice(&server).answers([number(4), number(11), number(5)]);
    let client = client.connect().await.unwrap();
    assert_eq!(client.call("sum", json!({})).await.text(), "9");
    let asked = client.asked();
    let messages: Vec<_> = asked.iter().map(|asked| asked.message()).collect();
    assert_eq!(messages[..2], ["one", "two"]);
    assert!(messages[2].starts_with("two\n\nThe last answer was refused"));

    let legacy = TestClient::http(&server).key("key-of-alice-0001");
    for client in [alice(&server), legacy] {
        let client = client.answer_with(|asked| match asked.message() {
            "one" => Answer::decline(),
            _ => Answer::cancel(),
        });
        let client = client.connect().await.unwrap();
        assert_eq!(client.call("sum", json!({})).await.text(), "no sum");
        assert_eq!(client.asked().len(), 2);
    }
}
