//! A client over HTTP in the process of its server: it drives the tower service that serves real
//! connections, without a socket.

mod connect;
mod headers;
mod link;
mod response;

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde_json::Value;
use tower_service::Service as _;

pub use response::{Event, HttpRefusal, HttpResponse};

use super::{Script, TestClient, script_setters};
use crate::protocol::ProtocolVersion;
use crate::server::Server;
use crate::transport::http::{HttpService, PeerAddr};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: &str = "last-event-id";

/// A client over HTTP, without a socket: it sends its requests to the tower service of a server,
/// which checks them like those of a real connection. Made by [`TestClient::http`].
///
/// [`connect`](Self::connect) returns a [`TestClient`], which speaks the whole protocol. The other
/// methods send single requests, for tests of statuses, headers, sessions and streams.
///
/// Clones share the service, and with it the sessions and limits; so several callers of one
/// server are clones with different keys.
///
/// # Examples
///
/// Scopes:
///
/// ```
/// use mcp_kit::auth::ApiKeys;
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing::{TestClient, RequestError};
/// use serde_json::json;
///
/// /// Delete every note.
/// #[tool(scope = "notes:write")]
/// async fn clear() -> &'static str {
///     "cleared"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = ApiKeys::from_list("alice:key-of-alice-0001:notes:write,bob:key-of-bob-000002")?;
/// let server = Server::builder("notes", "1.0.0")
///     .tool::<clear>()
///     .http(|http| http.authenticate(keys))
///     .build()?;
/// let http = TestClient::http(&server);
///
/// let alice = http.clone().key("key-of-alice-0001").connect().await?;
/// assert_eq!(alice.call("clear", json!({})).await.text(), "cleared");
///
/// let bob = http.clone().key("key-of-bob-000002").connect().await?;
/// // Without its scope a tool is answered as one that does not exist.
/// let refused = bob.call("clear", json!({})).outcome().await;
/// assert_eq!(refused.unwrap_err().code(), Some(-32602));
///
/// let Err(RequestError::Refused(refusal)) = http.connect().await else {
///     panic!("a key is required");
/// };
/// assert_eq!(refusal.status(), 401);
/// # Ok(())
/// # }
/// ```
///
/// A stream that broke off and is resumed:
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing::TestClient;
/// use serde_json::json;
///
/// /// Count to three.
/// #[tool]
/// async fn count(progress: Progress) -> &'static str {
///     for number in 1..=3 {
///         progress.report(number.into(), Some(3.0), None);
///     }
///     "counted"
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder("counter", "1.0.0").tool::<count>().build()?;
/// let session = TestClient::http(&server).open_session().await?;
/// let mut stream = session
///     .post(&json!({
///         "jsonrpc": "2.0", "id": 1, "method": "tools/call",
///         "params": {"name": "count", "_meta": {"progressToken": "a"}},
///     }))
///     .await;
/// let first = stream.next_event().await.expect("a stream begins with an id");
/// drop(stream); // the connection is lost, and the call goes on
///
/// let mut rest = session.resume(&first.id.expect("it has an id")).await;
/// assert_eq!(rest.status(), 200);
/// let report = rest.next_event().await.expect("the first report").json();
/// assert_eq!(report["params"]["progress"], 1.0);
///
/// assert_eq!(session.delete().await.status(), 204);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestHttpClient {
    server: Server,
    service: HttpService,
    headers: HeaderMap,
    extensions: Extensions,
    version: ProtocolVersion,
    session: Option<HeaderValue>,
    script: Script,
}

impl TestClient {
    /// Creates a client over HTTP, in process and without a socket; see
    /// [`TestHttpClient`].
    ///
    /// Each call makes a separate service with [`Server::http_service`], so
    /// that one test does not use up the limits of another. The caller has the
    /// address 127.0.0.1.
    pub fn http(server: &Server) -> TestHttpClient {
        TestHttpClient::of(server, server.http_service())
    }

    /// Returns the HTTP client that this client was connected with, with its
    /// session; `None` for a client over stdio.
    #[must_use]
    pub fn http_client(&self) -> Option<&TestHttpClient> {
        self.link.http()
    }
}

impl TestHttpClient {
    pub(crate) fn of(server: &Server, service: HttpService) -> Self {
        let host = HeaderValue::from_static("127.0.0.1");
        let client = Self {
            server: server.clone(),
            service,
            headers: HeaderMap::from_iter([(HOST, host)]),
            extensions: Extensions::new(),
            version: ProtocolVersion::NEWEST_LEGACY,
            session: None,
            script: Script::default(),
        };
        client.peer(SocketAddr::from(([127, 0, 0, 1], 50_000)))
    }

    /// Sends an API key (`X-API-Key`).
    ///
    /// # Panics
    ///
    /// Panics if a header cannot have this value.
    #[track_caller]
    pub fn key(self, key: &str) -> Self {
        self.header(API_KEY, key)
    }

    /// Sends a token (`Authorization: Bearer`).
    ///
    /// # Panics
    ///
    /// Panics if a header cannot have this value.
    #[track_caller]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, format!("Bearer {token}"))
    }

    /// Sends this header with every request, in place of one of the same name.
    ///
    /// # Panics
    ///
    /// Panics if the name or the value is not valid.
    #[track_caller]
    #[allow(clippy::panic)]
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        HeaderName: TryFrom<N, Error: Into<http::Error>>,
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        let name = HeaderName::try_from(name).map_err(Into::into);
        let value = HeaderValue::try_from(value).map_err(Into::into);
        match (name, value) {
            (Ok(name), Ok(value)) => self.headers.insert(name, value),
            (Err(error), _) | (_, Err(error)) => panic!("the header is not valid: {error}"),
        };
        self
    }

    /// Removes a header that [`header`](Self::header) or the client itself has
    /// set, such as `Host`.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sets the caller's address; 127.0.0.1 by default. `None` sends requests
    /// without an address, as from an application that does not set
    /// [`PeerAddr`].
    pub fn peer(mut self, address: impl Into<Option<SocketAddr>>) -> Self {
        match address.into() {
            Some(address) => self.extension(PeerAddr(address)),
            None => {
                self.extensions.remove::<PeerAddr>();
                self
            }
        }
    }

    /// Adds a value to the extensions of every request, as an application around the service
    /// does; an [`Authenticator`](crate::auth::Authenticator) reads it.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Sets the protocol version; the newest one with sessions by default.
    pub fn version(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    /// Speaks 2026-07-28: no sessions, and metadata on every request.
    pub fn modern(self) -> Self {
        self.version(ProtocolVersion::V2026_07_28)
    }

    script_setters!();

    /// Sends this session id.
    ///
    /// # Panics
    ///
    /// Panics if a header cannot have this value.
    #[track_caller]
    #[allow(clippy::panic)]
    pub fn session(mut self, id: &str) -> Self {
        match HeaderValue::try_from(id) {
            Ok(id) => self.session = Some(id),
            Err(_) => panic!("the session id is not valid: {id:?}"),
        }
        self
    }

    /// Sends no session id.
    pub fn without_session(mut self) -> Self {
        self.session = None;
        self
    }

    /// Returns the protocol version that the client sends; after the handshake,
    /// the negotiated one.
    #[must_use]
    pub fn protocol_version(&self) -> ProtocolVersion {
        self.version
    }

    /// Returns the session id that the client sends.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_ref()?.to_str().ok()
    }

    /// Returns the path of the server's MCP endpoint.
    #[must_use]
    pub fn path(&self) -> &str {
        self.service.path()
    }

    /// Sends a message, or a batch of them, in a `POST` to the endpoint. The headers that repeat
    /// parts of a message (2026-07-28) are taken from it. The response begins as the server
    /// decides: with the answer, or with the first event of a stream.
    pub async fn post(&self, message: &Value) -> HttpResponse {
        self.post_bytes(message.to_string(), Some(message), None)
            .await
    }

    /// `target` takes the endpoint's place.
    async fn post_bytes(
        &self,
        body: impl Into<Bytes>,
        message: Option<&Value>,
        target: Option<&Uri>,
    ) -> HttpResponse {
        let mut request = self.request(Method::POST, body.into());
        if let Some(target) = target {
            target.clone_into(request.uri_mut());
        }
        let set = request.headers_mut();
        set.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        set.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        if let Some(message) = message {
            headers::repeat(message, self.version, &self.server, set);
        }
        self.leave_own(set);
        self.send(request).await
    }

    /// Opens the session's own stream: a `GET` of the endpoint.
    pub async fn get(&self) -> HttpResponse {
        self.listen(None).await
    }

    /// Continues a stream after the event with this id (`Last-Event-ID`).
    ///
    /// # Panics
    ///
    /// Panics if a header cannot have this value.
    #[allow(clippy::panic)]
    pub async fn resume(&self, last_event: &str) -> HttpResponse {
        match HeaderValue::from_str(last_event) {
            Ok(id) => self.listen(Some(id)).await,
            Err(_) => panic!("the event id is not valid: {last_event:?}"),
        }
    }

    async fn listen(&self, last_event: Option<HeaderValue>) -> HttpResponse {
        let mut request = self.request(Method::GET, Bytes::new());
        let set = request.headers_mut();
        set.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = last_event {
            set.insert(LAST_EVENT_ID, id);
        }
        self.leave_own(set);
        self.send(request).await
    }

    /// Ends the session: a `DELETE` of the endpoint.
    pub async fn delete(&self) -> HttpResponse {
        self.send(self.request(Method::DELETE, Bytes::new())).await
    }

    /// Sends any request. The client adds its session, and those of its headers and extensions
    /// that the request does not have.
    pub async fn send<B: Into<Bytes>>(&self, request: Request<B>) -> HttpResponse {
        let mut request = request.map(|body| Full::new(body.into()));
        let set = request.headers_mut();
        for (name, value) in &self.headers {
            if !set.contains_key(name) {
                set.insert(name, value.clone());
            }
        }
        if let Some(session) = &self.session
            && !set.contains_key(SESSION_ID)
        {
            set.insert(SESSION_ID, session.clone());
        }
        let mut extensions = self.extensions.clone();
        extensions.extend(std::mem::take(request.extensions_mut()));
        *request.extensions_mut() = extensions;
        match self.service.clone().call(request).await {
            Ok(response) => HttpResponse::new(response),
            Err(never) => match never {},
        }
    }

    /// Takes out the headers that the client has of its own: [`send`](Self::send) adds those.
    fn leave_own(&self, set: &mut HeaderMap) {
        for name in self.headers.keys() {
            set.remove(name);
        }
    }

    /// A request to the endpoint.
    fn request(&self, method: Method, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        // A path that no URI can have reaches nothing, as over a socket.
        *request.uri_mut() = self.path().parse().unwrap_or_default();
        let set = request.headers_mut();
        headers::name_version(self.version, self.session.is_some(), set);
        self.leave_own(set);
        request
    }
}

impl fmt::Debug for TestHttpClient {
    /// Omits the headers, which may have keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHttpClient")
            .field("service", &self.service)
            .field("version", &self.version)
            .field("has_session", &self.session.is_some())
            .finish_non_exhaustive()
    }
}
