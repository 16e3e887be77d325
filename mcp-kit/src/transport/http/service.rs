//! The HTTP service: from a request to its response.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tower_service::Service;

use crate::limits::ByteBudget;
use crate::limits::SharedSessions;
#[cfg(feature = "metrics")]
use crate::observe::metrics::Metrics;
use crate::protocol::{ErrorCode, RpcError};
use crate::server::Server;
use crate::support::panics::{Panicked, contain};
use crate::support::reference::Reference;
use crate::transport::http::calls::mcp::Mcp;
use crate::transport::http::connection::activity::Serving;
use crate::transport::http::connection::{Client, Serve};
use crate::transport::http::edge::Edge;
use crate::transport::http::edge::admission::{Admitted, check_form};
use crate::transport::http::edge::cors;
use crate::transport::http::edge::host_check::HostCheck;
use crate::transport::http::edge::probes;
#[cfg(feature = "sse")]
use crate::transport::http::edge::resources::{SSE_MESSAGES, SSE_STREAM};
use crate::transport::http::endpoint::mcp::{self, Endpoint};
use crate::transport::http::message::body::{Held, HttpBody, json_response};
use crate::transport::http::message::headers;
use crate::transport::http::message::refusal::{Reason, Refusal, busy};
use crate::transport::http::message::request_body::{self, RequestBody};
use crate::transport::http::sessions::Sessions;
#[cfg(feature = "sse")]
use crate::transport::http::sse;

/// A server as a `tower::Service`; made by [`Server::http_service`].
///
/// It answers the MCP endpoint and the probes, and everything else with 404.
/// Cloning is cheap and returns the same service. The guide has [an example
/// with axum](crate::guide::http#in-an-axum-or-hyper-app).
///
/// It reads the client's address from the extension [`PeerAddr`]: for the
/// limits by address, and because a server without authentication serves only
/// this machine. Without the extension such a server refuses every request with
/// 403, unless callers without authentication are allowed
/// ([`allow_unauthenticated`](crate::transport::http::HttpOptions::allow_unauthenticated)).
#[derive(Clone)]
pub struct HttpService {
    shared: Arc<Shared>,
}

/// The address of the socket that a request came from: an extension of the
/// request, for services mounted in an application. [`Server::serve_http`] sets
/// it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// The state that all requests share.
pub(crate) struct Shared {
    pub(crate) edge: Arc<Edge>,
    pub(crate) mcp: Arc<Mcp>,
    pub(crate) endpoint: Endpoint,
    #[cfg(feature = "sse")]
    streams: Arc<sse::Streams>,
}

impl Server {
    /// Returns the server as a `tower::Service`, to be mounted in an
    /// application that is served by axum or hyper, with the options of
    /// [`ServerBuilder::http`](crate::server::ServerBuilder::http).
    ///
    /// The application owns the socket, its timeouts, its limits on connections
    /// and the size of headers, and its shutdown; [`Server::drain_handle`]
    /// begins a drain. A server that requires no credentials needs the
    /// requests' [`PeerAddr`].
    ///
    /// Each call makes another service, with its own sessions, limits and rates
    /// of callers and addresses. Clone the service to serve it in several
    /// places.
    #[must_use]
    pub fn http_service(&self) -> HttpService {
        let hosts = self.inner().http().hosts.clone();
        HttpService::new(self, hosts)
    }
}

impl HttpService {
    pub(crate) fn new(server: &Server, hosts: HostCheck) -> Self {
        let store = server.inner().shared_sessions();
        Self::sharing(server, hosts, store)
    }

    /// Creates a service that shares its sessions with other replicas.
    pub(crate) fn sharing(
        server: &Server,
        hosts: HostCheck,
        store: Option<Arc<dyn SharedSessions>>,
    ) -> Self {
        let options = server.inner().http();
        let server = Arc::clone(server.inner());
        let rates = server.edge_limits(&options.edge_rates);
        let edge = Arc::new(Edge::new(Arc::new(options), hosts, rates));
        let mcp = Mcp::new(server, Arc::clone(&edge));
        let sessions = Sessions::new(&mcp, store);
        Self {
            shared: Arc::new(Shared {
                #[cfg(feature = "sse")]
                streams: sse::Streams::new(&sessions),
                endpoint: Endpoint {
                    mcp: Arc::clone(&mcp),
                    sessions,
                    subscriptions: Arc::default(),
                },
                mcp,
                edge,
            }),
        }
    }

    /// Returns the path of the MCP endpoint.
    #[cfg(feature = "testing")]
    pub(crate) fn path(&self) -> &str {
        &self.shared.edge.options.path
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Answers a request.
    #[expect(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` has room for each argument twice, and this one is moved for every request"
    )]
    pub(crate) fn handle(
        self,
        parts: Parts,
        mut body: RequestBody,
        client: Client,
        mut held: Held,
    ) -> impl Future<Output = Result<Response<HttpBody>, Infallible>> + Send + use<> {
        async move {
            let shared = &self.shared;
            let (address, is_reserve) = (client.address, client.is_reserve);
            let responded = if is_reserve && !probes::is_probe(parts.uri.path()) {
                Err(busy().closing())
            } else {
                let mut responding = pin!(shared.respond(&parts, &mut body, client));
                // Kept here: a response is large, and each layer that returns one moves it.
                let mut responded = None;
                poll_fn(|cx| {
                    let poll = || {
                        let polled = responding.as_mut().poll(cx);
                        polled.map(|response| responded = Some(response))
                    };
                    contain(poll).unwrap_or_else(|panic| {
                        responded = Some(Err(panicked(&panic)));
                        Poll::Ready(())
                    })
                })
                .await;
                responded.unwrap_or_else(|| Err(busy()))
            };
            let mut response = match responded {
                Ok(response) => response,
                Err(refusal) => {
                    if let Some(reason) = refusal.reason() {
                        shared.mcp.server.meter.refused(reason);
                        let client = address
                            .map(|peer| shared.edge.options.proxies.client(peer, &parts.headers));
                        let _ = contain(|| {
                            tracing::info!(
                                target: "mcp_kit::http",
                                status = refusal.status().as_u16(),
                                reason = reason.as_str(),
                                address = client.map(tracing::field::display),
                                "refused"
                            );
                        });
                    }
                    if let Some(serving) = &mut held.serving {
                        serving.refuse();
                    }
                    // Many clients read an answer only once they have sent the
                    // whole body; a client that waits for `100 Continue` does
                    // not. The reserve is too small to wait for a client.
                    let looks_late =
                        !body.is_end_stream() && !parts.headers.contains_key(http::header::EXPECT);
                    if looks_late && !is_reserve {
                        let most = shared.mcp.server.limits.message_bytes.saturating_mul(2);
                        Box::pin(request_body::discard(&mut body, most)).await;
                    }
                    refusal.into_response(headers::spoken(&parts.headers))
                }
            };
            if shared.edge.hosts.has_cors() {
                cors::allow(&mut response, shared.edge.hosts.cors(&parts.headers));
            }
            // What was not refused for lack of room counts all the same: refusals,
            // documents, metrics.
            let uncounted = response.body().uncounted();
            if uncounted > 0 {
                response.body_mut().held().unread = Some(shared.mcp.unread.hold(uncounted));
            }
            response.body_mut().serve(held.serving);
            Ok(response)
        }
    }
}

impl Shared {
    async fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: &mut RequestBody,
        client: Client,
    ) -> Result<Response<HttpBody>, Refusal> {
        check_form(parts)?;
        let path = parts.uri.path();
        if path == self.edge.options.path || path.strip_suffix('/') == Some(&self.edge.options.path)
        {
            return self.endpoint(parts, body, client).await;
        }
        match path {
            "/livez" | "/health" => {
                probes::check_method(&parts.method)?;
                Ok(probes::ok())
            }
            "/readyz" => {
                probes::check_method(&parts.method)?;
                Ok(self.edge.readiness(self.mcp.server.drain.is_ending()).await)
            }
            #[cfg(feature = "metrics")]
            "/metrics" if self.edge.options.has_metrics_path => {
                probes::check_method(&parts.method)?;
                self.edge.enter(parts, client.address).await?;
                Ok(self.metrics())
            }
            // Boxed: most requests need no room for it.
            #[cfg(feature = "sse")]
            SSE_STREAM | SSE_MESSAGES if self.edge.options.has_sse => {
                let answered = Box::pin(self.sse(parts, body, client)).await;
                answered.map_err(|refusal| self.edge.resources.of_sse(refusal))
            }
            _ => {
                let Some(document) = self.edge.resources.document(path) else {
                    return Err(Refusal::not_found(format!(
                        "Not found: the MCP endpoint is {}",
                        self.edge.options.path
                    )));
                };
                if let Some(response) = self.edge.preflight(parts, &client)? {
                    return Ok(response);
                }
                probes::check_method(&parts.method)?;
                Ok(json_response(StatusCode::OK, document.to_vec()))
            }
        }
    }

    /// Runs the admission checks, and then the endpoint itself.
    async fn endpoint(
        self: &Arc<Self>,
        parts: &Parts,
        body: &mut RequestBody,
        client: Client,
    ) -> Result<Response<HttpBody>, Refusal> {
        let (caller, open) = match self.edge.admit(parts, &client).await? {
            Admitted::Caller(caller, open) => (caller, open),
            Admitted::Preflight(response) => return Ok(*response),
        };
        let served = mcp::serve(&self.endpoint, parts, body, caller, client.socket);
        let mut response = served.await?;
        // Endless streams have a separate limit.
        if !response.body().is_endless() {
            response.body_mut().held().request = Some(open.answered());
        }
        Ok(response)
    }

    /// Serves the transport of 2024-11-05, behind the same checks.
    #[cfg(feature = "sse")]
    async fn sse(
        self: &Arc<Self>,
        parts: &Parts,
        body: &mut RequestBody,
        client: Client,
    ) -> Result<Response<HttpBody>, Refusal> {
        let (caller, open) = match self.edge.admit(parts, &client).await? {
            Admitted::Caller(caller, open) => (caller, open),
            Admitted::Preflight(response) => return Ok(*response),
        };
        let (mut response, open) = if parts.uri.path() == SSE_STREAM {
            sse::check_stream(&self.streams, parts)?;
            self.edge.admit_stream(&caller.0, &client).await?;
            let is_mounted = matches!(body, RequestBody::Other(_));
            let stream = sse::stream(&self.streams, parts, is_mounted, &caller.0)?;
            (stream, open.endless())
        } else {
            (
                sse::message(&self.streams, parts, body, caller).await?,
                open,
            )
        };
        response.body_mut().held().request = Some(open.answered());
        Ok(response)
    }

    #[cfg(feature = "metrics")]
    fn metrics(&self) -> Response<HttpBody> {
        let metrics = self.mcp.server.meter.metrics();
        let text = metrics.map(Metrics::encode).unwrap_or_default();
        let mut response = Response::new(HttpBody::whole(text));
        response.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static(Metrics::CONTENT_TYPE),
        );
        response
    }
}

/// Refuses a request with a reference, since code on the way to its response
/// panicked: an authenticator, a check of readiness, a subscriber.
#[cold]
fn panicked(panic: &Panicked) -> Refusal {
    let reference = Reference::new();
    let _ = contain(|| {
        tracing::error!(
            target: "mcp_kit::http",
            reference = reference.to_string(),
            error = panic.as_str(),
            "a request was not answered"
        );
    });
    Refusal::of(
        StatusCode::INTERNAL_SERVER_ERROR,
        None,
        RpcError::new(
            ErrorCode::InternalError,
            format!(
                "An internal error occurred (reference {reference}). The issue has been logged."
            ),
        ),
    )
}

/// Serves on the server's own socket.
impl Serve for HttpService {
    type Body = HttpBody;

    fn answer(
        self,
        request: Request<Incoming>,
        client: Client,
        serving: Serving,
    ) -> impl Future<Output = Result<Response<HttpBody>, Infallible>> + Send + 'static {
        let (parts, body) = request.into_parts();
        let held = Held::of(serving);
        self.handle(parts, RequestBody::Hyper(body), client, held)
    }

    fn no_room(&self) {
        self.shared.mcp.server.meter.refused(Reason::Busy);
    }

    fn unread(&self) -> &Arc<ByteBudget> {
        &self.shared.mcp.unread
    }
}

/// Serves in an application.
impl<B> Service<Request<B>> for HttpService
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<HttpBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let body = body
            .map_frame(|frame| {
                frame.map_data(|mut data| {
                    let length = bytes::Buf::remaining(&data);
                    bytes::Buf::copy_to_bytes(&mut data, length)
                })
            })
            .map_err(Into::into)
            .boxed_unsync();
        let peer = parts.extensions.get::<PeerAddr>();
        let client = Client {
            address: peer.map(|peer| peer.0.ip()),
            ..Client::default()
        };
        let body = RequestBody::Other(body);
        let service = self.clone();
        Box::pin(service.handle(parts, body, client, Held::default()))
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("server", &self.shared.mcp.server.name)
            .field("path", &self.shared.edge.options.path)
            .finish_non_exhaustive()
    }
}
