//! Clients of both eras: what a well-behaved one sends, for tests that spoil
//! one thing at a time.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::events::{self, Events};
use crate::request::Request;
use crate::rpc;
use crate::wire::{Conn, Head, Response};

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Modern,
    /// With a session, in this version.
    Legacy(&'static str),
}

/// A client with a connection that it keeps.
pub(crate) struct HttpClient {
    address: SocketAddr,
    era: Era,
    key: Option<String>,
    /// The id of the session, in the legacy era.
    pub(crate) session: Option<String>,
    conn: Option<Conn>,
    next_id: u64,
}

impl HttpClient {
    pub(crate) fn new(address: SocketAddr, era: Era) -> Self {
        Self {
            address,
            era,
            key: None,
            session: None,
            conn: None,
            next_id: 0,
        }
    }

    /// Sends this key with every request.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The same client with another connection, in the same session.
    pub(crate) fn twin(&self) -> Self {
        Self {
            address: self.address,
            era: self.era,
            key: self.key.clone(),
            session: self.session.clone(),
            conn: None,
            next_id: self.next_id + 1_000_000,
        }
    }

    // ---- requests to be sent ---------------------------------------------

    /// Any request to the endpoint, with the client's key, version and session.
    pub(crate) fn dress(&self, mut request: Request) -> Request {
        if let Some(key) = &self.key {
            request = request.set("X-API-Key", key);
        }
        match self.era {
            Era::Modern => request.set("MCP-Protocol-Version", "2026-07-28"),
            Era::Legacy(version) => {
                // The header came with 2025-06-18.
                if version >= "2025-06-18" {
                    request = request.set("MCP-Protocol-Version", version);
                }
                match &self.session {
                    Some(session) => request.set("Mcp-Session-Id", session),
                    None => request,
                }
            }
        }
    }

    /// A message as the client sends it.
    pub(crate) fn post(&self, message: &Value) -> Request {
        let request = self.dress(Request::post(message.to_string()));
        if self.era != Era::Modern {
            return request;
        }
        let method = message["method"].as_str().unwrap_or_default();
        let request = request.header("Mcp-Method", method);
        let name = match method {
            "tools/call" | "prompts/get" => message["params"]["name"].as_str(),
            "resources/read" => message["params"]["uri"].as_str(),
            "tasks/get" | "tasks/update" | "tasks/cancel" => message["params"]["taskId"].as_str(),
            _ => None,
        };
        match name {
            Some(name) => request.header("Mcp-Name", name),
            None => request,
        }
    }

    /// A request as a message.
    pub(crate) fn message(&self, id: impl Into<Value>, method: &str, params: Value) -> Value {
        let mut params = params;
        if self.era == Era::Modern && params.get("_meta").is_none() {
            params["_meta"] = rpc::meta("2026-07-28");
        }
        json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
    }

    /// A request as the client sends it.
    pub(crate) fn request(&self, id: impl Into<Value>, method: &str, params: Value) -> Request {
        self.post(&self.message(id, method, params))
    }

    /// A call as the client sends it.
    pub(crate) fn calling(&self, id: impl Into<Value>, tool: &str, arguments: Value) -> Request {
        self.request(
            id,
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
    }

    /// A call that asks for progress.
    pub(crate) fn watching(&self, id: impl Into<Value>, tool: &str, arguments: Value) -> Request {
        let mut meta = match self.era {
            Era::Modern => rpc::meta("2026-07-28"),
            Era::Legacy(_) => json!({}),
        };
        meta["progressToken"] = json!("a token");
        self.request(
            id,
            "tools/call",
            json!({ "name": tool, "arguments": arguments, "_meta": meta }),
        )
    }

    /// A notification as the client sends it.
    pub(crate) fn notification(&self, method: &str, params: Value) -> Request {
        let mut params = params;
        if self.era == Era::Modern {
            params["_meta"] = rpc::meta("2026-07-28");
        }
        self.post(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    // ---- conversations ---------------------------------------------------

    /// Sends a request on the client's connection; the whole answer. A
    /// connection that the server has closed is replaced.
    #[track_caller]
    pub(crate) fn exchange(&mut self, request: &Request) -> Response {
        if let Some(mut conn) = self.conn.take() {
            conn.send(request);
            if let Some(response) = conn.try_response() {
                self.conn = Some(conn);
                return response;
            }
        }
        let mut conn = Conn::open(self.address);
        let response = conn.exchange(request);
        self.conn = Some(conn);
        response
    }

    /// Sends a request on a connection of its own; the head of the answer and
    /// the connection, to read on.
    #[track_caller]
    pub(crate) fn begin(&self, request: &Request) -> (Head, Conn) {
        let mut conn = Conn::open(self.address);
        conn.send(request);
        let head = conn.head().expect("an answer");
        (head, conn)
    }

    /// The same where the answer must be a stream of events.
    #[track_caller]
    pub(crate) fn stream(&self, request: &Request) -> Events {
        let (head, conn) = self.begin(request);
        Events::new(conn, &head)
    }

    /// Sends a request and does not wait for the answer.
    pub(crate) fn start(&self, request: &Request) -> Conn {
        let mut conn = Conn::open(self.address);
        conn.send(request);
        conn
    }

    /// A request's answer, whether result or error.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.fresh_id();
        let request = self.request(id, method, params);
        let response = self.exchange(&request);
        answer(&response, &json!(id))
    }

    /// A call's result. Fails on a protocol error.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        );
        rpc::result(&answer).clone()
    }

    /// Calls a tool that must succeed; its text.
    #[track_caller]
    pub(crate) fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert!(!rpc::is_error(&result), "{tool} failed: {result}");
        rpc::text(&result)
    }

    /// Calls a tool that must fail with `isError`; its text.
    #[track_caller]
    pub(crate) fn failure(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert!(rpc::is_error(&result), "{tool} did not fail: {result}");
        rpc::text(&result)
    }

    /// Fails unless the client is served.
    #[track_caller]
    pub(crate) fn assert_alive(&mut self) {
        assert_eq!(self.text("add", json!({ "a": 20, "b": 22 })), "42");
    }

    /// Opens the session; the result of `initialize`.
    #[track_caller]
    pub(crate) fn initialize(&mut self) -> Value {
        let Era::Legacy(version) = self.era else {
            panic!("the modern era has no handshake");
        };
        let request = self.opening(version);
        let response = self.exchange(&request);
        assert_eq!(response.status(), 200, "{}", response.text());
        let result = rpc::result(&answer(&response, &json!("open"))).clone();
        self.session = response.head.header("mcp-session-id").map(str::to_owned);
        assert!(self.session.is_some(), "no session: {:?}", response.head);
        let request = self.notification("notifications/initialized", json!({}));
        let response = self.exchange(&request);
        assert_eq!(response.status(), 202, "{}", response.text());
        assert!(response.body.is_empty(), "{}", response.text());
        result
    }

    /// The first request of a session.
    pub(crate) fn opening(&self, version: &str) -> Request {
        self.dress(Request::post(rpc::initialize("open", version).to_string()))
            .without("MCP-Protocol-Version")
            .without("Mcp-Session-Id")
    }

    /// GET on the endpoint: the session's own stream.
    pub(crate) fn listening(&self) -> Request {
        self.dress(Request::new("GET", "/mcp").header("Accept", "text/event-stream"))
    }

    /// DELETE on the endpoint: the end of the session.
    pub(crate) fn ending(&self) -> Request {
        self.dress(Request::new("DELETE", "/mcp"))
    }

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Every JSON-RPC message of an answer, be it JSON, a batch or a stream.
#[track_caller]
pub(crate) fn messages(response: &Response) -> Vec<Value> {
    let messages: Vec<Value> = match response.head.media_type() {
        "application/json" => vec![rpc::parse(&response.text())],
        "text/event-stream" => events::all(&response.text())
            .iter()
            .filter_map(events::Event::message)
            .collect(),
        other => panic!(
            "{other:?} with status {}: {}",
            response.status(),
            response.text()
        ),
    };
    messages
        .into_iter()
        .flat_map(|message| match message {
            Value::Array(batch) => batch,
            message => vec![message],
        })
        .collect()
}

/// The only answer among the messages. Fails unless it has this id.
#[track_caller]
pub(crate) fn answer(response: &Response, id: &Value) -> Value {
    let mut answers: Vec<Value> = messages(response)
        .into_iter()
        .filter(|message| message.get("method").is_none())
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let answer = answers.remove(0);
    assert_eq!(&answer["id"], id, "another's answer: {answer}");
    answer
}

/// The refusal of a request that was not dispatched: a status and an error
/// without id.
#[track_caller]
pub(crate) fn refusal(response: &Response, status: u16) -> Value {
    assert_eq!(response.status(), status, "{}", response.text());
    let error = response.json();
    assert!(error["error"]["code"].is_i64(), "{error}");
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{error}"
    );
    assert!(
        error.get("id").is_none_or(Value::is_null),
        "an error at the door belongs to no request: {error}"
    );
    error
}
