//! A client of the tower service, which speaks HTTP without sockets.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use mcp_kit::auth::{AuthError, Authenticator, Credentials};
use mcp_kit::transport::http::{HttpBody, HttpService};
use mcp_kit::{Principal, Server, async_trait};
use serde_json::{Value, json};
use tower_service::Service as _;

/// Believes everybody.
pub struct Names;

#[async_trait]
impl Authenticator for Names {
    async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        Ok(of.api_key().map(|name| Principal::new(name, [""; 0])))
    }
}

/// One client, with its session if it has one.
#[derive(Clone)]
pub struct Client {
    pub service: HttpService,
    pub name: Option<String>,
    pub session: Option<String>,
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

    #[track_caller]
    pub fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let json = self.json();
        json["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// The text of a call's result.
#[track_caller]
pub fn result(answer: &Value) -> String {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no result: {answer}"))
        .to_owned()
}

/// `tools/call`.
pub fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id.into(), "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    })
}

/// `tools/call` that wants to hear of progress.
pub fn watched(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    let mut call = call(id, tool, arguments);
    call["params"]["_meta"] = json!({"progressToken": "token"});
    call
}

pub fn ping(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "ping"})
}

pub fn cancel(id: impl Into<Value>) -> Value {
    json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": id.into()},
    })
}

pub fn initialize(version: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": "open", "method": "initialize",
        "params": {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    })
}

impl Client {
    /// A client without a session.
    pub fn new(server: &Server) -> Self {
        Self::of(&server.http_service())
    }

    /// A client of a service that has others.
    pub fn of(service: &HttpService) -> Self {
        Self {
            service: service.clone(),
            name: None,
            session: None,
        }
    }

    /// A client with a session of 2025-11-25.
    pub async fn open(server: &Server) -> Self {
        Self::new(server).opened("2025-11-25").await
    }

    /// The same service, asked by `name`, without a session.
    pub fn named(&self, name: &str) -> Self {
        Self {
            service: self.service.clone(),
            name: Some(name.to_owned()),
            session: None,
        }
    }

    /// With a session.
    pub async fn opened(mut self, version: &str) -> Self {
        let answer = self.ask(&initialize(version)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["result"]["protocolVersion"], version);
        let id = answer.headers.get("mcp-session-id").unwrap();
        self.session = Some(id.to_str().unwrap().to_owned());
        self
    }

    pub async fn send(
        &self,
        method: &str,
        more: &[(&str, &str)],
        body: String,
    ) -> Response<HttpBody> {
        let mut request = Request::builder()
            .method(method)
            .uri("/mcp")
            .header("host", "127.0.0.1")
            .header("content-type", "application/json");
        if !more.iter().any(|(name, _)| *name == "accept") {
            request = request.header("accept", "application/json, text/event-stream");
        }
        if let Some(name) = &self.name {
            request = request.header("x-api-key", name);
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        self.service.clone().call(request).await.unwrap()
    }

    /// The response to a message, of which the beginning is there.
    pub async fn post(&self, message: &Value) -> Response<HttpBody> {
        self.send("POST", &[], message.to_string()).await
    }

    /// The whole response to a message.
    pub async fn ask(&self, message: &Value) -> Answer {
        read(self.post(message).await).await
    }

    pub async fn get(&self, more: &[(&str, &str)]) -> Response<HttpBody> {
        self.send("GET", more, String::new()).await
    }

    /// The rest of a stream.
    pub async fn resume(&self, last: &str) -> Response<HttpBody> {
        self.get(&[("last-event-id", last)]).await
    }

    pub async fn delete(&self) -> Answer {
        read(self.send("DELETE", &[], String::new()).await).await
    }

    /// Asks in a task of its own.
    pub fn start(&self, message: Value) -> tokio::task::JoinHandle<Answer> {
        let client = self.clone();
        tokio::spawn(async move { client.ask(&message).await })
    }

    /// The session goes on.
    pub async fn assert_alive(&self) {
        let answer = self.ask(&ping("alive")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// A response to its end.
pub async fn read(response: Response<HttpBody>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub id: Option<String>,
    pub data: String,
}

impl Event {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("{self:?}"))
    }

    #[track_caller]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// How far a report says that the call is.
    pub fn progress(&self) -> Option<u64> {
        let json: Value = serde_json::from_str(&self.data).ok()?;
        json["params"]["progress"]
            .as_f64()
            .map(|progress| progress as u64)
    }
}

/// A stream that is being read.
pub struct Events {
    body: HttpBody,
    text: String,
    ready: VecDeque<Event>,
    pub comments: usize,
}

impl Events {
    #[track_caller]
    pub fn of(response: Response<HttpBody>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
            ready: VecDeque::new(),
            comments: 0,
        }
    }

    /// The next event, or nothing at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let frame = self.body.frame().await?.unwrap();
            self.text
                .push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                self.block(&block);
            }
        }
    }

    fn block(&mut self, block: &str) {
        if block.starts_with(':') {
            self.comments += 1;
            return;
        }
        let mut event = Event::default();
        for line in block.lines() {
            if let Some(id) = line.strip_prefix("id: ") {
                event.id = Some(id.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                data.clone_into(&mut event.data);
            }
        }
        self.ready.push_back(event);
    }

    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}
