//! The transport of 2024-11-05: a stream from `/sse`, messages to `/messages`.

use serde_json::{Value, json};

use crate::events::Events;
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};

/// A client of that transport.
pub(crate) struct OldClient<'a> {
    server: &'a Server,
    key: Option<&'a str>,
    events: Events,
    endpoint: String,
}

fn server() -> Server {
    setup().env("CHAOS_SSE", "1").start()
}

fn opening(key: Option<&str>) -> Request {
    let request = Request::new("GET", "/sse").header("Accept", "text/event-stream");
    match key {
        Some(key) => request.header("X-API-Key", key),
        None => request,
    }
}

impl<'a> OldClient<'a> {
    #[track_caller]
    fn open(server: &'a Server, key: Option<&'a str>) -> Self {
        let mut conn = server.connect();
        conn.send(&opening(key));
        let head = conn.head().expect("an answer");
        let mut events = Events::new(conn, &head);
        let first = events.next().expect("an event");
        assert_eq!(first.kind.as_deref(), Some("endpoint"), "{first:?}");
        assert!(
            first.data.starts_with("/messages?"),
            "another server's, or another path: {first:?}"
        );
        Self {
            server,
            key,
            events,
            endpoint: first.data,
        }
    }

    #[track_caller]
    pub(crate) fn greeted(server: &'a Server, key: Option<&'a str>) -> Self {
        let mut client = Self::open(server, key);
        client.send(&rpc::initialize("open", "2024-11-05"));
        let answer = client.next();
        assert_eq!(answer["id"], "open", "{answer}");
        assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    pub(crate) fn request(&self, message: &Value) -> Request {
        let request = Request::post(message.to_string()).target(&self.endpoint);
        match self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        }
    }

    #[track_caller]
    fn send(&self, message: &Value) {
        let response = self.server.connect().exchange(&self.request(message));
        assert_eq!(response.status(), 202, "{}", response.text());
    }

    #[track_caller]
    fn next(&mut self) -> Value {
        let event = self.events.next().expect("the stream goes on");
        assert_eq!(event.kind.as_deref().unwrap_or("message"), "message");
        rpc::parse(&event.data)
    }

    #[track_caller]
    fn text(&mut self, id: i64, tool: &str, arguments: Value) -> String {
        self.send(&call(id, tool, arguments));
        let answer = self.next();
        assert_eq!(answer["id"], id, "{answer}");
        rpc::text(rpc::result(&answer))
    }
}

fn call(id: i64, tool: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments },
    })
}

#[test]
fn a_client_of_2024_is_served() {
    let server = server();
    let mut client = OldClient::greeted(&server, None);
    assert_eq!(client.text(1, "add", json!({ "a": 1, "b": 2 })), "3");
    assert!(
        client
            .text(2, "panic", json!({}))
            .contains("internal error")
    );
    client.send(&json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" }));
    let answer = client.next();
    assert!(rpc::result(&answer)["tools"].is_array());
    client.send(&json!({ "jsonrpc": "2.0", "id": 4, "method": "no/such/method" }));
    assert_eq!(rpc::code(&client.next()), -32601);
    // The newer transports are served beside it.
    for mut other in server.both() {
        other.assert_alive();
    }
}

/// The stream is the session: it ends with it.
#[test]
fn a_session_ends_with_its_stream() {
    let server = server();
    let client = OldClient::greeted(&server, None);
    let ping = client.request(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
    drop(client.events);
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while server.connect().exchange(&ping).status() != 404 {
        assert!(
            std::time::Instant::now() < deadline,
            "the session is still there"
        );
    }
}

/// Behind a proxy that takes a part of the path away, the address is right
/// relative to the stream's own.
#[test]
fn behind_a_proxy_messages_are_sent_beside_the_stream() {
    let server = server();
    for header in ["X-Forwarded-For", "X-Forwarded-Prefix", "Forwarded", "Via"] {
        let request = opening(None).header(header, "127.0.0.1");
        let mut conn = server.connect();
        conn.send(&request);
        let head = conn.head().expect("an answer");
        let first = Events::new(conn, &head).next().expect("an event");
        assert!(
            first.data.starts_with("messages?sessionId="),
            "{header}: {first:?}"
        );
    }
}

#[test]
fn an_unread_stream_does_not_delay_others() {
    let server = server();
    let unread = OldClient::greeted(&server, None);
    for id in 0..60 {
        let request = unread.request(&call(id, "big", json!({ "bytes": 1_000_000 })));
        // Accepted, or refused in words; never held back.
        let status = server.connect().exchange(&request).status();
        assert!([202, 429, 503].contains(&status), "{status}");
    }
    let mut other = OldClient::greeted(&server, None);
    assert_eq!(other.text(1, "add", json!({ "a": 1, "b": 2 })), "3");
    server.assert_alive();
}

#[test]
fn streams_are_ended_at_shutdown() {
    let mut server = server();
    let mut conn = server.connect();
    conn.send(&opening(None));
    let head = conn.head().expect("an answer");
    let mut events = Events::new(conn, &head);
    events.next().expect("the endpoint");
    server.end();
    assert_eq!(events.next(), None);
}
