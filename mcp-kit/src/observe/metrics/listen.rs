//! Serves `GET /metrics` on a separate address: for servers over stdio, and for
//! those whose public address should not show numbers.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::observe::metrics::Metrics;

/// How many connections are served at once; others wait in the system's queue.
const CONNECTIONS: usize = 16;

/// How long the headers of a request may take.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// How long a connection may take, for its one request and the answer.
const CONNECTION_TIME: Duration = Duration::from_secs(30);

/// The most that is read of a request, in bytes.
const HEADER_BYTES: usize = 16 * 1024;

/// The pause after a failed `accept`, whose usual cause is a lack of
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that serves `GET /metrics` and nothing else; made by
/// [`Metrics::bind`].
///
/// It requires no key, so bind it to loopback or to a network that only your
/// operators reach. On loopback it answers only requests for loopback hosts, so
/// that no web page can read it through a name of its own (DNS rebinding).
///
/// At most 16 connections are served at once, one request on each; headers have
/// 16 KiB and 10 s, a connection has 30 s.
#[derive(Debug)]
pub struct MetricsListener {
    socket: TcpListener,
    metrics: Metrics,
    is_loopback: bool,
}

impl Metrics {
    /// Listens on `address` for readers of the metrics. Port 0 selects a free
    /// one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use mcp_kit::observe::metrics::Metrics;
    ///
    /// let metrics = Metrics::new();
    /// let listener = metrics.bind(([127, 0, 0, 1], 0).into()).await?;
    /// let address = listener.local_addr()?;
    /// tokio::spawn(listener.serve());
    /// # let _ = address;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the system's error if the address cannot be bound.
    pub async fn bind(&self, address: SocketAddr) -> io::Result<MetricsListener> {
        let socket = TcpListener::bind(address).await?;
        let is_loopback = socket.local_addr()?.ip().to_canonical().is_loopback();
        Ok(MetricsListener {
            socket,
            metrics: self.clone(),
            is_loopback,
        })
    }
}

impl MetricsListener {
    /// Returns the address that it listens on.
    ///
    /// # Errors
    ///
    /// Returns the system's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until this future is dropped, which also ends open connections.
    pub async fn serve(self) {
        self.serve_until(std::future::pending()).await;
    }

    /// Serves until `end` is ready, which also ends open connections.
    pub async fn serve_until(self, end: impl Future<Output = ()>) {
        let mut end = pin!(end);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let mut accepting = pin!(self.accept(&places));
            let accepted = poll_fn(|cx| match end.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => accepting.as_mut().poll(cx).map(Some),
            });
            let Some(accepted) = accepted.await else {
                return;
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, place)) => {
                    let (metrics, is_loopback) = (self.metrics.clone(), self.is_loopback);
                    connections.spawn(async move {
                        // A client that is too slow, or breaks off, does not
                        // wait for an answer.
                        let _ = timeout(CONNECTION_TIME, serve(stream, metrics, is_loopback)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(target: "mcp_kit::metrics", error = &error as &(dyn std::error::Error + 'static), "a connection for metrics cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn accept(
        &self,
        places: &Arc<Semaphore>,
    ) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(places)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?; // the semaphore is never closed
        let (stream, _) = self.socket.accept().await?;
        Ok((stream, place))
    }
}

async fn serve(stream: TcpStream, metrics: Metrics, is_loopback: bool) -> Result<(), hyper::Error> {
    let service = service_fn(move |request| {
        let response = answer(&request, &metrics, is_loopback);
        async move { Ok::<_, Infallible>(response) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn answer<B>(request: &Request<B>, metrics: &Metrics, is_loopback: bool) -> Response<Full<Bytes>> {
    if is_loopback && !names_loopback(request) {
        return plain(
            StatusCode::FORBIDDEN,
            "This address answers for localhost alone.\n",
        );
    }
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "There is /metrics here.\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "Use GET.\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(header::ALLOW, allowed);
        return refusal;
    }
    let mut response = Response::new(Full::new(Bytes::from(metrics.encode())));
    let kind = HeaderValue::from_static(Metrics::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Whether the request is for a host that only this machine can mean.
fn names_loopback<B>(request: &Request<B>) -> bool {
    let from_header = || {
        let host = request.headers().get(header::HOST)?;
        host.to_str().ok()?.parse::<http::uri::Authority>().ok()
    };
    let Some(authority) = request.uri().authority().cloned().or_else(from_header) else {
        return false;
    };
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
