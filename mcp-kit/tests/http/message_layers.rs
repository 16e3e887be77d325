//! Middlewares around messages over HTTP: what their changes mean for headers, scopes,
//! statuses, sessions and batches.

use mcp_kit::auth::ApiKeys;
use mcp_kit::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, TestHttpClient};
use mcp_kit::{Error, async_trait};
use serde_json::{Value, json};

use crate::client::Ask as _;
use crate::modern::message;

const ALICE: &str = "key-of-alice-0001";

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

/// Needs a scope.
#[tool(scope = "admin")]
async fn secret() -> &'static str {
    "secret"
}

/// A resource that clients can watch.
#[resource(uri = "watched://counter")]
async fn counter() -> &'static str {
    "1"
}

/// Calls of `from` become calls of `to`.
struct Renames(&'static str, &'static str);

#[async_trait]
impl MessageMiddleware for Renames {
    async fn handle(
        &self,
        mut message: Message,
        next: MessageNext<'_>,
    ) -> Result<MessageReply, Error> {
        if let Some(mut params) = message.read_params::<Value>()
            && params["name"] == self.0
        {
            params["name"] = self.1.into();
            message.set_params(&params)?;
        }
        next.run(message).await
    }
}

/// What is done with the answers of all requests, at once or after a wait.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    /// An error becomes a result.
    Excuses,
    /// A result becomes an error.
    Refuses,
    Nothing,
}

struct After(Does, bool);

#[async_trait]
impl MessageMiddleware for After {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        let is_request = !message.is_notification();
        let reply = next.run(message).await?;
        if self.1 {
            tokio::task::yield_now().await;
        }
        match (self.0, reply.error_code()) {
            (Does::Excuses, Some(_)) => MessageReply::from_result(json!({"excused": true})),
            (Does::Refuses, None) if is_request => Err(Error::forbidden("Not today.")),
            _ => Ok(reply),
        }
    }
}

fn http(layer: impl MessageMiddleware) -> TestHttpClient {
    TestClient::http(&server(layer)).key(ALICE)
}

fn server(layer: impl MessageMiddleware) -> Server {
    let keys = ApiKeys::from_list(&format!("alice:{ALICE}:user")).unwrap();
    Server::builder("test", "1")
        .tool::<hello>()
        .tool::<secret>()
        .resource::<counter>()
        .message_layer(layer)
        .http(|http| {
            let http = http.authenticate(keys).call_rate(None);
            #[cfg(feature = "sse")]
            let http = http.sse();
            http
        })
        .build()
        .unwrap()
}

#[tokio::test]
async fn headers_repeat_what_the_client_sent() {
    let client = http(Renames("greet", "hello")).modern();
    let call = message(1, "tools/call", json!({"name": "greet"}));
    let answer = client.ask(&call).await;
    assert_eq!(
        answer.json()["result"]["content"][0]["text"],
        "Hello!",
        "{answer:?}"
    );
    let other = client.header("mcp-name", "hello").ask(&call).await;
    other.refusal(400);
    assert_eq!(other.json()["error"]["code"], -32020);
}

#[tokio::test]
async fn scope_of_what_is_called_in_the_end_is_required() {
    let http = http(Renames("greet", "secret"));
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "greet"}});
    let modern = message(1, "tools/call", json!({"name": "greet"}));
    let session = http.clone().open_session().await.unwrap();
    for answer in [http.modern().ask(&modern).await, session.ask(&call).await] {
        let error = &answer.json()["error"];
        assert_eq!(error["code"], -32602, "{answer:?}");
        assert_eq!(error["message"], "Unknown tool: secret");
    }
}

#[tokio::test]
async fn status_is_that_of_the_answer_that_leaves() {
    let requests = [
        ("no/such", json!({}), 404),
        ("tools/call", json!({"name": "no"}), 200),
        ("subscriptions/listen", json!({"notifications": 5}), 400),
    ];
    for waits in [false, true] {
        for (method, params, status) in &requests {
            let request = message(1, method, params.clone());
            let plain = http(After(Does::Nothing, waits)).modern();
            let answer = plain.ask(&request).await;
            assert_eq!(answer.status, *status, "{method}, waits: {waits}");
            let excused = http(After(Does::Excuses, waits)).modern();
            let answer = excused.ask(&request).await;
            assert_eq!(answer.status, 200, "{method}, waits: {waits}");
            assert_eq!(answer.json()["result"]["excused"], true, "{answer:?}");
        }
        // One that would be a stream is refused as a whole.
        let refused = http(After(Does::Refuses, waits)).modern();
        let listen = json!({"notifications": {"toolsListChanged": true}});
        let answer = refused
            .ask(&message(1, "subscriptions/listen", listen))
            .await;
        answer.refusal(400);
        assert_eq!(answer.json()["error"]["code"], -32603, "waits: {waits}");
    }
}

#[tokio::test]
async fn resources_are_watched_in_sessions() {
    for waits in [false, true] {
        let server = server(After(Does::Nothing, waits));
        let session = TestClient::http(&server).key(ALICE);
        let session = session.open_session().await.unwrap();
        let ask = async |method: &str| {
            let uri = json!({"uri": "watched://counter"});
            let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": uri});
            let answer = session.post(&request).await.json().await;
            assert_eq!(answer["result"], json!({}), "{method}: {answer}");
        };
        ask("resources/subscribe").await;
        server.updates().notify("watched://counter");
        let event = session.get().await.next_event().await.unwrap().json();
        assert_eq!(event["method"], "notifications/resources/updated");
        ask("resources/unsubscribe").await;
    }
}

#[tokio::test]
async fn handshake_that_is_refused_opens_no_session() {
    for waits in [false, true] {
        let client = http(After(Does::Refuses, waits));
        assert!(client.clone().open_session().await.is_err());
        let initialize = crate::client::initialize("2025-11-25");
        let answer = client.ask(&initialize).await;
        assert_eq!(
            answer.json()["error"]["message"],
            "Not today.",
            "{answer:?}"
        );
        assert!(!answer.headers.contains_key("mcp-session-id"), "{answer:?}");
    }
}

#[cfg(feature = "sse")]
#[tokio::test]
async fn resources_are_watched_on_the_stream_of_2024() {
    for waits in [false, true] {
        let server = server(After(Does::Nothing, waits));
        let client = TestClient::http(&server).key(ALICE).connect_sse().await;
        let client = client.unwrap();
        let uri = json!({"uri": "watched://counter"});
        let watched = client.request("resources/subscribe", uri).await;
        assert!(watched.is_ok(), "{watched:?}");
        server.updates().notify("watched://counter");
        let update = client.next_message().await.unwrap();
        assert_eq!(update["method"], "notifications/resources/updated");
    }
}

#[cfg(feature = "sse")]
#[tokio::test]
async fn members_of_a_batch_pass_the_layers_on_the_stream_of_2024() {
    use mcp_kit::protocol::ProtocolVersion;

    for waits in [false, true] {
        let http = http(After(Does::Excuses, waits)).version(ProtocolVersion::V2025_03_26);
        let client = http.connect_sse().await.unwrap();
        let request = |id: &str, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let batch = json!([
            request("a", "ping", json!({})),
            request("b", "tools/call", json!({"name": "hello"})),
            request("c", "tools/call", json!({"name": "no"})),
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            request("d", "no/such", json!({})),
        ]);
        client.send_line(batch.to_string());
        let answers = client.next_message().await.unwrap();
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 4, "{answers:?}");
        let of = |id: &str| &answers.iter().find(|answer| answer["id"] == id).unwrap()["result"];
        assert_eq!(of("a"), &json!({}));
        assert_eq!(of("b")["content"][0]["text"], "Hello!");
        assert_eq!(of("c"), &json!({"excused": true}));
        assert_eq!(of("d"), &json!({"excused": true}));
    }
}
