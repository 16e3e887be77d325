//! A client of the transport of 2024-11-05, without sockets.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use mcp_kit::auth::{AuthError, Authenticator, Credentials};
use mcp_kit::transport::http::{HttpBody, HttpService, PeerAddr};
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

/// Who sends requests.
#[derive(Clone)]
pub struct Caller {
    pub service: HttpService,
    pub name: Option<&'static str>,
    pub address: Option<SocketAddr>,
}

/// What a message was answered with, the stream aside.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn refusal(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    #[track_caller]
    pub fn accepted(&self) {
        assert_eq!(self.status, 202, "{self:?}");
        assert_eq!(self.text, "");
    }
}

impl Caller {
    pub fn of(server: &Server) -> Self {
        Self {
            service: server.http_service(),
            name: None,
            address: Some(([127, 0, 0, 1], 4711).into()),
        }
    }

    pub fn named(&self, name: &'static str) -> Self {
        Self {
            name: Some(name),
            ..self.clone()
        }
    }

    pub fn at(&self, address: &str) -> Self {
        Self {
            address: Some(address.parse().unwrap()),
            ..self.clone()
        }
    }

    pub async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<HttpBody> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "127.0.0.1");
        if let Some(name) = self.name {
            request = request.header("x-api-key", name);
        }
        if let Some(address) = self.address {
            request = request.extension(PeerAddr(address));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = request.body(body).unwrap();
        self.service.clone().call(request).await.unwrap()
    }

    /// A response that is read to its end.
    pub async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let response = self.send(method, target, headers, body).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub async fn post(&self, target: &str, message: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        self.ask("POST", target, &json, &message.to_string()).await
    }

    pub async fn get(&self) -> Response<HttpBody> {
        let accept = [("accept", "text/event-stream")];
        self.send("GET", "/sse", &accept, "").await
    }

    /// What is said in place of a stream.
    pub async fn no_stream(&self) -> Answer {
        let accept = [("accept", "text/event-stream")];
        self.ask("GET", "/sse", &accept, "").await
    }

    /// Opens a stream.
    pub async fn open(&self) -> Client {
        let response = self.get().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut client = Client {
            caller: self.clone(),
            body: response.into_body(),
            text: String::new(),
            ready: VecDeque::new(),
            comments: 0,
            endpoint: String::new(),
        };
        let (kind, data) = client.event().await.unwrap();
        assert_eq!(kind, "endpoint");
        // As it is resolved against the address of the stream.
        client.endpoint = match data.starts_with('/') {
            true => data,
            false => format!("/{data}"),
        };
        client
    }

    /// Opens a stream, and agrees on a version.
    pub async fn greeted(&self, version: &str) -> Client {
        let mut client = self.open().await;
        client.send(&initialize(version)).await.accepted();
        let answer = client.next().await;
        assert_eq!(answer["result"]["protocolVersion"], version, "{answer}");
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        client.send(&initialized).await.accepted();
        client
    }
}

/// A client with its stream.
pub struct Client {
    pub caller: Caller,
    body: HttpBody,
    text: String,
    ready: VecDeque<(String, String)>,
    pub comments: usize,
    pub endpoint: String,
}

impl Client {
    pub async fn send(&self, message: &Value) -> Answer {
        self.caller.post(&self.endpoint, message).await
    }

    /// The next event's kind and data; nothing at the end.
    pub async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let frame = self.body.frame().await?.unwrap();
            let data = frame.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if block.starts_with(':') {
                    self.comments += 1;
                    continue;
                }
                let mut lines = block.lines();
                let mut field = |name: &str| {
                    let line = lines.next().unwrap_or_default();
                    let value = line.strip_prefix(name);
                    value.unwrap_or_else(|| panic!("{block}")).to_owned()
                };
                self.ready.push_back((field("event: "), field("data: ")));
            }
        }
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        let (kind, data) = self.event().await.expect("the stream goes on");
        assert_eq!(kind, "message");
        serde_json::from_str(&data).unwrap()
    }

    /// What a tool gives.
    pub async fn call(&mut self, id: i64, tool: &str, arguments: Value) -> String {
        self.send(&call(id, tool, arguments)).await.accepted();
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        text(&answer)
    }

    /// Nothing but pings is answered before this one.
    pub async fn assert_silent(&mut self) {
        self.send(&ping("silent")).await.accepted();
        assert_eq!(self.next().await["id"], "silent");
    }
}

/// The text of a call's result.
#[track_caller]
pub fn text(answer: &Value) -> String {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no result: {answer}"))
        .to_owned()
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

pub fn call(id: impl Into<Value>, tool: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id.into(), "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    })
}

pub fn ping(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "ping"})
}

pub fn request(id: impl Into<Value>, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method})
}
