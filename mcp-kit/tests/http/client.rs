//! What the tests over HTTP share: messages, and answers that were read to their end.

use http::{HeaderMap, Request, StatusCode};
use mcp_kit::auth::{AuthError, Authenticator, Credentials};
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::{Event, TestClient};
pub use mcp_kit::testing::{HttpResponse, TestHttpClient};
use mcp_kit::{Principal, Server, async_trait};
use serde_json::{Value, json};

/// Believes every caller: the key is the name.
pub struct Names;

#[async_trait]
impl Authenticator for Names {
    async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        Ok(of.api_key().map(|name| Principal::new(name, [""; 0])))
    }
}

/// A response that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The text of a call's result.
    #[track_caller]
    pub fn result(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        result(&self.json())
    }

    /// The message of a refusal.
    #[track_caller]
    pub fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let json = self.json();
        json["error"]["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn accepted(&self) {
        assert_eq!((self.status.as_u16(), &*self.text), (202, ""), "{self:?}");
    }
}

/// Reads a response to its end.
pub async fn read(mut response: HttpResponse) -> Answer {
    Answer {
        text: response.text().await,
        status: response.status(),
        headers: response.headers().clone(),
    }
}

/// The text of a call's result.
#[track_caller]
pub fn result(answer: &Value) -> String {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no result: {answer}"))
        .to_owned()
}

pub fn request(id: impl Into<Value>, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method})
}

pub fn ping(id: impl Into<Value>) -> Value {
    request(id, "ping")
}

pub fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    let mut call = request(id, "tools/call");
    call["params"] = json!({"name": tool, "arguments": arguments});
    call
}

/// A call with a progress token.
pub fn watched(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    let mut call = call(id, tool, arguments);
    call["params"]["_meta"] = json!({"progressToken": "token"});
    call
}

pub fn cancel(id: impl Into<Value>) -> Value {
    json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": id.into()},
    })
}

pub fn initialize(version: &str) -> Value {
    let mut initialize = request("open", "initialize");
    initialize["params"] = json!({
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    initialize
}

/// A client without an address: an application that names none mounts the service.
pub fn http(server: &Server) -> TestHttpClient {
    TestClient::http(server).peer(None)
}

/// A client with a session of 2025-11-25.
pub async fn open(server: &Server) -> TestHttpClient {
    http(server).opened("2025-11-25").await
}

/// A stream that was opened.
#[track_caller]
pub fn events_of(response: HttpResponse) -> HttpResponse {
    assert_eq!(response.status(), 200, "{response:?}");
    assert!(response.is_stream(), "{response:?}");
    response
}

/// Short ways to send requests.
pub trait Ask: Sized {
    /// Opens a session.
    async fn opened(self, version: &str) -> Self;

    /// The same service, asked by `name`, without a session.
    fn named(&self, name: &str) -> Self;

    /// The whole response to a message.
    async fn ask(&self, message: &Value) -> Answer;

    /// Asks in a task of its own.
    fn start(&self, message: Value) -> tokio::task::JoinHandle<Answer>;

    /// Sends a request that nothing is added to but the client's own headers.
    async fn bare(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> HttpResponse;

    /// Checks that the session exists.
    async fn assert_alive(&self);
}

impl Ask for TestHttpClient {
    async fn opened(self, version: &str) -> Self {
        let version = ProtocolVersion::from_name(version).unwrap();
        let session = self.version(version).open_session().await.unwrap();
        assert_eq!(session.protocol_version(), version);
        assert!(session.session_id().is_some());
        session
    }

    fn named(&self, name: &str) -> Self {
        self.clone().key(name).without_session()
    }

    async fn ask(&self, message: &Value) -> Answer {
        read(self.post(message).await).await
    }

    fn start(&self, message: Value) -> tokio::task::JoinHandle<Answer> {
        let client = self.clone();
        tokio::spawn(async move { client.ask(&message).await })
    }

    async fn bare(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> HttpResponse {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.to_owned()).unwrap()).await
    }

    async fn assert_alive(&self) {
        let answer = self.ask(&ping("alive")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// The rest of a stream.
pub async fn rest_of(stream: &mut HttpResponse) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = stream.next_event().await {
        events.push(event);
    }
    events
}

/// How far a report says that the call is.
pub fn reported(event: &Event) -> Option<u64> {
    let json: Value = serde_json::from_str(&event.data).ok()?;
    json["params"]["progress"]
        .as_f64()
        .map(|progress| progress as u64)
}

/// The id with which a stream is resumed after `event`.
#[track_caller]
pub fn id_of(event: &Event) -> &str {
    event.id.as_deref().unwrap_or_else(|| panic!("{event:?}"))
}
