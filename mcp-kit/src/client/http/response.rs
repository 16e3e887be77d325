//! Responses as they arrive: status and headers first, then the events of a stream one by one.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::transport::http::HttpBody;

/// The response to a request of a [`TestHttpClient`](super::TestHttpClient). Its body
/// is read on demand; dropping the response disconnects the client.
pub struct HttpResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: HttpBody,
    /// Read from the body and not taken yet.
    read: Vec<u8>,
    events: VecDeque<Event>,
    keep_alives: usize,
}

/// One event of a stream (`text/event-stream`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The id with which [`TestHttpClient::resume`](super::TestHttpClient::resume)
    /// continues after this event.
    pub id: Option<String>,
    /// The event's type; `None` is a message.
    pub kind: Option<String>,
    /// A message as JSON. Empty in the event that only carries the first id of a stream.
    pub data: String,
}

impl Event {
    /// Returns the message in the event.
    ///
    /// # Panics
    ///
    /// Panics if the data is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        parse(&self.data)
    }

    /// Reads the lines of one event; `None` if there are only comments.
    fn read(block: &str) -> Option<Self> {
        let mut event = Self::default();
        let mut lines = 0;
        for line in block.lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => event.id = Some(value.to_owned()),
                "event" => event.kind = Some(value.to_owned()),
                "data" => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                }
                _ => continue,
            }
            lines += 1;
        }
        (lines > 0).then_some(event)
    }
}

impl HttpResponse {
    pub(super) fn new(response: Response<HttpBody>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
            read: Vec::new(),
            events: VecDeque::new(),
            keep_alives: 0,
        }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the value of a header; `None` if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the body is a stream of events.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.header("content-type") == Some("text/event-stream")
    }

    /// Returns the next event of a stream, as soon as it arrives; `None` at the
    /// end.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if !self.read_frame().await {
                return None;
            }
            while let Some(end) = self.read.windows(2).position(|end| end == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                match Event::read(&String::from_utf8_lossy(&block)) {
                    Some(event) => self.events.push_back(event),
                    None => self.keep_alives += 1,
                }
            }
        }
    }

    /// Returns how many comments the server has sent between the events that
    /// were read. It sends them to keep a silent stream open.
    #[must_use]
    pub fn keep_alives(&self) -> usize {
        self.keep_alives
    }

    /// Returns the next bytes of the body, as soon as they arrive; `None` at
    /// the end.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        if self.read.is_empty() && !self.read_frame().await {
            return None;
        }
        Some(std::mem::take(&mut self.read).into())
    }

    /// Returns the rest of the body as text.
    pub async fn text(&mut self) -> String {
        while self.read_frame().await {}
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Returns the whole body as JSON.
    ///
    /// # Panics
    ///
    /// Panics if the body is not JSON.
    pub async fn json(&mut self) -> Value {
        parse(&self.text().await)
    }

    /// Reads on; `false` at the end.
    async fn read_frame(&mut self) -> bool {
        // Bodies of this crate do not fail.
        let Some(Ok(frame)) = self.body.frame().await else {
            return false;
        };
        if let Some(data) = frame.data_ref() {
            self.read.extend_from_slice(data);
        }
        true
    }
}

#[track_caller]
#[allow(clippy::panic)]
fn parse(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => panic!("the server sent no JSON ({error}): {text:?}"),
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("read", &String::from_utf8_lossy(&self.read))
            .finish_non_exhaustive()
    }
}

/// A response that refuses a request: its status is neither 200 nor 202.
///
/// ```
/// use mcp_kit::auth::{AuthError, Authenticator, Credentials, ProtectedResource};
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing::{TestClient, RequestError};
/// use serde_json::json;
///
/// # struct Tokens(ProtectedResource);
/// # #[mcp_kit::async_trait]
/// # impl Authenticator for Tokens {
/// #     async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
/// #         Ok(of.bearer().map(|_| Principal::new("alice", ["notes:read"])))
/// #     }
/// #     fn challenge(&self) -> Option<String> {
/// #         Some(self.0.challenge())
/// #     }
/// #     fn protected_resource(&self) -> Option<&ProtectedResource> {
/// #         Some(&self.0)
/// #     }
/// # }
/// /// Delete every note.
/// #[tool(scope = "notes:write")]
/// async fn clear() -> &'static str {
///     "cleared"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tokens = Tokens(ProtectedResource::new("https://mcp.example.com/mcp")?);
/// // `tokens` is an authenticator whose tokens have the scope `notes:read`.
/// let server = Server::builder("notes", "1.0.0")
///     .tool::<clear>()
///     .http(|http| http.authenticate(tokens))
///     .build()?;
/// let client = TestClient::http(&server).bearer("a-token").connect().await?;
///
/// let outcome = client.call("clear", json!({})).outcome().await;
/// let Err(RequestError::Refused(refusal)) = outcome else {
///     panic!("the scope is missing");
/// };
/// assert_eq!(refusal.status(), 403);
/// let challenge = refusal.header("www-authenticate").unwrap_or_default();
/// assert!(challenge.contains("insufficient_scope") && challenge.contains("notes:write"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct HttpRefusal(Box<Refused>);

#[derive(Clone, PartialEq)]
struct Refused {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl HttpRefusal {
    pub(super) async fn read(mut response: HttpResponse) -> Self {
        let body = response.text().await;
        Self(Box::new(Refused {
            status: response.status,
            headers: response.headers,
            body,
        }))
    }

    /// Returns the status, such as 403.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Returns the value of a header, such as `WWW-Authenticate`; `None` if it
    /// is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.0.body
    }

    /// Returns the code of the JSON-RPC error in the body.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        self.json()["error"]["code"].as_i64()
    }

    /// Returns the message of the JSON-RPC error in the body, or else the body.
    #[must_use]
    pub fn message(&self) -> String {
        let json = self.json();
        let message = json["error"]["message"].as_str();
        message.unwrap_or(&self.0.body).to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.0.body).unwrap_or_default()
    }
}

impl fmt::Debug for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRefusal")
            .field("status", &self.0.status)
            .field("headers", &self.0.headers)
            .field("body", &self.0.body)
            .finish()
    }
}

impl fmt::Display for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}: {}", self.0.status, self.message())
    }
}
