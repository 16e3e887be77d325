//! An MCP client within the process, for the tests of a server.

mod call;
mod link;

use std::fmt;

use serde_json::{Map, Value, json};

pub use call::{Call, CallResult, Request, RequestError};

use crate::context::Principal;
use crate::protocol::{Era, ProtocolVersion};
use crate::server::Server;
use link::Link;

/// A client within the process that speaks the whole protocol with a server:
/// what a test sees is what a client over stdio would.
///
/// It needs a tokio runtime; one with paused time will do. Dropping it ends the
/// connection.
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing::Client;
/// use serde_json::json;
///
/// /// Says hello.
/// #[tool]
/// async fn hello() -> &'static str {
///     "Hello!"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
/// let server = Server::builder("greeter", "1.0.0").tool::<hello>().build()?;
/// let client = Client::new(&server).await;
/// let result = client.call("hello", json!({})).await;
/// assert_eq!(result.text(), "Hello!");
/// assert!(!result.is_error());
///
/// let refused = client.call("hello", json!({"name": "Ada"})).await;
/// assert_eq!(refused.text(), r#"Invalid arguments: unknown argument "name""#);
/// # Ok(())
/// # }
/// ```
pub struct Client {
    link: Link,
    era: Era,
}

/// Opens a connection; made by [`Client::builder`].
#[must_use = "the connection is opened by `.connect()`"]
#[derive(Debug)]
pub struct ClientBuilder<'a> {
    server: &'a Server,
    principal: Option<Principal>,
    version: ProtocolVersion,
}

impl ClientBuilder<'_> {
    /// Who calls; the server's `local` unless it is said here.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// The protocol version; the newest one with a handshake unless it is said
    /// here.
    pub fn version(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    /// Opens the connection, with the handshake where the version has one.
    pub async fn connect(self) -> Client {
        let era = self.version.era();
        let client = self.connect_silently();
        if era == Era::Legacy {
            let params = json!({
                "protocolVersion": self.version.as_str(),
                "capabilities": {},
                "clientInfo": client_info(),
            });
            // A server that refuses the handshake refuses what follows too, and
            // that is where a test sees it.
            let _ = client.request("initialize", params).await;
            client.notify("notifications/initialized", json!({}));
        }
        client
    }

    /// Opens the connection and says nothing: no handshake.
    pub fn connect_silently(&self) -> Client {
        Client {
            link: Link::open(self.server, self.principal.clone()),
            era: self.version.era(),
        }
    }
}

impl Client {
    /// Connects as the clients of today do, with a handshake.
    pub async fn new(server: &Server) -> Self {
        Self::builder(server).connect().await
    }

    /// Connects as protocol version 2026-07-28 has it: without a handshake, and
    /// with metadata on every request.
    pub async fn modern(server: &Server) -> Self {
        Self::builder(server)
            .version(ProtocolVersion::V2026_07_28)
            .connect()
            .await
    }

    /// Connects as someone else, or with another version.
    pub fn builder(server: &Server) -> ClientBuilder<'_> {
        ClientBuilder {
            server,
            principal: None,
            version: ProtocolVersion::NEWEST_LEGACY,
        }
    }

    /// Every tool that the caller may see, as `tools/list` has them.
    ///
    /// # Panics
    ///
    /// Where the server answers with an error.
    #[allow(clippy::panic)]
    pub async fn list_tools(&self) -> Vec<Value> {
        let mut tools = Vec::new();
        let mut params = json!({});
        loop {
            let page = match self.request("tools/list", params).await {
                Ok(page) => page,
                Err(error) => panic!("tools/list: {error}"),
            };
            tools.extend(page["tools"].as_array().into_iter().flatten().cloned());
            match page.get("nextCursor") {
                Some(cursor) => params = json!({"cursor": cursor}),
                None => return tools,
            }
        }
    }

    /// Calls a tool. The call is sent at once; await it for its result.
    ///
    /// `null` as arguments leaves them out.
    pub fn call(&self, tool: &str, arguments: Value) -> Call {
        let mut params = json!({"name": tool});
        if !arguments.is_null() {
            params["arguments"] = arguments;
        }
        let token = self.link.next_id();
        params["_meta"] = json!({"progressToken": token});
        Call::new(self.send(token, "tools/call", params))
    }

    /// Calls a tool with arguments that are JSON text on one line, so that they
    /// arrive as they were written.
    #[cfg(feature = "cli")]
    pub(crate) fn call_with_text(&self, tool: &str, arguments: &str) -> Call {
        let id = self.link.next_id();
        let mut meta = Map::new();
        add_modern_metadata(&mut meta);
        let (tool, meta) = (json!(tool), Value::Object(meta));
        let params = format!(r#"{{"name":{tool},"arguments":{arguments},"_meta":{meta}}}"#);
        Call::new(self.link.request(id, "tools/call", &params))
    }

    /// Sends any request. It is sent at once; await it for its result.
    pub fn request(&self, method: &str, params: Value) -> Request {
        self.send(self.link.next_id(), method, params)
    }

    /// Sends a notification.
    pub fn notify(&self, method: &str, params: Value) {
        self.link
            .write(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
    }

    /// Sends a line as it is, well-formed or not. What the server answers to it
    /// is read with [`next_message`](Self::next_message); a request in it wants
    /// a text as its id, since numbers are the client's own.
    pub fn send_line(&self, line: impl Into<Vec<u8>>) {
        self.link.write(line);
    }

    /// The next message that answers no [`call`](Self::call) or
    /// [`request`](Self::request) of this client and is no progress of one;
    /// `None` once the connection has ended.
    pub async fn next_message(&self) -> Option<Value> {
        self.link.next_message().await
    }

    /// Sends nothing more, and waits until the server has answered what it was
    /// asked and closed the connection.
    pub async fn close(&self) {
        self.link.close().await;
    }

    fn send(&self, id: u64, method: &str, mut params: Value) -> Request {
        if self.era == Era::Modern
            && let Some(params) = params.as_object_mut()
        {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                add_modern_metadata(meta);
            }
        }
        self.link.request(id, method, &params.to_string())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("era", &self.era)
            .finish_non_exhaustive()
    }
}

/// What a request gives itself stays.
fn add_modern_metadata(meta: &mut Map<String, Value>) {
    let members = [
        (
            "protocolVersion",
            json!(ProtocolVersion::V2026_07_28.as_str()),
        ),
        ("clientCapabilities", json!({})),
        ("clientInfo", client_info()),
    ];
    for (name, value) in members {
        meta.entry(format!("io.modelcontextprotocol/{name}"))
            .or_insert(value);
    }
}

fn client_info() -> Value {
    json!({"name": "mcp-kit-testing", "version": env!("CARGO_PKG_VERSION")})
}
