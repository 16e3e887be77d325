//! Middlewares that change the parameters of a message before it is handled.

use std::sync::{Arc, Mutex};

use garde::Validate;
use mcp_kit::Error;
use mcp_kit::async_trait;
use mcp_kit::extension::{
    Message, MessageMiddleware, MessageNext, MessageReply, ProtocolExtension,
};
use mcp_kit::extract::Task;
use mcp_kit::limits::Rate;
use mcp_kit::middleware::RateLimit;
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::{Answer, TestClient};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::{Recorder, VERSIONS};

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Text {
    #[garde(length(chars, max = 5))]
    text: String,
}

/// Returns its text.
#[tool]
async fn echo(args: Text) -> String {
    args.text
}

/// Needs a scope.
#[tool(scope = "admin")]
async fn secret() -> &'static str {
    "secret"
}

/// Reports once.
#[tool]
async fn reports(progress: Progress) -> &'static str {
    progress.report(1.0, None, None);
    "reported"
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Consent {}

/// Asks before it returns its text.
#[tool]
async fn asks(args: Text, client: Client) -> Result<String, ToolError> {
    client.elicit::<Consent>("Really?").await?;
    Ok(args.text)
}

/// Asks before it becomes a task, which returns its text.
#[tool(task)]
async fn asks_first(args: Text, client: Client, task: Task) -> Result<String, ToolError> {
    client.elicit::<Consent>("Really?").await?;
    task.begin().await?;
    Ok(args.text)
}

async fn own(args: Text) -> Map<String, Value> {
    Map::from_iter([("text".to_owned(), args.text.into())])
}

async fn noted(args: Text, State(seen): State<mpsc::UnboundedSender<String>>) {
    let _ = seen.send(args.text);
}

type Change = dyn Fn(&mut Value) + Send + Sync;

/// Changes the parameters of one method.
struct Changes(&'static str, Box<Change>);

#[async_trait]
impl MessageMiddleware for Changes {
    async fn handle(
        &self,
        mut message: Message,
        next: MessageNext<'_>,
    ) -> Result<MessageReply, Error> {
        if message.method() == self.0 {
            let mut params = message.read_params().unwrap_or_else(|| json!({}));
            self.1(&mut params);
            message.set_params(&params)?;
        }
        next.run(message).await
    }
}

fn server(method: &'static str, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Server {
    with_seen(method, change).0
}

fn with_seen(
    method: &'static str,
    change: impl Fn(&mut Value) + Send + Sync + 'static,
) -> (Server, mpsc::UnboundedReceiver<String>) {
    let (seen, received) = mpsc::unbounded_channel::<String>();
    let extension = ProtocolExtension::new("com.example/own")
        .legacy()
        .method_with(
            "own/echo",
            own,
            mcp_kit::extension::ExtensionMethod::for_every_client,
        )
        .notification("notifications/own/noted", noted);
    let server = Server::builder("test", "1")
        .state(seen)
        .local_scopes(["user"])
        .limits(|limits| limits.message_bytes = 4_096)
        .tool::<echo>()
        .tool::<secret>()
        .tool::<reports>()
        .tool::<asks>()
        .tool::<asks_first>()
        .extension(extension)
        .message_layer(Changes(method, Box::new(change)));
    (server.build().unwrap(), received)
}

async fn client(server: &Server, version: ProtocolVersion) -> TestClient {
    TestClient::builder(server).version(version).connect().await
}

#[tokio::test]
async fn changed_parameters_are_handled_and_seen_by_inner_layers() {
    for version in VERSIONS {
        let server = server("tools/call", |params| {
            params["name"] = "echo".into();
            params["arguments"] = json!({"text": "new"});
        });
        let client = client(&server, version).await;
        let result = client.call("renamed", json!({"text": "old"})).await;
        assert_eq!(result.text(), "new");
    }
    let inner = Arc::new(Mutex::new(None));
    struct Sees(Arc<Mutex<Option<Value>>>);
    #[async_trait]
    impl MessageMiddleware for Sees {
        async fn handle(
            &self,
            message: Message,
            next: MessageNext<'_>,
        ) -> Result<MessageReply, Error> {
            *self.0.lock().unwrap() = message.read_params();
            next.run(message).await
        }
    }
    let change = |params: &mut Value| params["arguments"] = json!({"text": "new"});
    let server = Server::builder("test", "1")
        .tool::<echo>()
        .message_layer(Changes("tools/call", Box::new(change)))
        .message_layer(Sees(Arc::clone(&inner)));
    let server = server.build().unwrap();
    let client = TestClient::modern(&server).await;
    assert_eq!(client.call("echo", json!({})).await.text(), "new");
    assert_eq!(
        inner.lock().unwrap().as_ref().unwrap()["arguments"]["text"],
        "new"
    );
}

#[tokio::test]
async fn changed_parameters_are_checked_like_those_of_a_client() {
    for version in VERSIONS {
        let long = server("tools/call", |params| {
            params["arguments"] = json!({"text": "longer than five", "more": 1});
        });
        let client = client(&long, version).await;
        let result = client.call("echo", json!({"text": "old"})).await;
        assert!(result.is_error());
        let text = result.text();
        assert!(text.contains("text: must have at most 5"), "{text}");
        assert!(text.contains("unknown argument \"more\""), "{text}");

        // What the caller may not use stays unknown.
        for name in ["secret", "none"] {
            let hidden = server("tools/call", move |params| params["name"] = name.into());
            let client = self::client(&hidden, version).await;
            let call = client.request("tools/call", json!({"name": "echo"}));
            assert_eq!(call.await.unwrap_err().code(), Some(-32602), "{name}");
        }
        let large = server("tools/call", |params| {
            params["arguments"]["text"] = "x".repeat(5_000).into();
        });
        let client = self::client(&large, version).await;
        let call = client.request("tools/call", json!({"name": "echo"}));
        let error = call.await.unwrap_err();
        assert_eq!(error.code(), Some(-32603));
        assert!(error.to_string().contains("internal error"), "{error}");
        let wrong = server("tools/list", |params| params["cursor"] = "made up".into());
        let client = self::client(&wrong, version).await;
        let list = client.request("tools/list", json!({}));
        assert_eq!(list.await.unwrap_err().code(), Some(-32602));
    }
}

#[tokio::test]
async fn limits_are_those_of_what_is_called_in_the_end() {
    let change = |params: &mut Value| params["name"] = "echo".into();
    let server = Server::builder("test", "1")
        .tool_with::<echo>(|tool| tool.layer(RateLimit::new(Rate::per_minute(1))))
        .tool::<secret>()
        .message_layer(Changes("tools/call", Box::new(change)));
    let client = TestClient::modern(&server.build().unwrap()).await;
    let arguments = json!({"text": "a"});
    assert_eq!(client.call("secret", arguments.clone()).await.text(), "a");
    assert!(client.call("other", arguments).await.is_error());
}

#[tokio::test]
async fn metadata_stays_that_of_the_client() {
    for version in VERSIONS {
        let server = server("tools/call", |params| {
            params["_meta"] = json!({"progressToken": "forged"});
        });
        let client = client(&server, version).await;
        let params = json!({"name": "reports", "_meta": {"progressToken": "mine"}});
        let result = client.request("tools/call", params).await.unwrap();
        assert_eq!(result["content"][0]["text"], "reported");
        let report = client.next_message().await.unwrap();
        assert_eq!(report["params"]["progressToken"], "mine", "{report}");
    }
}

#[tokio::test]
async fn methods_and_notifications_of_extensions_are_changed() {
    for version in VERSIONS {
        let server = server("own/echo", |params| params["text"] = "new".into());
        let client = client(&server, version).await;
        let answer = client.request("own/echo", json!({"text": "old"})).await;
        assert_eq!(answer.unwrap()["text"], "new");
    }
    let (server, mut seen) = with_seen("notifications/own/noted", |params| {
        params["text"] = "new".into();
    });
    let client = TestClient::builder(&server)
        .capabilities(json!({"extensions": {"com.example/own": {}}}))
        .connect()
        .await;
    client.notify("notifications/own/noted", json!({"text": "old"}));
    assert_eq!(seen.recv().await.unwrap(), "new");
}

/// A server whose middleware sets another text in each round.
fn server_with_text_of_rounds() -> Server {
    let round = Mutex::new(0);
    server("tools/call", move |params| {
        let mut round = round.lock().unwrap();
        *round += 1;
        params["arguments"] = json!({"text": round.to_string()});
    })
}

#[tokio::test]
async fn rounds_before_a_task_belong_to_what_the_client_sent() {
    let server = server_with_text_of_rounds();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .answers([Answer::accept(json!({}))])
        .tasks()
        .connect()
        .await;
    let task = client
        .call_as_task("asks_first", json!({"text": "sent"}))
        .await;
    assert_eq!(task.result().await.text(), "2");
}

#[tokio::test]
async fn rounds_of_a_call_belong_to_what_the_client_sent() {
    let server = server_with_text_of_rounds();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .answers([Answer::accept(json!({}))])
        .connect()
        .await;
    let result = client.call("asks", json!({"text": "sent"})).await;
    assert_eq!(result.text(), "2");

    // This client does not answer by itself.
    let client = TestClient::modern(&server).await;
    let ask = async |arguments: Value, state: Option<&Value>| {
        let mut params = json!({"name": "asks", "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}
        }});
        if let Some(state) = state {
            params["requestState"] = state.clone();
        }
        client.request("tools/call", params).await
    };
    let first = ask(json!({"text": "sent"}), None).await.unwrap();
    let state = &first["requestState"];
    assert!(state.is_string(), "{first}");
    assert!(ask(json!({"text": "sent"}), Some(state)).await.is_ok());
    let other = ask(json!({"text": "other"}), Some(state)).await;
    assert_eq!(other.unwrap_err().code(), Some(-32602));
}

#[tokio::test]
async fn parameters_of_the_handshake_and_of_subscriptions_are_changed() {
    let server = server("initialize", |params| {
        params["protocolVersion"] = "2025-06-18".into();
    });
    let client = TestClient::builder(&server).connect_silently();
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}
    });
    let opened = client.request("initialize", params).await.unwrap();
    assert_eq!(opened["protocolVersion"], "2025-06-18");

    let recorder = Recorder::default();
    let change = |params: &mut Value| params["notifications"] = json!(5);
    let server = super::builder()
        .message_layer(recorder.clone())
        .message_layer(Changes("subscriptions/listen", Box::new(change)));
    let client = TestClient::modern(&server.build().unwrap()).await;
    recorder.take();
    let listen = json!({"notifications": {"toolsListChanged": true}});
    let refused = client.request("subscriptions/listen", listen).await;
    assert_eq!(refused.unwrap_err().code(), Some(-32602));
    let expected = super::both(&[("subscriptions/listen", "-32602")]);
    assert_eq!(recorder.take(), expected);
}
