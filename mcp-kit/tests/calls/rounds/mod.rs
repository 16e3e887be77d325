//! Calls of 2026-07-28 whose handlers ask, in all their rounds, as a client without
//! a script of answers sees them.

mod keys;
mod once;
mod script;
mod state;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use garde::Validate;
use mcp_kit::call::{Call, CallInfo, Ending, Observer};
use mcp_kit::extract::FromCall as _;
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{RequestError, TestClient};
use mcp_kit::tool::{Tool, ToolDefinition, from_fn};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Number {
    #[garde(range(min = 1, max = 100))]
    n: i64,
}

/// Asks, and returns the number that the answer has.
async fn ask(client: &Client, message: &str) -> Result<i64, ToolError> {
    let answer = client.elicit::<Number>(message).await?;
    Ok(answer.accepted().map_or(0, |number| number.n))
}

pub(super) fn definition(name: &'static str) -> ToolDefinition {
    let schema = json!({"type": "object", "properties": {"x": {"type": "integer"}}});
    ToolDefinition::new(name, "Asks.").with_input_schema(schema)
}

/// A tool whose handler gets the client.
pub(super) fn asking<F>(
    name: &'static str,
    handler: impl Fn(Client) -> F + Clone + Send + Sync + 'static,
) -> impl Tool
where
    F: Future<Output = Result<String, ToolError>> + Send + 'static,
{
    from_fn(definition(name), move |mut call: Call| {
        let handler = handler.clone();
        async move { handler(Client::from_call(&mut call).await?).await }
    })
}

pub(super) fn in_sequence() -> impl Tool {
    asking("in_sequence", |client| async move {
        let one = ask(&client, "one").await?;
        let two = ask(&client, "two").await?;
        Ok(format!("{one} {two}"))
    })
}

pub(super) fn builder() -> ServerBuilder {
    Server::builder("rounds", "1.0.0").state_key([7; 32])
}

/// A client that speaks 2026-07-28 and declares elicitation.
pub(super) struct Modern(pub(super) TestClient);

/// The end of a round.
pub(super) struct Round {
    pub(super) requests: Value,
    pub(super) state: String,
}

impl Round {
    /// Returns the messages of its questions, in their order.
    pub(super) fn messages(&self) -> Vec<&str> {
        let requests = self.requests.as_object().unwrap();
        let message = |request: &'_ Value| request["params"]["message"].as_str().map(str::len);
        let texts = requests
            .values()
            .filter(|request| message(request).is_some());
        texts
            .filter_map(|request| request["params"]["message"].as_str())
            .collect()
    }

    /// Answers every question with a number, counted from `first`.
    pub(super) fn answers(&self, first: i64) -> Value {
        let keys = self.requests.as_object().unwrap().keys();
        let answers = keys.zip(first..).map(|(key, n)| (key.clone(), accepted(n)));
        Value::Object(answers.collect())
    }
}

pub(super) fn accepted(n: i64) -> Value {
    json!({"action": "accept", "content": {"n": n}})
}

impl Modern {
    pub(super) async fn new(server: &Server) -> Self {
        Self(TestClient::modern(server).await)
    }

    pub(super) async fn as_caller(server: &Server, name: &str) -> Self {
        let client = TestClient::builder(server)
            .version(mcp_kit::protocol::ProtocolVersion::V2026_07_28)
            .principal(Principal::unrestricted(name));
        Self(client.connect().await)
    }

    pub(super) async fn send(&self, mut params: Value, more: Value) -> Result<Value, RequestError> {
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        let capabilities = json!({"elicitation": {}});
        params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": capabilities});
        self.0.request("tools/call", params).await
    }

    /// Calls a tool, and returns the end of its first round.
    pub(super) async fn begin(&self, tool: &str) -> Round {
        let result = self.send(json!({"name": tool}), json!({})).await;
        round(result.unwrap())
    }

    /// Answers a round, and returns the result.
    pub(super) async fn answer(&self, tool: &str, round: &Round, answers: Value) -> Value {
        self.send(json!({"name": tool}), again(round, answers))
            .await
            .unwrap()
    }
}

pub(super) fn again(round: &Round, answers: Value) -> Value {
    json!({"requestState": round.state, "inputResponses": answers})
}

pub(super) fn round(result: Value) -> Round {
    assert_eq!(result["resultType"], "input_required", "{result}");
    assert!(result.get("content").is_none(), "{result}");
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "rounds"
    );
    Round {
        requests: result["inputRequests"].clone(),
        state: result["requestState"].as_str().unwrap().to_owned(),
    }
}

pub(super) fn text(result: &Value) -> &str {
    assert_eq!(result["resultType"], "complete", "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

pub(super) fn refused(result: Result<Value, RequestError>, words: &str) {
    let Err(RequestError::Protocol { code, message, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(code, -32602);
    assert!(message.contains(words), "{message}");
}

#[tokio::test]
async fn questions_in_sequence_take_a_round_each() {
    let server = builder().add(in_sequence()).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("in_sequence").await;
    assert_eq!(first.messages(), ["one"]);
    let request = first.requests.as_object().unwrap().values().next().unwrap();
    assert_eq!(request["method"], "elicitation/create");
    assert_eq!(
        request["params"]["requestedSchema"]["required"],
        json!(["n"])
    );
    let second = round(client.answer("in_sequence", &first, first.answers(1)).await);
    assert_eq!(second.messages(), ["two"]);
    let result = client
        .answer("in_sequence", &second, second.answers(2))
        .await;
    assert_eq!(text(&result), "1 2");
}

#[tokio::test]
async fn questions_of_one_poll_go_out_together_and_in_their_order() {
    let joined = asking("joined", |client| async move {
        let (one, two) = tokio::join!(ask(&client, "same"), async {
            let two = ask(&client, "same").await?;
            Ok::<_, ToolError>(two + ask(&client, "last").await?)
        });
        Ok(format!("{} {}", one?, two?))
    });
    let server = builder().add(joined).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("joined").await;
    assert_eq!(first.messages(), ["same", "same"]);
    let second = round(client.answer("joined", &first, first.answers(10)).await);
    assert_eq!(second.messages(), ["last"]);
    let result = client.answer("joined", &second, second.answers(5)).await;
    assert_eq!(text(&result), "10 16");
}

#[tokio::test]
async fn answers_without_a_state_and_states_without_a_question_answer_nothing() {
    let server = builder()
        .add(in_sequence())
        .add(from_fn(definition("plain"), async |_: Call| "done"))
        .build()
        .unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("in_sequence").await;
    let more = json!({"inputResponses": first.answers(1)});
    let result = client.send(json!({"name": "in_sequence"}), more).await;
    assert_eq!(round(result.unwrap()).messages(), ["one"]);
    // A tool that asks nothing ignores answers, and has no state.
    let plain = json!({"name": "plain"});
    let more = json!({"inputResponses": first.answers(1)});
    let result = client.send(plain.clone(), more).await.unwrap();
    assert_eq!(text(&result), "done");
    let more = again(&first, first.answers(1));
    refused(client.send(plain, more).await, "another request");
}

#[tokio::test]
async fn a_handler_cannot_turn_an_open_question_into_something_else() {
    let swallowing = asking("swallowing", |client| async move {
        let answer = ask(&client, "one")
            .await
            .map_err(|_| ToolError::user("swallowed"));
        Ok(answer.unwrap_or(-1).to_string())
    });
    let swallowed = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&swallowed);
    let server = builder()
        .layer(mcp_kit::middleware::from_fn(move |call, next| {
            let seen = Arc::clone(&seen);
            async move {
                let outcome = next.run(call).await;
                seen.fetch_add(1, Ordering::SeqCst);
                outcome.map_err(|_| ToolError::user("swallowed"))
            }
        }))
        .add(swallowing)
        .build()
        .unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("swallowing").await;
    assert_eq!(swallowed.load(Ordering::SeqCst), 0);
    let result = client.answer("swallowing", &first, first.answers(4)).await;
    assert_eq!(text(&result), "4");
    assert_eq!(swallowed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_spawned_task_may_ask_and_fails_when_the_round_ends() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let ended = Arc::new(Notify::new());
    let (kept, done) = (Arc::clone(&failures), Arc::clone(&ended));
    let spawning = asking("spawning", move |client| {
        let (kept, done) = (Arc::clone(&kept), Arc::clone(&done));
        let task = tokio::spawn(async move {
            let answer = ask(&client, "from a task").await;
            if let Err(error) = &answer {
                kept.lock().unwrap().push(error.has_message());
                done.notify_one();
            }
            answer
        });
        async move { Ok(task.await??.to_string()) }
    });
    let late = asking("late", {
        let (kept, done) = (Arc::clone(&failures), Arc::clone(&ended));
        move |client| {
            let (kept, done) = (Arc::clone(&kept), Arc::clone(&done));
            tokio::spawn(async move {
                let error = ask(&client, "too late").await.unwrap_err();
                kept.lock().unwrap().push(error.has_message());
                done.notify_one();
            });
            async { Ok("done".to_owned()) }
        }
    });
    let server = builder().add(spawning).add(late).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("spawning").await;
    assert_eq!(first.messages(), ["from a task"]);
    ended.notified().await;
    assert_eq!(*failures.lock().unwrap(), [false]);
    let result = client.answer("spawning", &first, first.answers(8)).await;
    assert_eq!(text(&result), "8");
    let result = client
        .send(json!({"name": "late"}), json!({}))
        .await
        .unwrap();
    assert_eq!(text(&result), "done");
    ended.notified().await;
    assert_eq!(*failures.lock().unwrap(), [false, false]);
}

#[tokio::test]
async fn a_question_that_is_no_longer_waited_for_is_not_sent() {
    let fickle = asking("fickle", |client| async move {
        let dropped = std::future::poll_fn(|cx| {
            let mut asked = Box::pin(ask(&client, "dropped"));
            assert!(asked.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        });
        dropped.await;
        Ok(ask(&client, "kept").await?.to_string())
    });
    let server = builder().add(fickle).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("fickle").await;
    assert_eq!(first.messages(), ["kept"]);
    let result = client.answer("fickle", &first, first.answers(3)).await;
    assert_eq!(text(&result), "3");
}

#[tokio::test]
async fn an_answer_that_is_not_valid_is_asked_for_again() {
    let server = builder().add(in_sequence()).build().unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("in_sequence").await;
    let second = round(
        client
            .answer("in_sequence", &first, first.answers(101))
            .await,
    );
    let message = second.messages()[0];
    assert!(
        message.starts_with("one\n\nThe last answer was refused: n: "),
        "{message}"
    );
    let third = round(
        client
            .answer("in_sequence", &second, second.answers(0))
            .await,
    );
    let fourth = round(client.answer("in_sequence", &third, third.answers(5)).await);
    assert_eq!(fourth.messages(), ["two"]);
    let result = client
        .answer("in_sequence", &fourth, fourth.answers(6))
        .await;
    assert_eq!(text(&result), "5 6");
}

#[tokio::test]
async fn a_client_is_not_asked_for_what_it_has_not_declared() {
    let server = builder().add(in_sequence()).build().unwrap();
    let client = TestClient::modern(&server).await;
    let result = client
        .request("tools/call", json!({"name": "in_sequence"}))
        .await;
    let Err(RequestError::Protocol {
        code,
        message,
        data,
    }) = result
    else {
        panic!("{result:?}");
    };
    assert_eq!(code, -32021);
    assert!(message.contains("\"elicitation\""), "{message}");
    assert_eq!(
        data.unwrap()["requiredCapabilities"],
        json!({"elicitation": {}})
    );
    // Before 2026-07-28 it is a result that the model reads.
    let client = TestClient::new(&server).await;
    let result = client.call("in_sequence", json!({})).await;
    assert!(result.is_error());
    assert!(
        result.text().contains("\"elicitation\""),
        "{}",
        result.text()
    );
    // Code has no client.
    let error = server
        .call(&Principal::unrestricted("job"), "in_sequence", json!({}))
        .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no way"), "{error}");
}

/// A call's outcome, and its logical call.
type End = (String, Option<String>);

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<End>>>);

impl Observer for Seen {
    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
        let logical = call.logical_call().map(str::to_owned);
        self.0
            .lock()
            .unwrap()
            .push((how.outcome().as_str().to_owned(), logical));
    }
}

#[tokio::test]
async fn every_round_is_a_call_and_all_have_one_logical_id() {
    let seen = Seen::default();
    let server = builder()
        .observer(seen.clone())
        .add(in_sequence())
        .rate_limit(Rate::per_minute(3))
        .build()
        .unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("in_sequence").await;
    let second = round(client.answer("in_sequence", &first, first.answers(1)).await);
    client
        .answer("in_sequence", &second, second.answers(2))
        .await;
    // Each round counts towards the rate.
    let fourth = client
        .answer("in_sequence", &second, second.answers(2))
        .await;
    assert_eq!(fourth["isError"], true);
    let seen = seen.0.lock().unwrap();
    let outcomes: Vec<_> = seen.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!(
        outcomes,
        ["input_required", "input_required", "ok", "rate_limited"]
    );
    assert!(seen[0].1.is_some());
    assert!(seen[..3].iter().all(|(_, logical)| *logical == seen[0].1));
    assert_eq!(seen[3].1, None);
}
