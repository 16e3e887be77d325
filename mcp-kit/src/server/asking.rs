//! What a typed question sends, and how its answer is read: with a fake client
//! in place of a transport.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use garde::Validate;
use mcp_kit_macros::{ElicitForm, ToolArgs};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::messages::EnteredMessages;
use super::{Routed, Server, Session};
use crate::call::{
    Ask, AskFuture, Call, CallContext, Error, Origin, Question, RequestSource, Transport,
};
use crate::extract::{Client, Elicited, FromCall as _, SampleRequest};
use crate::protocol::message::{Frame, Message, decode};
use crate::protocol::{ClientCapabilities, ClientDetails, ProtocolVersion};
use crate::tool::{ToolDefinition, from_fn};

/// Answers questions in order, and records them.
struct Script {
    answers: Mutex<VecDeque<Value>>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

impl Ask for Script {
    fn ask(&self, _: &Arc<CallContext>, question: Question) -> AskFuture {
        let params = serde_json::from_str(question.params.get()).unwrap();
        self.asked.lock().unwrap().push((question.method, params));
        let answer = self.answers.lock().unwrap().pop_front().unwrap();
        Box::pin(async move { Ok::<Box<RawValue>, _>(to_raw_value(&answer).unwrap()) })
    }
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
struct Seat {
    /// Counted from the front.
    #[garde(range(min = 1, max = 30))]
    row: u8,
}

#[derive(Debug, Deserialize, JsonSchema, ToolArgs)]
#[tool_args(crate = crate)]
enum Meal {
    Soup,
    Salad,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
#[tool_args(crate = crate)]
struct Menu {
    #[garde(length(min = 1))]
    meals: Vec<Meal>,
}

async fn ask(kind: &str, client: Client) -> Result<String, Error> {
    fn text<T: std::fmt::Debug>(elicited: Elicited<T>) -> String {
        match elicited {
            Elicited::Accepted(value) => format!("{value:?}"),
            Elicited::Declined => "declined".to_owned(),
            Elicited::Cancelled => "cancelled".to_owned(),
        }
    }
    Ok(match kind {
        "seat" => text(client.elicit::<Seat>("Which seat?").await?),
        "menu" => text(client.elicit::<Menu>("Which meals?").await?),
        "url" => text(
            client
                .elicit_url("Log in.", "https://example.com/x")
                .await?,
        ),
        "bad url" => text(client.elicit_url("Log in.", "example.com").await?),
        "sample" => {
            let request = SampleRequest::new("Summarise.", 100)
                .system_prompt("Be short.")
                .temperature(0.5)
                .model_hint("small")
                .cost_priority(2.0);
            let sampled = client.sample(request).await?;
            format!("{}: {}", sampled.model(), sampled.text())
        }
        _ => format!("{:?}", client.roots().await?),
    })
}

/// Calls a tool that asks, as a client of this version that answers in order.
async fn run(
    version: ProtocolVersion,
    kind: &'static str,
    answers: Vec<Value>,
) -> (Value, Vec<(&'static str, Value)>) {
    let tool = from_fn(
        ToolDefinition::new("ask", "Asks."),
        async move |mut call: Call| {
            let client = Client::from_call(&mut call).await?;
            ask(kind, client).await
        },
    );
    let server = Server::builder("test", "1").add(tool).build().unwrap();
    let request = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask"}}"#;
    let Frame::One(Ok(Message::Request(request))) = decode(request, 1) else {
        panic!("a request");
    };
    let all = r#"{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}"#;
    let mut session = Session {
        principal: server.inner().local.clone(),
        version: Some(version),
        client: Some(Arc::new(ClientDetails {
            info: None,
            capabilities: ClientCapabilities::from_json(all),
            extensions: Vec::new(),
        })),
        log_level: None,
        origin: Origin::of(Transport::Streams),
        source: RequestSource::default(),
        has_stream: false,
        follows: None,
        entered: EnteredMessages::default(),
        read_at: tokio::time::Instant::now(),
    };
    let inner = server.inner();
    let Routed::Run(mut call) = inner.request(&mut session, &request, &mut Vec::new()) else {
        panic!("a call");
    };
    let script = Arc::new(Script {
        answers: Mutex::new(answers.into()),
        asked: Mutex::default(),
    });
    if !script.answers.lock().unwrap().is_empty() {
        call.ask_with(Arc::clone(&script) as Arc<dyn Ask>);
    }
    let answer = call.run(None).unwrap().await.unwrap();
    let asked = std::mem::take(&mut *script.asked.lock().unwrap());
    (serde_json::from_slice(&answer.json).unwrap(), asked)
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap()
}

const NEWEST: ProtocolVersion = ProtocolVersion::V2025_11_25;

#[tokio::test]
async fn form_is_sent_and_its_answer_is_decoded() {
    let accepted = json!({"action": "accept", "content": {"row": 4}});
    let (answer, asked) = run(NEWEST, "seat", vec![accepted.clone()]).await;
    assert_eq!(text(&answer), "Seat { row: 4 }");
    let params = json!({
        "mode": "form",
        "message": "Which seat?",
        "requestedSchema": {
            "type": "object",
            "properties": {"row": {
                "type": "integer", "description": "Counted from the front.",
                "minimum": 1, "maximum": 30
            }},
            "required": ["row"]
        }
    });
    assert_eq!(asked, [("elicitation/create", params)]);
    // The modes are from 2025-11-25.
    let (_, asked) = run(ProtocolVersion::V2025_06_18, "seat", vec![accepted]).await;
    assert_eq!(asked[0].1.get("mode"), None);
    for (action, outcome) in [("decline", "declined"), ("cancel", "cancelled")] {
        let (answer, _) = run(NEWEST, "seat", vec![json!({"action": action})]).await;
        assert_eq!(text(&answer), outcome);
    }
}

#[tokio::test]
async fn wrong_answer_ends_a_legacy_call_with_the_report() {
    for (wrong, report) in [
        (json!({"row": 31}), "row: must be at most 30"),
        (json!({}), "row: is required"),
        (json!({"row": 1, "seat": "A"}), "unknown argument \"seat\""),
        (json!([1]), "its content must be an object"),
        (Value::Null, "row: is required"),
    ] {
        let wrong = json!({"action": "accept", "content": wrong});
        let (answer, _) = run(NEWEST, "seat", vec![wrong]).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = text(&answer);
        assert!(
            text.starts_with("The client's answer to the form was refused: "),
            "{text}"
        );
        assert!(text.contains(report), "{text}");
    }
    for wrong in [
        json!({}),
        json!({"action": "ok"}),
        json!([]),
        json!(["accept"]),
        json!(1),
    ] {
        let (answer, _) = run(NEWEST, "seat", vec![wrong]).await;
        assert!(text(&answer).contains("is not a valid result"), "{answer}");
    }
}

#[tokio::test]
async fn choice_of_several_values_needs_2025_11_25() {
    let accepted = json!({"action": "accept", "content": {"meals": ["Soup", "Salad"]}});
    let (answer, _) = run(NEWEST, "menu", vec![accepted.clone()]).await;
    assert_eq!(text(&answer), "Menu { meals: [Soup, Salad] }");
    let (answer, asked) = run(ProtocolVersion::V2025_06_18, "menu", vec![accepted]).await;
    assert!(text(&answer).contains("since 2025-11-25"), "{answer}");
    assert!(asked.is_empty());
}

#[tokio::test]
async fn url_has_an_id_and_becomes_an_error_if_no_question_can_be_sent() {
    let (answer, asked) = run(NEWEST, "url", vec![json!({"action": "accept"})]).await;
    assert_eq!(text(&answer), "()");
    let (method, params) = &asked[0];
    assert_eq!(*method, "elicitation/create");
    assert_eq!(params["mode"], "url");
    assert_eq!(params["url"], "https://example.com/x");
    assert!(!params["elicitationId"].as_str().unwrap().is_empty());

    let (answer, _) = run(NEWEST, "url", Vec::new()).await;
    assert_eq!(answer["error"]["code"], -32042, "{answer}");
    let elicitation = &answer["error"]["data"]["elicitations"][0];
    assert_eq!(elicitation["mode"], "url");
    assert_eq!(elicitation["url"], "https://example.com/x");
    assert_eq!(elicitation["message"], "Log in.");
    assert!(elicitation["elicitationId"].is_string());

    let (answer, asked) = run(NEWEST, "bad url", vec![json!({})]).await;
    assert!(text(&answer).contains("internal error"), "{answer}");
    assert!(asked.is_empty());
}

#[tokio::test]
async fn sampling_sends_only_what_was_set() {
    let sampled = json!({
        "role": "assistant", "model": "m-1", "stopReason": "endTurn",
        "content": {"type": "text", "text": "Short."}
    });
    let (answer, asked) = run(NEWEST, "sample", vec![sampled]).await;
    assert_eq!(text(&answer), "m-1: Short.");
    let params = json!({
        "messages": [{"role": "user", "content": {"type": "text", "text": "Summarise."}}],
        "maxTokens": 100,
        "systemPrompt": "Be short.",
        "temperature": 0.5,
        "modelPreferences": {"hints": [{"name": "small"}], "costPriority": 1.0}
    });
    assert_eq!(asked, [("sampling/createMessage", params)]);
    let blocks = json!({"model": "m", "content": [
        {"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}
    ]});
    assert_eq!(
        text(&run(NEWEST, "sample", vec![blocks]).await.0),
        "m: a\nb"
    );
    for wrong in [
        json!({"model": "m"}),
        json!({"model": "m", "content": "x"}),
        json!([]),
    ] {
        let (answer, _) = run(NEWEST, "sample", vec![wrong]).await;
        assert!(text(&answer).contains("is not a valid result"), "{answer}");
    }
}

#[tokio::test]
async fn roots_are_listed() {
    let roots = json!({"roots": [{"uri": "file:///a", "name": "A"}, {"uri": "file:///b"}]});
    let (answer, asked) = run(NEWEST, "roots", vec![roots]).await;
    assert!(text(&answer).contains("file:///a"), "{answer}");
    assert!(text(&answer).contains("name: None"), "{answer}");
    assert_eq!(asked, [("roots/list", json!({}))]);
    let (answer, _) = run(NEWEST, "roots", vec![json!({"roots": "/"})]).await;
    assert!(text(&answer).contains("is not a valid result"), "{answer}");
}
