//! An MCP client in the process of its server. [`testing`](crate::testing) publishes it, and
//! `call` of the command line uses it; it is compiled for either.
//!
//! A [`TestClient`] knows requests, their answers and their progress. It sends through a [`Link`],
//! which moves messages: `stream` speaks the transport of stdio, `http` the one of its name. What
//! arrives goes through the `inbox`, which is the same for both.
#![cfg_attr(
    not(feature = "testing"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "the command line uses a part of it"
    )
)]

#[cfg(all(feature = "http", feature = "testing"))]
pub(crate) mod http;
mod inbox;
mod primitives;
mod request;
mod result;
mod script;
mod stream;
mod subscription;
mod task;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

pub(crate) use inbox::Inbox;
pub use request::{Answered, Request, RequestError, TestCall};
pub use result::{CallResult, GetPromptResult, ReadResourceResult};
pub(crate) use script::Script;
use script::script_setters;
pub use subscription::{Subscription, SubscriptionFilter};
pub use task::TestTask;

#[cfg(feature = "cli")]
use crate::answers::Answers;
pub use crate::answers::{Answer, Asked};
use crate::caller::Principal;
use crate::protocol::{Era, ProtocolVersion};
use crate::server::Server;
use crate::support::json::Members as _;
use request::Rounds;
use stream::StreamLink;

/// Moves the messages of one client to its server. What the server sends goes into the client's
/// [`Inbox`].
pub(crate) trait Link: Send + Sync {
    /// Sends a message.
    fn send(&self, message: Vec<u8>);

    /// Cancels the request `id`.
    fn cancel(&self, id: u64);

    /// Sends nothing more, and ends the inbox once the server has answered.
    fn close(&self);

    /// The client of single requests below this link, if it has one.
    #[cfg(all(feature = "http", feature = "testing"))]
    fn http(&self) -> Option<&http::TestHttpClient> {
        None
    }
}

/// A client in the same process that speaks the whole protocol with a server; nothing is mocked.
///
/// [`new`](Self::new) and [`modern`](Self::modern) connect as a client over stdio does,
/// `TestClient::http` (feature `http`) as one over HTTP. The client needs a tokio runtime, which may
/// have paused time. Dropping the client ends the connection.
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing::TestClient;
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
/// let client = TestClient::new(&server).await;
/// let result = client.call("hello", json!({})).await;
/// assert_eq!(result.text(), "Hello!");
/// assert!(!result.is_error());
///
/// let refused = client.call("hello", json!({"name": "Ada"})).await;
/// assert_eq!(refused.text(), r#"Invalid arguments: unknown argument "name""#);
/// # Ok(())
/// # }
/// ```
pub struct TestClient {
    link: Arc<dyn Link>,
    inbox: Arc<Inbox>,
    next_id: Arc<AtomicU64>,
    era: Era,
    script: Script,
}

/// Opens a connection; made by [`TestClient::builder`].
///
/// ```
/// use mcp_kit::Server;
/// use mcp_kit::testing::{Answer, TestClient};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
/// let server = Server::builder("travel", "1.0.0").build()?;
/// let client = TestClient::builder(&server)
///     .answers([Answer::accept(json!({"seat": "12A"})), Answer::decline()])
///     .connect()
///     .await;
/// // … calls of tools that ask …
/// assert!(client.asked().is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "the connection is opened by `.connect()`"]
#[derive(Debug)]
pub struct TestClientBuilder<'a> {
    server: &'a Server,
    principal: Option<Principal>,
    version: ProtocolVersion,
    script: Script,
}

impl TestClientBuilder<'_> {
    /// Sets the caller; the server's `local` by default.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Sets the protocol version; the newest one with a handshake by default.
    pub fn version(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    script_setters!();

    /// Answers the questions of the server with these.
    #[cfg(feature = "cli")]
    pub(crate) fn answer_by(mut self, answers: Arc<dyn Answers>) -> Self {
        self.script.answer_by(answers);
        self
    }

    /// Opens the connection, with the handshake where the version has one.
    pub async fn connect(self) -> TestClient {
        let client = self.connect_silently();
        if client.era == Era::Legacy {
            // A server that refuses the handshake also refuses what follows,
            // which the test sees.
            let handshake = handshake(self.version, &client.script);
            let _ = client.request("initialize", handshake).await;
            client.notify("notifications/initialized", json!({}));
        }
        client
    }

    /// Opens the connection of a client of the modern era, which has no handshake.
    #[cfg(feature = "cli")]
    pub(crate) fn connect_modern(&self) -> TestClient {
        let (link, inbox) = self.open();
        TestClient::of_era(link, inbox, Era::Modern, self.script.clone())
    }

    /// Opens the connection without the handshake.
    pub fn connect_silently(&self) -> TestClient {
        let (link, inbox) = self.open();
        TestClient::over(link, inbox, self.version.era(), self.script.clone())
    }

    fn open(&self) -> (Arc<dyn Link>, Arc<Inbox>) {
        let inbox = Arc::<Inbox>::default();
        let link = StreamLink::open(self.server, self.principal.clone(), Arc::clone(&inbox));
        (Arc::new(link), inbox)
    }
}

impl TestClient {
    /// Connects with the handshake of 2025-11-25, the newest version that has one.
    pub async fn new(server: &Server) -> Self {
        Self::builder(server).connect().await
    }

    /// Connects with 2026-07-28: without a handshake, and with metadata on every request.
    pub async fn modern(server: &Server) -> Self {
        Self::builder(server)
            .version(ProtocolVersion::V2026_07_28)
            .connect()
            .await
    }

    /// Connects as another caller, or with another version.
    pub fn builder(server: &Server) -> TestClientBuilder<'_> {
        TestClientBuilder {
            server,
            principal: None,
            version: ProtocolVersion::NEWEST_LEGACY,
            script: Script::default(),
        }
    }

    /// A client that sends through `link` and receives from `inbox`.
    pub(crate) fn over(link: Arc<dyn Link>, inbox: Arc<Inbox>, era: Era, script: Script) -> Self {
        if era == Era::Legacy {
            inbox.respond_on(Arc::downgrade(&link));
        }
        Self::of_era(link, inbox, era, script)
    }

    fn of_era(link: Arc<dyn Link>, inbox: Arc<Inbox>, era: Era, script: Script) -> Self {
        if let Some(answers) = script.answers() {
            inbox.answer_by(answers);
        }
        Self {
            link,
            inbox,
            next_id: Arc::new(AtomicU64::new(1)),
            era,
            script,
        }
    }

    /// Returns every tool that the caller may see, as `tools/list` returns
    /// them.
    ///
    /// # Panics
    ///
    /// Panics if the server answers with an error.
    pub async fn list_tools(&self) -> Vec<Value> {
        self.list("tools/list", "tools").await
    }

    /// Returns the items of all pages of a list.
    #[allow(clippy::panic)]
    async fn list(&self, method: &str, member: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut params = json!({});
        loop {
            let page = match self.request(method, params).await {
                Ok(page) => page,
                Err(error) => panic!("{method}: {error}"),
            };
            items.extend(page.at(member).as_array().into_iter().flatten().cloned());
            match page.member("nextCursor") {
                Some(cursor) => params = json!({"cursor": cursor}),
                None => return items,
            }
        }
    }

    /// Calls a tool. The call is sent at once; await it for its result.
    ///
    /// `null` as arguments leaves them out.
    pub fn call(&self, tool: &str, arguments: Value) -> TestCall {
        self.call_by_name("tools/call", tool, arguments)
    }

    fn call_by_name<R: Answered>(&self, method: &str, name: &str, arguments: Value) -> TestCall<R> {
        let mut params = json!({"name": name});
        if !arguments.is_null() {
            params.set_member("arguments", arguments);
        }
        let token = self.next_id();
        params.set_member("_meta", json!({"progressToken": token}));
        TestCall::new(self.send(token, method, params))
    }

    /// Sends a request of the modern era, with progress. `members` is the JSON text of its
    /// parameters on one line, without the braces, so that arguments arrive as they were
    /// written.
    #[cfg(feature = "cli")]
    pub(crate) fn request_with_text(&self, method: &str, members: &str) -> Request {
        let id = self.next_id();
        let mut meta = Map::new();
        meta.insert("progressToken".to_owned(), id.into());
        add_modern_metadata(&mut meta, &self.script);
        let params = format!(r#"{{{members},"_meta":{}}}"#, Value::Object(meta));
        self.send_text(id, method, params)
    }

    /// Sends any request. It is sent at once; await it for its result.
    pub fn request(&self, method: &str, params: Value) -> Request {
        self.send(self.next_id(), method, params)
    }

    /// Sends a notification.
    pub fn notify(&self, method: &str, params: Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.send_line(message.to_string());
    }

    /// Sends a line, well-formed or not; over HTTP, the body of a `POST`. The server's answer is
    /// read with [`next_message`](Self::next_message). A request in it needs a string as its id,
    /// since the numbers are the client's own.
    pub fn send_line(&self, line: impl Into<Vec<u8>>) {
        self.link.send(line.into());
    }

    /// Returns the next message that is neither the answer to a
    /// [`call`](Self::call) or [`request`](Self::request) of this client nor
    /// the progress of one; `None` once the connection has ended.
    pub async fn next_message(&self) -> Option<Value> {
        self.inbox.next_message().await
    }

    /// Returns every question that the server has asked and that was answered by
    /// [`TestClientBuilder::answers`], in their order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.script.asked()
    }

    /// Sends nothing more, and waits until the server has answered every
    /// request and the connection has ended; over HTTP, until the session has.
    pub async fn close(&self) {
        self.link.close();
        self.inbox.ended().await;
    }

    fn send(&self, id: u64, method: &str, mut params: Value) -> Request {
        if self.era == Era::Modern
            && let Some(params) = params.as_object_mut()
        {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                add_modern_metadata(meta, &self.script);
            }
        }
        self.send_text(id, method, params.to_string())
    }

    /// Sends a request whose parameters are JSON text.
    fn send_text(&self, id: u64, method: &str, params: String) -> Request {
        let waiting = self.inbox.expect(id);
        self.send_line(request_line(id, method, &params));
        let request = Request::new(id, waiting, Arc::downgrade(&self.link));
        match self.script.answers() {
            Some(answers) if self.era == Era::Modern => request.in_rounds(Rounds {
                answers: Arc::clone(answers),
                inbox: Arc::clone(&self.inbox),
                next_id: Arc::clone(&self.next_id),
                method: method.to_owned(),
                params,
            }),
            _ => request,
        }
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient")
            .field("era", &self.era)
            .finish_non_exhaustive()
    }
}

/// The parameters of `initialize`.
pub(crate) fn handshake(version: ProtocolVersion, script: &Script) -> Value {
    json!({
        "protocolVersion": version.as_str(),
        "capabilities": script.capabilities(),
        "clientInfo": client_info(),
    })
}

/// Adds what a request of 2026-07-28 carries; members that are there stay.
fn add_modern_metadata(meta: &mut Map<String, Value>, script: &Script) {
    let members = [
        (
            "protocolVersion",
            json!(ProtocolVersion::V2026_07_28.as_str()),
        ),
        ("clientCapabilities", script.capabilities()),
        ("clientInfo", client_info()),
    ];
    for (name, value) in members {
        meta.entry(format!("io.modelcontextprotocol/{name}"))
            .or_insert(value);
    }
}

/// Returns a request as a line; `params` is JSON text.
fn request_line(id: u64, method: &str, params: &str) -> String {
    let method = Value::from(method);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{params}}}"#)
}

fn client_info() -> Value {
    json!({"name": "mcp-kit-testing", "version": env!("CARGO_PKG_VERSION")})
}
