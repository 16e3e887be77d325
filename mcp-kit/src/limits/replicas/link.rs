//! The link to the store: one connection that all requests share, a time limit
//! for each, and a pause after a failure.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, RedisFuture, RedisResult};
use tokio::time::{Instant, timeout};

use crate::limits::replicas::StoreUnavailable;
use crate::support::lock::Lock;
use crate::support::lookup;

const TARGET: &str = "mcp_kit::limits::replicas";

/// The minimum time between two log lines about failures.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) prefix: String,
    pub(super) timeout: Duration,
    pub(super) fails_closed: bool,
    /// How long no request is sent after a failure.
    pub(super) pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "mcp-kit:".to_owned(),
            timeout: Duration::from_millis(250),
            fails_closed: false,
            pause: Duration::from_millis(500),
        }
    }
}

/// Connects to the store and sends requests to it.
///
/// A connection is replaced after any failure, also after a mere timeout. One
/// whose other end has disappeared without a word would otherwise stay until
/// the kernel gives it up, which takes a quarter of an hour.
pub(super) struct Link {
    client: redis::Client,
    settings: Settings,
    current: Lock<Current>,
    /// Held by the task that connects; the others wait for the same connection.
    connecting: tokio::sync::Mutex<()>,
    /// Whether the last request failed; `health` has the details.
    is_failing: AtomicBool,
    health: Lock<Health>,
}

/// Resolves the store's name on threads that tools cannot fill.
struct Names;

impl redis::io::AsyncDNSResolver for Names {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let addresses = lookup::addresses(host, port).await?;
            Ok(Box::new(addresses.into_iter()) as Box<_>)
        })
    }
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// The number of this connection, so that a late failure of one does not
    /// end the next.
    serial: u64,
}

#[derive(Default)]
struct Health {
    ask_again_at: Option<Instant>,
    told_at: Option<Instant>,
    /// Whether the last log line reported a failure.
    is_told: bool,
    /// Failures since the last log line.
    untold: u64,
}

impl Link {
    pub(super) fn new(client: redis::Client, settings: Settings) -> Self {
        Self {
            client,
            settings,
            current: Lock::default(),
            connecting: tokio::sync::Mutex::default(),
            is_failing: AtomicBool::new(false),
            health: Lock::default(),
        }
    }

    /// Creates another link to the same store.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.settings.clone();
        change(&mut settings);
        Self::new(self.client.clone(), settings)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a ping to the store, also within the pause.
    pub(super) async fn ping(&self) -> Result<(), StoreUnavailable> {
        self.ask_now(|mut store| async move { redis::cmd("PING").exec_async(&mut store).await })
            .await
    }

    /// Sends a request to the store. `question` may be sent twice: a connection
    /// that the store has closed since it was last used is noticed only then.
    pub(super) async fn ask<T, F>(
        &self,
        question: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, StoreUnavailable>
    where
        F: Future<Output = RedisResult<T>>,
    {
        if self.is_failing.load(Ordering::Relaxed) && !self.may_try() {
            return Err(StoreUnavailable);
        }
        self.ask_now(question).await
    }

    async fn ask_now<T, F>(
        &self,
        question: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, StoreUnavailable>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut serial = None;
        let asking = async {
            let (connection, used) = self.connection(&mut serial).await?;
            match question(connection).await {
                Err(error) if used && error.is_unrecoverable_error() => {
                    self.drop_connection(serial);
                    let (connection, _) = self.connection(&mut serial).await?;
                    question(connection).await
                }
                outcome => outcome,
            }
        };
        let error = match timeout(self.settings.timeout, asking).await {
            Ok(Ok(answer)) => {
                self.succeeded();
                return Ok(answer);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        self.drop_connection(serial);
        self.failed(error.as_ref());
        Err(StoreUnavailable)
    }

    /// Returns the shared connection, and whether it has been used before.
    async fn connection(
        &self,
        serial: &mut Option<u64>,
    ) -> RedisResult<(MultiplexedConnection, bool)> {
        let mut existing = || {
            let current = self.current.lock();
            *serial = Some(current.serial);
            current.connection.clone()
        };
        if let Some(connection) = existing() {
            return Ok((connection, true));
        }
        let _connecting = self.connecting.lock().await;
        if let Some(connection) = existing() {
            return Ok((connection, true));
        }
        // The time limit of the whole request covers both.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_dns_resolver(Names);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let mut current = self.current.lock();
        current.serial += 1;
        current.connection = Some(connection.clone());
        *serial = Some(current.serial);
        Ok((connection, false))
    }

    fn drop_connection(&self, serial: Option<u64>) {
        let mut current = self.current.lock();
        if serial == Some(current.serial) {
            current.connection = None;
        }
    }

    /// Whether the pause is over. One request tries; the others wait for its
    /// outcome.
    fn may_try(&self) -> bool {
        let mut health = self.health.lock();
        let now = Instant::now();
        let may = health.ask_again_at.is_none_or(|at| at <= now);
        if may {
            health.ask_again_at = Some(now + self.settings.pause);
        }
        may
    }

    fn succeeded(&self) {
        if !self.is_failing.load(Ordering::Relaxed) {
            return;
        }
        self.is_failing.store(false, Ordering::Relaxed);
        let mut health = self.health.lock();
        health.ask_again_at = None;
        if std::mem::take(&mut health.is_told) {
            tracing::info!(target: TARGET, "the shared store answers again");
        }
    }

    fn failed(&self, error: Option<&RedisError>) {
        self.is_failing.store(true, Ordering::Relaxed);
        let mut health = self.health.lock();
        let now = Instant::now();
        health.ask_again_at = Some(now + self.settings.pause);
        health.untold += 1;
        if health
            .told_at
            .is_some_and(|told_at| now - told_at < BETWEEN_LINES)
        {
            return;
        }
        health.told_at = Some(now);
        health.is_told = true;
        let failures = std::mem::take(&mut health.untold);
        let error = match error {
            Some(error) => error.to_string(),
            None => format!("no answer within {} ms", self.settings.timeout.as_millis()),
        };
        if self.settings.fails_closed {
            tracing::error!(
                target: TARGET,
                error,
                failures,
                "the shared store does not answer: what needs it is refused until it does"
            );
        } else {
            tracing::warn!(
                target: TARGET,
                error,
                failures,
                "the shared store does not answer: this replica counts for itself until it does"
            );
        }
    }
}
