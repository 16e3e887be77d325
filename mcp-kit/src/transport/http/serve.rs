//! Serves on a socket of the server's own: accepting, draining, ending.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::time::{Instant, sleep, timeout_at};

use crate::server::{Limits, Server};
#[cfg(feature = "metrics")]
use crate::support::task::AbortOnDrop;
use crate::transport::LAST_WRITE;
use crate::transport::http::connection::connections::Connections;
use crate::transport::http::edge::admission::LOCKED;
use crate::transport::http::service::HttpService;
use crate::transport::signals::Signals;

/// How long to wait before the next attempt when no connection can be accepted
/// for lack of a resource.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The same if other connections were evicted, whose descriptors are free
/// shortly after.
const ENDING: Duration = Duration::from_millis(2);

/// The minimum time between two log lines about connections that cannot be
/// accepted.
const LOG_PACE: Duration = Duration::from_secs(10);

impl Server {
    /// Serves over HTTP on `address`, until the server drains: SIGTERM and
    /// SIGINT begin the drain, and a second one ends it at once.
    ///
    /// While it drains, `/readyz` answers 503, new calls are refused, and calls
    /// in flight continue; then open streams are ended and connections closed.
    ///
    /// # Errors
    ///
    /// Returns the system's error if the address cannot be used. Returns
    /// `InvalidInput` for an address that other machines can reach while no
    /// authentication is configured, or while no host is named: the message
    /// explains what to configure.
    pub async fn serve_http(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        let addresses: Vec<_> = tokio::net::lookup_host(address).await?.collect();
        for address in &addresses {
            self.check_address(*address)?;
        }
        let listener = TcpListener::bind(&*addresses).await?;
        self.serve_http_on(listener).await
    }

    /// Serves over HTTP on a socket that listens already, like
    /// [`serve_http`](Self::serve_http).
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`serve_http`](Self::serve_http).
    pub async fn serve_http_on(&self, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        self.check_address(address)?;
        let mut signals = Signals::listen()?;
        let options = self.inner().http();
        let mut hosts = options.hosts.clone();
        if !address.ip().to_canonical().is_loopback() {
            hosts = hosts.without_loopback();
        }
        #[cfg(feature = "metrics")]
        let _metrics = self.serve_metrics().await?;
        let service = HttpService::new(self, hosts);
        let connections = Connections::new(&options.limits);
        service.shared().edge.requests.limit(connections.most());
        tracing::info!(
            target: "mcp_kit::http",
            address = address.to_string(),
            path = options.path,
            "listening"
        );
        let ending = async {
            tokio::select! {
                () = signals.next() => {}
                () = self.inner().drain.started() => {}
            }
            tracing::info!(target: "mcp_kit::http", "draining");
            let drained = drain(self, &service, &connections);
            tokio::select! {
                () = drained => {}
                () = signals.next() => {}
            }
        };
        let _end = EndOnDrop(&connections);
        // The listener stays open while the server drains, so that probes are
        // answered.
        tokio::select! {
            () = ending => {}
            () = accept(&listener, &service, &connections) => {}
        }
        drop(listener);
        // After a second signal there is no time for more than this.
        connections.end();
        let _ = timeout_at(Instant::now() + LAST_WRITE, connections.none_left()).await;
        Ok(())
    }

    /// Serves the metrics on their own socket until the result is dropped.
    #[cfg(feature = "metrics")]
    async fn serve_metrics(&self) -> io::Result<Option<AbortOnDrop<()>>> {
        let (Some(address), Some(metrics)) = (
            self.inner().http().metrics_address,
            self.inner().meter.metrics(),
        ) else {
            return Ok(None);
        };
        let listener = metrics.bind(address).await?;
        tracing::info!(
            target: "mcp_kit::http",
            metrics_address = listener.local_addr()?.to_string(),
            "metrics"
        );
        Ok(Some(AbortOnDrop(tokio::spawn(listener.serve()))))
    }

    /// Refuses an address that other machines can reach if that is not safe.
    fn check_address(&self, address: SocketAddr) -> io::Result<()> {
        let options = self.inner().http();
        let is_public = !address.ip().to_canonical().is_loopback();
        let invalid = |message: String| Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        let is_open = !options.has_authentication() && !options.allow_unauthenticated;
        if is_open && !is_public && options.hosts.names_hosts() {
            return invalid(LOCKED.to_owned());
        }
        // Lists all that is missing at once: each item takes a start to find.
        let mut missing = Vec::new();
        if is_open {
            missing.push(
                "no authentication is configured: set API keys in MCP_API_KEYS, in a file (--keys-file) or with .authenticate(…), or allow every caller with .allow_unauthenticated() (--allow-unauthenticated)",
            );
        }
        if !options.hosts.names_hosts() {
            missing.push(
                "no host name is configured: set the URL with .public_url(\"https://…\") (--public-url), or the hosts with .allow_host(…) (--allow-host)",
            );
        }
        if !is_public || missing.is_empty() {
            return Ok(());
        }
        invalid(format!(
            "refusing to listen on {address}, which other machines can reach: {}. Or listen on 127.0.0.1",
            missing.join("; and ")
        ))
    }
}

async fn accept(listener: &TcpListener, service: &HttpService, connections: &Arc<Connections>) {
    let mut logged_at: Option<Instant> = None;
    loop {
        if connections.is_behind() {
            sleep(ENDING).await;
        }
        match listener.accept().await {
            Ok((stream, _)) => connections.serve(stream, service),
            // The client caused it, not this server.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            // Usually no descriptor is left (EMFILE, ENFILE).
            Err(error) => {
                if logged_at.is_none_or(|at| at.elapsed() >= LOG_PACE) {
                    logged_at = Some(Instant::now());
                    tracing::error!(
                        target: "mcp_kit::http",
                        %error,
                        "cannot accept connections; ends those that only wait"
                    );
                }
                let is_one_freed = connections.free_descriptor();
                sleep(if is_one_freed { ENDING } else { BACK_OFF }).await;
            }
        }
    }
}

/// Continues as before for the drain delay, then refuses calls and waits for
/// those in flight.
async fn drain(server: &Server, service: &HttpService, connections: &Connections) {
    let inner = server.inner();
    // Even a sleep of zero takes a moment, in which calls would still be
    // accepted.
    let delay = inner.http().drain_delay;
    if !inner.drain.is_draining() && !delay.is_zero() {
        inner.drain.announce();
        tokio::select! {
            () = sleep(delay) => {}
            () = inner.drain.started() => {}
        }
    }
    inner.drain.begin();
    let time = inner.limits.drain_time.min(Limits::LONGEST_TIME);
    let until = Instant::now() + time;
    if timeout_at(until, service.shared().mcp.in_flight.no_calls())
        .await
        .is_err()
    {
        service.shared().mcp.give_up_calls();
    }
    inner.tasks.drained(until).await;
    connections.close();
    // Answers are on their way as long as their clients read them.
    let last_write = Instant::now() + LAST_WRITE;
    if timeout_at(last_write, connections.none_left())
        .await
        .is_err()
        && service.shared().edge.requests.has_answers()
    {
        let _ = timeout_at(until, connections.none_left()).await;
    }
}

/// Ends all connections when the serving future is dropped.
struct EndOnDrop<'a>(&'a Connections);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
