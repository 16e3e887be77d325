//! Middlewares around every message: what they see, refuse and replace.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crate::protocol;
use mcp_kit::extension::{
    Message, MessageMiddleware, MessageNext, MessageReply, ProtocolExtension,
};
use mcp_kit::prelude::*;
use mcp_kit::protocol::{Era, ProtocolVersion};
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{SubscriptionFilter, TestClient};
use mcp_kit::{Error, async_trait};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::log::Log;

mod params;
mod waiting;

/// Returns a text.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

/// Returns a text that changes.
#[resource(uri = "notes://one")]
async fn one() -> &'static str {
    "one"
}

/// Becomes a task.
#[tool(task)]
async fn long() -> &'static str {
    "done"
}

/// Waits until it is cancelled.
#[tool]
async fn waits(State(begun): State<Arc<Notify>>) {
    begun.notify_one();
    std::future::pending().await
}

async fn own() {}

fn builder() -> ServerBuilder {
    Server::builder("test", "1")
        .state(Arc::new(Notify::new()))
        .tool::<hello>()
        .tool::<long>()
        .tool::<waits>()
        .resource::<one>()
        .extension(ProtocolExtension::new("com.example/own").method_with(
            "own/method",
            own,
            mcp_kit::extension::ExtensionMethod::for_every_client,
        ))
}

/// Records what it sees: the method on the way in, and the answer after it.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl MessageMiddleware for Recorder {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        let method = message.method().to_owned();
        assert_eq!(
            message.is_notification(),
            method.starts_with("notifications/")
        );
        assert_eq!(message.principal().name(), "local");
        self.note(method.clone());
        let reply = next.run(message).await?;
        self.note(match (reply.as_json(), reply.error_code()) {
            (Some(result), None) => {
                assert!(result.starts_with('{'));
                format!("{method}: result")
            }
            (None, Some(code)) => format!("{method}: {code}"),
            _ => format!("{method}: handled"),
        });
        Ok(reply)
    }
}

fn both(methods: &[(&str, &str)]) -> Vec<String> {
    let each = methods.iter();
    each.flat_map(|(method, how)| [(*method).to_owned(), format!("{method}: {how}")])
        .collect()
}

#[tokio::test]
async fn every_message_of_a_legacy_client_passes() {
    let recorder = Recorder::default();
    let server = builder().message_layer(recorder.clone()).build().unwrap();
    let client = TestClient::new(&server).await;
    for (method, params) in [
        ("ping", json!({})),
        ("logging/setLevel", json!({"level": "info"})),
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "hello"})),
        ("resources/read", json!({"uri": "notes://one"})),
        ("resources/subscribe", json!({"uri": "notes://one"})),
        ("resources/unsubscribe", json!({"uri": "notes://one"})),
        ("no/such", json!({})),
    ] {
        let answer = client.request(method, params).await;
        assert_eq!(answer.is_err(), method == "no/such", "{method}: {answer:?}");
    }
    let seen = recorder.take();
    let expected = both(&[
        ("initialize", "result"),
        ("notifications/initialized", "handled"),
        ("ping", "result"),
        ("logging/setLevel", "result"),
        ("tools/list", "result"),
        ("tools/call", "result"),
        ("resources/read", "result"),
        ("resources/subscribe", "handled"),
        ("resources/unsubscribe", "handled"),
        ("no/such", "-32601"),
    ]);
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn every_message_of_a_modern_client_passes() {
    let recorder = Recorder::default();
    let server = builder().message_layer(recorder.clone()).build().unwrap();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .tasks()
        .connect()
        .await;
    for (method, params) in [
        ("server/discover", json!({})),
        ("resources/list", json!({})),
        ("tools/call", json!({"name": "hello"})),
        ("tools/call", json!({"name": "no"})),
        ("own/method", json!({})),
        ("ping", json!({})),
    ] {
        let _ = client.request(method, params).await;
    }
    let task = client.request("tools/call", json!({"name": "long"})).await;
    let id = task.unwrap()["taskId"].clone();
    let got = client.request("tasks/get", json!({"taskId": id})).await;
    assert!(got.is_ok(), "{got:?}");
    let watching = SubscriptionFilter::new().resource("notes://one");
    let subscription = client.subscribe(watching).await.unwrap();
    assert!(
        subscription
            .acknowledged()
            .to_string()
            .contains("notes://one")
    );
    let expected = both(&[
        ("server/discover", "result"),
        ("resources/list", "result"),
        ("tools/call", "result"),
        ("tools/call", "-32602"),
        ("own/method", "result"),
        ("ping", "-32601"),
        ("tools/call", "result"),
        ("tasks/get", "result"),
        ("subscriptions/listen", "handled"),
    ]);
    assert_eq!(recorder.take(), expected);
}

/// What a layer does with the messages of one method.
#[derive(Clone, Copy)]
enum Does {
    Refuse,
    Fail,
    Panic,
    PanicAfter,
    FailAfter,
    Answer,
    Mark,
    MarkLater,
}

struct At(&'static str, Does);

#[async_trait]
impl MessageMiddleware for At {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        if message.method() != self.0 {
            return next.run(message).await;
        }
        match self.1 {
            Does::Refuse => return Err(Error::forbidden("Not today.")),
            Does::Fail => return Err(Error::internal("hunter2")),
            Does::Panic => panic!("hunter2"),
            Does::Answer => return MessageReply::from_result(json!({"answered": true})),
            _ => {}
        }
        let reply = next.run(message).await?;
        match self.1 {
            Does::PanicAfter => panic!("hunter2"),
            Does::FailAfter => return Err(Error::internal("hunter2")),
            Does::MarkLater => tokio::time::sleep(Duration::from_millis(5)).await,
            _ => {}
        }
        let Some(mut result) = reply.to_value() else {
            return Ok(reply);
        };
        result["marked"] = json!(true);
        MessageReply::from_result(result)
    }
}

/// A request of each kind in each era.
fn requests(era: Era) -> Vec<(&'static str, Value)> {
    let mut all = vec![
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "hello"})),
        ("resources/read", json!({"uri": "notes://one"})),
    ];
    match era {
        Era::Modern => {
            all.push(("server/discover", json!({})));
            all.push(("own/method", json!({})));
        }
        _ => {
            all.push(("ping", json!({})));
            all.push(("logging/setLevel", json!({"level": "info"})));
        }
    }
    all
}

async fn with(version: ProtocolVersion, layer: impl MessageMiddleware) -> TestClient {
    let server = builder().message_layer(layer).build().unwrap();
    let client = TestClient::builder(&server).version(version);
    client.connect().await
}

const VERSIONS: [ProtocolVersion; 2] =
    [ProtocolVersion::NEWEST_LEGACY, ProtocolVersion::V2026_07_28];

#[tokio::test]
async fn a_layer_refuses_any_method() {
    for version in VERSIONS {
        for (method, params) in requests(version.era()) {
            let client = with(version, At(method, Does::Refuse)).await;
            let error = client.request(method, params).await.unwrap_err();
            let (code, message, data) = protocol(error);
            assert_eq!((code, &*message), (-32603, "Not today."), "{method}");
            assert_eq!(data["reason"], "forbidden");
        }
    }
    let watching = SubscriptionFilter::new().resource("notes://one");
    let layer = At("subscriptions/listen", Does::Refuse);
    let client = with(ProtocolVersion::V2026_07_28, layer).await;
    assert!(client.subscribe(watching).await.is_err());
    let layer = At("resources/subscribe", Does::Refuse);
    let client = with(ProtocolVersion::NEWEST_LEGACY, layer).await;
    let refused = client.request("resources/subscribe", json!({"uri": "notes://one"}));
    assert_eq!(refused.await.unwrap_err().code(), Some(-32603));
}

#[tokio::test]
async fn a_refused_handshake_opens_nothing() {
    for does in [Does::Refuse, Does::FailAfter, Does::PanicAfter] {
        let client = with(ProtocolVersion::NEWEST_LEGACY, At("initialize", does)).await;
        let error = client.request("tools/list", json!({})).await.unwrap_err();
        assert_eq!(error.code(), Some(-32602));
        assert!(error.to_string().contains("Not initialized"), "{error}");
    }
}

#[tokio::test]
async fn failures_and_panics_of_a_layer_are_contained_and_leak_nothing() {
    for version in VERSIONS {
        for does in [Does::Fail, Does::FailAfter, Does::Panic, Does::PanicAfter] {
            for (method, params) in requests(version.era()) {
                let log = Log::capture();
                let client = with(version, At(method, does)).await;
                let error = client.request(method, params.clone()).await.unwrap_err();
                let (code, message, _) = protocol(error);
                assert_eq!(code, -32603, "{method}");
                assert!(!message.contains("hunter2"), "{message}");
                let reference = message.split(['(', ')']).nth(1).unwrap();
                let reference = reference.strip_prefix("reference ").unwrap().to_owned();
                let lines = log.lines();
                let line = lines.iter().find(|line| line.get("reference") == reference);
                assert!(line.unwrap().get("error").contains("hunter2"), "{line:?}");
                let goes_on = client.request("resources/list", json!({})).await;
                assert!(goes_on.is_ok());
            }
        }
    }
}

#[tokio::test]
async fn a_layer_answers_in_place_of_any_method_and_changes_any_result() {
    for version in VERSIONS {
        for (method, params) in requests(version.era()) {
            let client = with(version, At(method, Does::Answer)).await;
            let answer = client.request(method, params.clone()).await.unwrap();
            assert_eq!(answer["answered"], true, "{method}");
            let is_complete = answer["resultType"] == "complete";
            assert_eq!(is_complete, version.era() == Era::Modern);
            for does in [Does::Mark, Does::MarkLater] {
                let client = with(version, At(method, does)).await;
                let plain = with(version, At("", does)).await;
                let mut marked = client.request(method, params.clone()).await.unwrap();
                let mark = marked.as_object_mut().unwrap().remove("marked");
                assert_eq!(mark, Some(json!(true)), "{method}");
                let plain = plain.request(method, params.clone()).await.unwrap();
                assert_eq!(marked, plain, "{method}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_notification_is_dropped() {
    let begun = Arc::new(Notify::new());
    for (does, is_cancelled) in [
        (Does::Refuse, false),
        (Does::Panic, false),
        (Does::Mark, true),
    ] {
        let server = Server::builder("test", "1")
            .state(Arc::clone(&begun))
            .tool::<waits>()
            .message_layer(At("notifications/cancelled", does));
        let client = TestClient::modern(&server.build().unwrap()).await;
        let call = client.request("tools/call", json!({"name": "waits"}));
        begun.notified().await;
        client.notify("notifications/cancelled", json!({"requestId": call.id()}));
        // It is handled before this one.
        client.request("tools/list", json!({})).await.unwrap();
        let again = json!({"jsonrpc": "2.0", "id": call.id(), "method": "tools/list", "params": {"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}
        }}});
        client.send_line(again.to_string());
        // The id is free again once the call was cancelled, and in use otherwise.
        if is_cancelled {
            assert!(call.await.unwrap()["tools"].is_array());
        } else {
            let refused = client.next_message().await.unwrap().to_string();
            assert!(refused.contains("still in flight"), "{refused}");
        }
    }
}

/// Layers of extensions are around every message too, in the order in which they were
/// added.
#[tokio::test]
async fn the_layer_that_was_added_first_is_outermost() {
    let (outer, inner) = (Recorder::default(), Recorder::default());
    let extension = ProtocolExtension::new("com.example/layers").message_layer(inner.clone());
    let server = builder()
        .message_layer(outer.clone())
        .message_layer(At("tools/list", Does::Refuse))
        .extension(extension)
        .build()
        .unwrap();
    let client = TestClient::modern(&server).await;
    assert!(client.request("tools/list", json!({})).await.is_err());
    assert!(client.request("resources/list", json!({})).await.is_ok());
    assert_eq!(inner.take(), both(&[("resources/list", "result")]));
    let mut seen = vec!["tools/list".to_owned()];
    seen.extend(both(&[("resources/list", "result")]));
    assert_eq!(outer.take(), seen);
}

/// Refuses calls of the tool with this name.
struct Without(&'static str);

#[async_trait]
impl MessageMiddleware for Without {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        let params: Option<Value> = message.read_params();
        if params.is_some_and(|params| params["name"] == self.0) {
            return Err(Error::forbidden("Not this tool."));
        }
        next.run(message).await
    }
}

/// A member of a batch that is refused before its method leaves nothing to a later one
/// with its id and method.
#[tokio::test]
async fn a_member_of_a_batch_passes_by_its_own_admission_alone() {
    let client = with(ProtocolVersion::V2025_03_26, Without("hello")).await;
    let call = |id: u32, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
    for early in [
        json!({"name": "no", "_meta": 5}),
        json!({"name": "no", "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}),
    ] {
        let secret = call(1, json!({"name": "hello"}));
        let free = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
        client.send_line(json!([call(1, early), secret, free]).to_string());
        let answers = client.next_message().await.unwrap().to_string();
        assert!(answers.contains("Not this tool."), "{answers}");
        assert!(answers.contains(r#""result":{}"#), "{answers}");
        assert!(!answers.contains("Hello!"), "{answers}");
    }
}
