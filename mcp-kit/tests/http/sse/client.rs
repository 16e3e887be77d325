//! A client of the transport of 2024-11-05: a stream, and an endpoint beside it that takes
//! messages.

use mcp_kit::Server;
use mcp_kit::testing::TestClient;
use serde_json::{Value, json};

pub use crate::client::{Answer, Names, call, initialize, ping, request, result as text, watched};
use crate::client::{Ask as _, HttpResponse, TestHttpClient, events_of, read};

const JSON: (&str, &str) = ("content-type", "application/json");
const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// Sends requests, with or without a stream.
#[derive(Clone)]
pub struct Caller(pub TestHttpClient);

impl Caller {
    pub fn of(server: &Server) -> Self {
        Self(TestClient::http(server))
    }

    pub fn named(&self, name: &str) -> Self {
        Self(self.0.named(name))
    }

    pub fn at(&self, address: &str) -> Self {
        let address: std::net::SocketAddr = address.parse().unwrap();
        Self(self.0.clone().peer(address))
    }

    /// A response that is read to its end.
    pub async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        read(self.0.bare(method, target, headers, body).await).await
    }

    pub async fn post(&self, target: &str, message: &Value) -> Answer {
        let body = message.to_string();
        self.ask("POST", target, &[JSON], &body).await
    }

    pub async fn get(&self) -> HttpResponse {
        self.0.bare("GET", "/sse", &[EVENTS], "").await
    }

    /// The answer in place of a stream.
    pub async fn no_stream(&self) -> Answer {
        self.ask("GET", "/sse", &[EVENTS], "").await
    }

    /// Opens a stream.
    pub async fn open(&self) -> Client {
        let mut stream = events_of(self.get().await);
        let first = stream.next_event().await.unwrap();
        assert_eq!(first.kind.as_deref(), Some("endpoint"));
        Client {
            caller: self.clone(),
            stream,
            // As it is resolved against the address of the stream.
            endpoint: match first.data.starts_with('/') {
                true => first.data,
                false => format!("/{}", first.data),
            },
        }
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
    caller: Caller,
    stream: HttpResponse,
    pub endpoint: String,
}

impl Client {
    pub async fn send(&self, message: &Value) -> Answer {
        self.caller.post(&self.endpoint, message).await
    }

    /// The next message; `None` at the end.
    pub async fn message(&mut self) -> Option<Value> {
        let event = self.stream.next_event().await?;
        assert_eq!(event.kind.as_deref(), Some("message"));
        Some(event.json())
    }

    /// The next message of a stream that goes on.
    pub async fn next(&mut self) -> Value {
        self.message().await.expect("the stream goes on")
    }

    pub fn keep_alives(&self) -> usize {
        self.stream.keep_alives()
    }

    /// The text of a tool's result.
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
