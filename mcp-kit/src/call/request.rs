//! The request that a call came with, without its caller and its arguments.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::{CallContext, CallRequest};
use crate::protocol::meta::is_of_protocol;
use crate::protocol::{ClientDetails, ClientInfo, ProtocolVersion, RequestId};

/// The request that a call came with: which client sent it, from where, and
/// under which id.
///
/// Handlers take it as a parameter, middlewares with [`Call::request`](super::Call::request).
///
/// ```
/// use mcp_kit::{RequestInfo, tool};
///
/// /// Names the caller's program.
/// #[tool]
/// async fn program(request: RequestInfo) -> String {
///     match request.client() {
///         Some(client) => format!("{} {}", client.name(), client.version()),
///         None => "unknown".to_owned(),
///     }
/// }
/// ```
///
/// It holds nothing of the call: it can be kept after the call has ended.
#[derive(Clone)]
pub struct RequestInfo(Arc<RequestFacts>);

/// What is known of a request.
struct RequestFacts {
    request: CallRequest,
    client: Option<Arc<ClientDetails>>,
    /// The client's information about itself, as JSON.
    client_text: Option<Box<str>>,
    /// The same, once it has been parsed.
    read_client: OnceLock<Option<Box<ClientInfo>>>,
    /// The request's `_meta`, as JSON, if it has members that are not the
    /// specification's.
    meta: Option<Box<str>>,
}

/// The origin of a request; empty over stdio.
#[derive(Clone, Default)]
pub(crate) struct RequestSource {
    pub(crate) address: Option<IpAddr>,
    /// A digest of the session's id; unlike the id it is not a secret.
    pub(crate) session: Option<Arc<str>>,
    /// The headers that handlers may read.
    pub(crate) headers: Option<Arc<[ExposedHeader]>>,
}

/// How a request reached the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Over stdin and stdout.
    Stdio,
    /// Over HTTP.
    Http,
    /// Over a pair of the program's own byte streams.
    Streams,
    /// From code within the process.
    #[default]
    Code,
}

impl Transport {
    /// Returns its word: `stdio`, `http`, `streams`, `code`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Streams => "streams",
            Self::Code => "code",
        }
    }
}

/// The origin of a request, as its trace records it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) transport: Transport,
    #[cfg(feature = "otel")]
    pub(crate) http_version: Option<&'static str>,
    #[cfg(feature = "otel")]
    pub(crate) session: Option<Arc<str>>,
    /// The trace that the HTTP headers name.
    #[cfg(feature = "otel")]
    pub(crate) parent: Option<opentelemetry::trace::SpanContext>,
}

/// A header's name in lower case, and its value.
pub(crate) type ExposedHeader = (Box<str>, Box<str>);

impl RequestSource {
    /// Returns the number of bytes that the client made it hold.
    pub(crate) fn size(&self) -> usize {
        let headers = self.headers.iter().flat_map(|headers| headers.iter());
        headers.map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl RequestInfo {
    /// Copies what is known of a call's request, so that a handler that keeps it does
    /// not keep the call, its arguments and its stream.
    pub(super) fn of(call: &CallContext) -> Self {
        Self(Arc::new(RequestFacts {
            request: call.request.clone(),
            client: call.client.clone(),
            client_text: call.text.client().map(Box::from),
            read_client: OnceLock::new(),
            meta: call.text.meta().map(Box::from),
        }))
    }

    /// Returns the id of the request. The client chooses it; two clients, and
    /// two sessions of one, may choose the same.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.0.request.id
    }

    /// Returns the protocol version of the request.
    #[must_use]
    pub fn protocol_version(&self) -> ProtocolVersion {
        self.0.request.version
    }

    /// Returns the client's program, as it describes itself: in each request of
    /// 2026-07-28, in `initialize` for the older versions. `None` if it does
    /// not, for older clients without sessions, and for sessions that another
    /// replica has opened.
    #[must_use]
    pub fn client(&self) -> Option<&ClientInfo> {
        let facts = &*self.0;
        let read = || ClientInfo::from_json(facts.client_text.as_deref()?).map(Box::new);
        let client = facts.client.as_deref();
        let client = client.and_then(|client| client.info.as_ref());
        client.or_else(|| facts.read_client.get_or_init(read).as_deref())
    }

    /// Returns the members of the request's `_meta` that the specification does
    /// not define, such as those of a host or an extension. They are parsed at
    /// each call of this method. The client chose them: treat them as
    /// arguments that nothing has checked.
    ///
    /// ```
    /// use mcp_kit::{RequestInfo, tool};
    ///
    /// /// Returns the tenant that the host sends along.
    /// #[tool]
    /// async fn tenant(request: RequestInfo) -> String {
    ///     match request.meta().get("example.com/tenant") {
    ///         Some(tenant) => tenant.to_string(),
    ///         None => "none".to_owned(),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn meta(&self) -> Map<String, Value> {
        let text = self.0.meta.as_deref().unwrap_or("{}");
        let mut members: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        members.retain(|key, _| !is_of_protocol(key));
        members
    }

    /// Returns an identifier of the client's session over HTTP, which traces
    /// also use: the same for all of its requests, and another for each
    /// session. It is a digest of the id by which the client reaches the
    /// session, and does not open it, so it may be logged. `None` over stdio
    /// and for 2026-07-28, which have no sessions.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.0.request.source.session.as_deref()
    }

    /// Returns the client's address over HTTP: the socket's, or the one that a
    /// trusted proxy reports (`HttpOptions::trust_proxy`). `None` if it is not
    /// known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.request.source.address
    }

    /// Returns the value of an HTTP header that handlers may read
    /// (`HttpOptions::expose_header`), the first one of its name. `None` for
    /// all other headers, and for values that are not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self
            .0
            .request
            .source
            .headers
            .iter()
            .flat_map(|all| all.iter());
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }
}

/// Omits the headers, which may hold secrets.
impl fmt::Debug for RequestInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestInfo")
            .field("id", self.id())
            .field("protocol_version", &self.protocol_version())
            .field("client", &self.client())
            .field("session_id", &self.session_id())
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}
