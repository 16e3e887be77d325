//! Extensions, and middlewares around every message, over HTTP.

use std::sync::{Arc, Mutex};

use mcp_kit::auth::ApiKeys;
use mcp_kit::extension::{
    Message, MessageMiddleware, MessageNext, MessageReply, ProtocolExtension,
};
use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, TestHttpClient};
use mcp_kit::{Error, async_trait};
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::client::{Ask as _, read as read_answer};
use crate::modern::message;

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Note {
    /// The note.
    #[serde(rename = "noteId")]
    #[garde(skip)]
    id: String,
}

async fn get(note: Note) -> Map<String, Value> {
    Map::from_iter([("note".to_owned(), note.id.into())])
}

async fn secret() {}

async fn announces(client: Client) -> Result<(), Error> {
    client.notify("notifications/notes/changed", json!({"notes": 3}))
}

async fn read(note: Note, State(seen): State<mpsc::UnboundedSender<String>>) {
    let _ = seen.send(note.id);
}

const NOTES: &str = "com.example/notes";

fn notes() -> ProtocolExtension {
    ProtocolExtension::new(NOTES)
        .legacy()
        .method_with("notes/get", get, |method| {
            method.name_parameter("noteId").for_every_client()
        })
        .method_with("notes/secret", secret, |method| {
            method.scope("admin").for_every_client()
        })
        .method("notes/declared", secret)
        .method("notes/announces", announces)
        .notification("notifications/notes/read", read)
        .sends("notifications/notes/changed")
}

fn client() -> TestHttpClient {
    let (seen, _) = mpsc::unbounded_channel::<String>();
    let server = Server::builder("test", "1").state(seen).extension(notes());
    TestClient::http(&server.build().unwrap()).modern()
}

#[tokio::test]
async fn mcp_name_repeats_the_parameter_of_a_method() {
    let client = client();
    let request = message(1, "notes/get", json!({"noteId": "ä 1"}));
    let encoded = client.clone().header("mcp-name", "=?base64?w6QgMQ==?=");
    // The client adds it by itself too.
    for right in [&encoded, &client] {
        let answer = right.ask(&request).await;
        assert_eq!(answer.json()["result"]["note"], "ä 1", "{answer:?}");
    }
    for wrong in [
        client.clone().header("mcp-name", "2"),
        encoded.clone().header("mcp-method", "notes/secret"),
    ] {
        let answer = wrong.ask(&request).await;
        answer.refusal(400);
        assert_eq!(answer.json()["error"]["code"], -32020);
    }
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "notes/get"),
    ];
    let body = request.to_string();
    let missing = client.bare("POST", client.path(), &headers, &body);
    let answer = read_answer(missing.await).await;
    answer.refusal(400);
    assert_eq!(answer.json()["error"]["code"], -32020);
}

#[tokio::test]
async fn statuses_of_methods_are_those_of_the_protocol() {
    let client = client();
    for (method, status, code) in [
        ("notes/unknown", 404, -32601),
        ("notes/secret", 404, -32601),
        ("notes/declared", 400, -32021),
        ("notes/get", 200, -32602),
    ] {
        let answer = client.ask(&message(1, method, json!({}))).await;
        assert_eq!(answer.status, status, "{method}: {answer:?}");
        assert_eq!(answer.json()["error"]["code"], code, "{method}");
    }
}

async fn both(client: TestHttpClient) -> [TestClient; 2] {
    let client = client.capabilities(json!({"extensions": {NOTES: {}}}));
    let legacy = client
        .clone()
        .version(mcp_kit::protocol::ProtocolVersion::NEWEST_LEGACY);
    [
        legacy.connect().await.unwrap(),
        client.modern().connect().await.unwrap(),
    ]
}

#[tokio::test]
async fn notifications_arrive_in_both_directions() {
    let (seen, mut notes_read) = mpsc::unbounded_channel::<String>();
    let server = Server::builder("test", "1").state(seen).extension(notes());
    let server = server.build().unwrap();
    for client in both(TestClient::http(&server)).await {
        client.notify("notifications/notes/read", json!({"noteId": "7"}));
        assert_eq!(notes_read.recv().await.unwrap(), "7");
        client.request("notes/announces", json!({})).await.unwrap();
        let sent = client.next_message().await.unwrap();
        assert_eq!(sent["method"], "notifications/notes/changed");
        assert_eq!(sent["params"], json!({"notes": 3}));
    }
}

/// Records the methods, refuses some, and holds others until there is a permit.
#[derive(Clone)]
struct Layer {
    seen: Arc<Mutex<Vec<String>>>,
    refuses: &'static str,
    holds: &'static str,
    permits: Arc<Semaphore>,
}

#[async_trait]
impl MessageMiddleware for Layer {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        let method = message.method().to_owned();
        assert_eq!(message.principal().name(), "alice");
        self.seen.lock().unwrap().push(method.clone());
        if method == self.refuses {
            return Err(Error::forbidden("Not today."));
        }
        if method == self.holds {
            self.permits.acquire().await?.forget();
        }
        let reply = next.run(message).await?;
        tokio::task::yield_now().await;
        Ok(reply)
    }
}

/// A tool.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

fn layered(refuses: &'static str, holds: &'static str) -> (Layer, TestHttpClient) {
    let layer = Layer {
        seen: Arc::default(),
        refuses,
        holds,
        permits: Arc::new(Semaphore::new(0)),
    };
    let keys = ApiKeys::from_list("alice:key-of-alice-0001").unwrap();
    let (seen, _) = mpsc::unbounded_channel::<String>();
    let server = Server::builder("test", "1")
        .state(seen)
        .tool::<hello>()
        .extension(notes())
        .message_layer(layer.clone())
        .http(|http| http.authenticate(keys))
        .build()
        .unwrap();
    (layer, TestClient::http(&server).key("key-of-alice-0001"))
}

#[tokio::test]
async fn every_message_passes_the_layers() {
    let (layer, http) = layered("", "");
    for client in both(http).await {
        let is_modern = client.request("ping", json!({})).await.is_err();
        assert!(client.request("tools/list", json!({})).await.is_ok());
        assert_eq!(client.call("hello", json!({})).await.text(), "Hello!");
        let unknown = client.request("no/such", json!({})).await;
        assert_eq!(unknown.unwrap_err().code(), Some(-32601));
        assert!(client.request("notes/declared", json!({})).await.is_ok());
        let mut seen = std::mem::take(&mut *layer.seen.lock().unwrap());
        seen.retain(|method| !method.starts_with("initialize") && !method.contains("initialized"));
        let methods = [
            "ping",
            "tools/list",
            "tools/call",
            "no/such",
            "notes/declared",
        ];
        assert_eq!(seen, methods, "modern: {is_modern}");
    }
}

#[tokio::test]
async fn a_layer_refuses_over_http() {
    for method in ["tools/list", "tools/call", "notes/declared"] {
        let (_, http) = layered(method, "");
        for client in both(http).await {
            let params = json!({"name": "hello"});
            let error = client.request(method, params).await.unwrap_err();
            assert_eq!(error.code(), Some(-32603), "{method}: {error}");
            assert!(error.to_string().contains("Not today."), "{error}");
        }
    }
    let (_, http) = layered("initialize", "");
    let client = http.connect().await;
    assert!(
        client.is_err()
            || client
                .unwrap()
                .http_client()
                .unwrap()
                .session_id()
                .is_none()
    );
}

#[tokio::test]
async fn a_layer_waits_over_http() {
    let (layer, http) = layered("", "tools/call");
    for client in both(http).await {
        let call = client.call("hello", json!({}));
        // Each request is on its own.
        assert!(client.request("tools/list", json!({})).await.is_ok());
        layer.permits.add_permits(1);
        assert_eq!(call.await.text(), "Hello!");
    }
}

#[tokio::test]
async fn a_method_does_not_exist_for_a_key_without_its_scope() {
    let keys = ApiKeys::from_list("alice:key-of-alice-0001:admin,bob:key-of-bob-000002").unwrap();
    let (seen, _) = mpsc::unbounded_channel::<String>();
    let server = Server::builder("test", "1")
        .state(seen)
        .extension(notes())
        .http(|http| http.authenticate(keys))
        .build()
        .unwrap();
    for (key, is_there) in [("key-of-alice-0001", true), ("key-of-bob-000002", false)] {
        for client in both(TestClient::http(&server).key(key)).await {
            let answer = client.request("notes/secret", json!({})).await;
            assert_eq!(answer.is_ok(), is_there, "{answer:?}");
            if let Err(error) = answer {
                assert_eq!(error.code(), Some(-32601), "{error}");
            }
        }
    }
}
