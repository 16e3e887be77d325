//! Requests as the bytes that a test wants.

use std::net::SocketAddr;

/// A request. `Host` and the framing are added when it is written, unless the
/// test has set or forbidden them.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    host: bool,
    length: bool,
}

impl Request {
    /// A request without body.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
            host: true,
            length: true,
        }
    }

    /// A POST of this JSON text to the endpoint, with the headers that every
    /// client sends.
    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", "/mcp")
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
            .body(body)
    }

    /// Adds a header, also where there is one of that name.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sets a header in place of those of that name.
    pub(crate) fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).header(name, value)
    }

    /// Removes a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// No `Host`.
    pub(crate) fn without_host(mut self) -> Self {
        self.host = false;
        self
    }

    /// No `Content-Length`, whatever the body.
    pub(crate) fn without_length(mut self) -> Self {
        self.length = false;
        self
    }

    /// Another target.
    pub(crate) fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    /// Another body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The body sent in chunks of at most this many bytes.
    pub(crate) fn chunked(self, size: usize) -> Self {
        let mut body = Vec::new();
        for chunk in self.body.clone().unwrap_or_default().chunks(size) {
            body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        self.without_length()
            .header("Transfer-Encoding", "chunked")
            .body(body)
    }

    /// The bytes for a server at this address.
    pub(crate) fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut bytes = self.head(address);
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// The bytes before the body.
    pub(crate) fn head(&self, address: SocketAddr) -> Vec<u8> {
        let has = |name: &str| {
            self.headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        if self.host && !has("Host") {
            bytes.extend_from_slice(format!("Host: {address}\r\n").as_bytes());
        }
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if let Some(body) = &self.body
            && self.length
            && !has("Content-Length")
        {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}
