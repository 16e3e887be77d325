//! The options of the HTTP transport: which callers may reach the server, from
//! where, and within which limits.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
#[cfg(feature = "metrics")]
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::auth::{Authenticator, Authenticators, WELL_KNOWN};
use crate::call::RequestSource;
use crate::limits::{EdgeRates, Rate};
use crate::observe::Meter;
use crate::server::{NetworkOptions, ServerBuilder, ServerInner};
use crate::support::panics::discard_logged;
use crate::transport::http::edge::forwarded::TrustedProxies;
use crate::transport::http::edge::host_check::HostCheck;
use crate::transport::http::limits::HttpLimits;

/// The options of serving over HTTP; set with
/// [`ServerBuilder::http`](crate::server::ServerBuilder::http).
///
/// By default the server answers only callers on this machine, and refuses to
/// start on another address.
///
/// ```
/// use mcp_kit::Server;
/// use mcp_kit::auth::ApiKeys;
///
/// let server = Server::builder("search", "1.0.0")
///     .http(|http| {
///         http.public_url("https://mcp.example.com/mcp")
///             .authenticate(ApiKeys::builder().key("alice", "a-long-random-key").build().unwrap())
///             .trust_proxy("10.0.0.0/8")
///     })
///     .build()?;
/// # Ok::<(), mcp_kit::server::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct HttpOptions {
    pub(crate) path: String,
    pub(crate) hosts: HostCheck,
    pub(crate) public_url: Option<String>,
    pub(crate) authenticators: Authenticators,
    pub(crate) allow_unauthenticated: bool,
    pub(crate) edge_rates: EdgeRates,
    pub(crate) call_rate: Option<Rate>,
    pub(crate) proxies: TrustedProxies,
    /// The request headers that handlers may read.
    exposed_headers: Vec<HeaderName>,
    pub(crate) has_sessions: bool,
    #[cfg(feature = "sse")]
    pub(crate) has_sse: bool,
    pub(crate) ready_checks: Vec<(Cow<'static, str>, ReadyCheck)>,
    pub(crate) drain_delay: Duration,
    pub(crate) limits: HttpLimits,
    #[cfg(feature = "metrics")]
    pub(crate) has_metrics_path: bool,
    #[cfg(feature = "metrics")]
    pub(crate) metrics_address: Option<SocketAddr>,
    problems: Vec<String>,
}

/// Checks whether something that the server needs is available.
pub(crate) type ReadyCheck =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// The checks are a user's, and are dropped with the service, on whatever thread.
impl Drop for HttpOptions {
    fn drop(&mut self) {
        for (_, check) in self.ready_checks.drain(..) {
            discard_logged(check, "a check of readiness");
        }
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            path: "/mcp".to_owned(),
            hosts: HostCheck::default(),
            public_url: None,
            authenticators: Authenticators::default(),
            allow_unauthenticated: false,
            edge_rates: EdgeRates::default(),
            call_rate: Some(Rate::OVER_NETWORK),
            proxies: TrustedProxies::default(),
            exposed_headers: Vec::new(),
            has_sessions: true,
            #[cfg(feature = "sse")]
            has_sse: false,
            ready_checks: Vec::new(),
            drain_delay: Duration::ZERO,
            limits: HttpLimits::default(),
            #[cfg(feature = "metrics")]
            has_metrics_path: false,
            #[cfg(feature = "metrics")]
            metrics_address: None,
            problems: Vec::new(),
        }
    }
}

impl NetworkOptions for HttpOptions {
    fn default_rate(&self) -> Option<Rate> {
        self.call_rate
    }

    fn problems(&self, meter: &Meter) -> Vec<String> {
        let problems = self.own_problems();
        #[cfg(feature = "metrics")]
        let problems = {
            let is_missing = self.shows_metrics() && meter.metrics().is_none();
            problems.chain(is_missing.then(|| NO_METRICS.to_owned()))
        };
        let _ = meter;
        problems.collect()
    }
}

/// A metrics endpoint is configured on a server that has no metrics.
#[cfg(feature = "metrics")]
pub(crate) const NO_METRICS: &str = "http: a metrics endpoint is configured, but the server has no metrics; add .metrics(&Metrics::new())";

impl ServerBuilder {
    /// Configures how the server is served over HTTP; see [`HttpOptions`].
    pub fn http(self, change: impl FnOnce(HttpOptions) -> HttpOptions) -> Self {
        self.network(change)
    }
}

impl ServerInner {
    /// Returns the HTTP options.
    pub(crate) fn http(&self) -> HttpOptions {
        self.network().unwrap_or_default()
    }
}

impl HttpOptions {
    /// Sets the path of the MCP endpoint; `/mcp`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        let is_path = self.path.starts_with('/') && !self.path.contains(['?', '#', ' ']);
        if !is_path {
            self.problems.push(format!(
                "http: the path {:?} must start with `/` and contain no query",
                self.path
            ));
        }
        self
    }

    /// Sets the URL of the MCP endpoint as clients know it, such as
    /// `https://mcp.example.com/mcp`. Its host and its origin are then
    /// accepted.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        let url = url.into();
        if let Err(problem) = self.hosts.allow_url(&url) {
            self.problems.push(problem);
        }
        self.public_url = Some(url);
        self
    }

    /// Accepts requests for this host: `mcp.internal` on any port,
    /// `mcp.internal:8080` on that one.
    pub fn allow_host(mut self, host: impl AsRef<str>) -> Self {
        if let Err(problem) = self.hosts.allow_host(host.as_ref()) {
            self.problems.push(problem);
        }
        self
    }

    /// Accepts requests for any host. Foreign web pages can then reach the
    /// server through a name that points to it (DNS rebinding): only for
    /// servers that require credentials.
    pub fn allow_any_host(mut self) -> Self {
        self.hosts.allow_any_host();
        self
    }

    /// Accepts requests that a browser sends for pages of this origin, such as
    /// `https://app.example.com`. Requests without an `Origin` are not
    /// affected.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        if let Err(problem) = self.hosts.allow_origin(origin.as_ref(), false) {
            self.problems.push(problem);
        }
        self
    }

    /// Lets pages of this origin read the answers (CORS): accepts the origin,
    /// and answers a browser's preflight requests for it.
    pub fn cors_origin(mut self, origin: impl AsRef<str>) -> Self {
        if let Err(problem) = self.hosts.allow_origin(origin.as_ref(), true) {
            self.problems.push(problem);
        }
        self
    }

    /// Authenticates callers with `authenticator`. With several, the first that
    /// knows the credentials decides; credentials that none of them knows are
    /// refused.
    pub fn authenticate(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticators.add(authenticator);
        self
    }

    /// Serves callers without authentication, also on an address that other
    /// machines can reach. They are the principal `anonymous`, which has no
    /// scope; limits by caller count each of their addresses separately.
    pub fn allow_unauthenticated(mut self) -> Self {
        self.allow_unauthenticated = true;
        self
    }

    /// Limits the unauthenticated requests from one address: those without
    /// credentials, those with invalid ones, and all requests to a server that
    /// requires none. 600 per minute; `None` for no limit. IPv6 addresses count
    /// by their /64.
    ///
    /// Requests of authenticated callers do not count, so many users may share
    /// an address. An address that has used up its rate is refused with 429
    /// before its credentials are checked: this limits the guessing of keys.
    pub fn address_rate(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.edge_rates.address = rate.into();
        self
    }

    /// Limits the requests of one caller, of any kind; no limit by default.
    pub fn principal_rate(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.edge_rates.principal = rate.into();
        self
    }

    /// Limits a caller's calls of each primitive (a tool, a prompt, a resource, a
    /// template, and the completion of one) for which neither the server nor the
    /// primitive has a rate of its own; 60 per minute. `None` for no limit.
    pub fn call_rate(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.call_rate = rate.into();
        self
    }

    /// Trusts the client addresses that these proxies report
    /// (`X-Forwarded-For`): an address, a network such as `10.0.0.0/8`, or one
    /// of the words `loopback` and `private`. The header is ignored if it comes
    /// from any other address.
    pub fn trust_proxy(mut self, proxies: impl AsRef<str>) -> Self {
        if let Err(problem) = self.proxies.trust(proxies.as_ref()) {
            self.problems.push(format!("http: {problem}"));
        }
        self
    }

    /// Lets handlers and middlewares read the header `name` of the request, with
    /// [`RequestInfo::header`](crate::RequestInfo::header): a tenant that a proxy
    /// has found out, or a request id to join logs by. A client can send any header
    /// it likes, so a proxy must overwrite those that are relied on.
    ///
    /// Headers that carry credentials (`Authorization`, `Proxy-Authorization`,
    /// `X-API-Key`, `Cookie`, `Mcp-Session-Id`) are refused by `build()`: no
    /// handler should hold them. An [`Authenticator`] can read them, and pass
    /// on what it derives from them with
    /// [`Principal::with_extension`](crate::Principal::with_extension).
    ///
    /// ```
    /// use mcp_kit::{RequestInfo, Server, tool};
    ///
    /// /// Names the region.
    /// #[tool]
    /// async fn region(request: RequestInfo) -> String {
    ///     request.header("x-region").unwrap_or("unknown").to_owned()
    /// }
    ///
    /// let server = Server::builder("regions", "1.0.0")
    ///     .tool::<region>()
    ///     .http(|http| http.expose_header("X-Region"))
    ///     .build()?;
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn expose_header(mut self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        match name.parse::<HeaderName>() {
            Ok(known) if SECRET_HEADERS.contains(&known.as_str()) => {
                self.problems.push(format!(
                    "http: the header {name:?} carries credentials, which no handler should hold; let an Authenticator read it, and hand on what it means with Principal::with_extension"
                ));
            }
            Ok(known) => self.exposed_headers.push(known),
            Err(_) => self
                .problems
                .push(format!("http: {name:?} is not the name of a header")),
        }
        self
    }

    /// Keeps no sessions for clients of the older revisions: each of their
    /// requests is independent and is answered as JSON. Any replica can then
    /// serve any request.
    pub fn without_sessions(mut self) -> Self {
        self.has_sessions = false;
        self
    }

    /// Serves the transport of 2024-11-05 beside the endpoint, for clients that
    /// know no other. `GET /sse` opens a stream, whose first event names the
    /// address for messages (`POST /messages?sessionId=…`); all answers arrive
    /// on the stream. The checks of hosts and credentials and the limits are
    /// those of the endpoint.
    ///
    /// A session lasts as long as its stream: if the stream breaks off, calls
    /// in flight are cancelled. With several replicas the requests of a session
    /// must reach the replica that has its stream. While a client leaves
    /// [`Limits::unread_bytes`](crate::server::Limits::unread_bytes) unread,
    /// its further requests are refused with 503.
    ///
    /// With a [`public_url`](Self::public_url) the address for messages begins
    /// with the part of its path before the endpoint's own. Without one it is
    /// relative to the address of the stream if the service is mounted in an
    /// application or the request came through a proxy that adds a header such
    /// as `X-Forwarded-For`, and `/messages` otherwise.
    #[cfg(feature = "sse")]
    pub fn sse(mut self) -> Self {
        self.has_sse = true;
        self
    }

    /// Limits how often a caller may open a stream of [`sse`](Self::sse); 60
    /// per minute. `None` for no limit. Unauthenticated callers count by their
    /// addresses.
    #[cfg(feature = "sse")]
    pub fn stream_rate(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.edge_rates.stream = rate.into();
        self
    }

    /// Answers `/readyz` with 503 while `check` returns `false` or takes longer
    /// than two seconds. The answer contains the name of a failed check.
    pub fn ready_check<F, Fut>(mut self, name: impl Into<Cow<'static, str>>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        let check: ReadyCheck = Arc::new(move || Box::pin(check()));
        self.ready_checks.push((name.into(), check));
        self
    }

    /// Sets how long the server continues to accept calls after the drain
    /// begins, while `/readyz` already answers 503; none by default. For load
    /// balancers that notice the change late.
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.drain_delay = delay;
        self
    }

    /// Serves the server's metrics on `/metrics` of the same socket, behind the
    /// endpoint's checks of hosts, keys and limits. Requires
    /// [`metrics`](crate::server::ServerBuilder::metrics).
    #[cfg(feature = "metrics")]
    pub fn metrics_on_path(mut self) -> Self {
        self.has_metrics_path = true;
        self
    }

    /// Serves the server's metrics on a separate socket, to every client that
    /// reaches it. Requires [`metrics`](crate::server::ServerBuilder::metrics).
    #[cfg(feature = "metrics")]
    pub fn metrics_on(mut self, address: SocketAddr) -> Self {
        self.metrics_address = Some(address);
        self
    }

    /// Whether metrics are served.
    #[cfg(feature = "metrics")]
    pub(crate) fn shows_metrics(&self) -> bool {
        self.has_metrics_path || self.metrics_address.is_some()
    }

    /// Changes the limits of HTTP.
    pub fn limits(mut self, change: impl FnOnce(&mut HttpLimits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// Returns the problems of the options themselves.
    pub(crate) fn own_problems(&self) -> impl Iterator<Item = String> {
        let path = self.path.as_str();
        let is_taken = TAKEN.contains(&path) || path.starts_with(WELL_KNOWN);
        let doubled = is_taken.then(|| {
            format!(
                "http: the path {path:?} is taken: probes, metrics, the older transport and the metadata for OAuth have paths of their own"
            )
        });
        self.problems
            .iter()
            .cloned()
            .chain(self.limits.problems())
            .chain(doubled)
    }

    /// Returns what handlers may know of a request's origin.
    pub(crate) fn source(&self, headers: &HeaderMap, address: Option<IpAddr>) -> RequestSource {
        let mut source = RequestSource {
            address,
            ..RequestSource::default()
        };
        if !self.exposed_headers.is_empty() {
            let sent = |name: &HeaderName| {
                let value = headers.get(name)?.to_str().ok()?;
                Some((name.as_str().into(), value.into()))
            };
            source.headers = Some(self.exposed_headers.iter().filter_map(sent).collect());
        }
        source
    }

    /// Whether callers must authenticate.
    pub(crate) fn has_authentication(&self) -> bool {
        !self.authenticators.is_empty()
    }
}

/// Headers that carry credentials, and never reach a handler.
const SECRET_HEADERS: [&str; 5] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "cookie",
    "mcp-session-id",
];

/// Reserved paths, in addition to all that begin like those of the OAuth
/// metadata.
const TAKEN: [&str; 6] = [
    "/livez",
    "/readyz",
    "/health",
    "/metrics",
    "/sse",
    "/messages",
];

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("path", &self.path)
            .field("public_url", &self.public_url)
            .field("has_authentication", &self.has_authentication())
            .field("allow_unauthenticated", &self.allow_unauthenticated)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
