//! Sends batches to the collector, and logs when that fails.
//!
//! It blocks: the only caller is the exporter's own thread, so no runtime is
//! required, not even at the end of the process.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::observe::otel::TraceError;

/// The most that is read of an answer, in bytes. Nothing in it is needed.
const ANSWER_BYTES: u64 = 64 * 1024;

/// The target of the events, for filters.
const TARGET: &str = "mcp_kit::otel";

pub(super) struct Client {
    agent: Agent,
    /// The last batch could not be sent.
    fails: AtomicBool,
}

impl Client {
    /// Creates a client. `authorities` is a PEM file of the authorities to
    /// trust in place of the public ones.
    pub(super) fn new(timeout: Duration, authorities: Option<&Path>) -> Result<Self, TraceError> {
        let tls = match authorities {
            None => TlsConfig::default(),
            Some(path) => TlsConfig::builder()
                .root_certs(read_authorities(path)?)
                .build(),
        };
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // The spans and the keys in the headers are for the one endpoint.
            .max_redirects(0)
            .user_agent(concat!("mcp-kit/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: config.into(),
            fails: AtomicBool::new(false),
        })
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let response = self.agent.run(Request::from_parts(parts, &body[..]))?;
        let (parts, mut body) = response.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }

    /// Logs the first failure, and the first success after it.
    fn tell(&self, outcome: &Result<Response<Bytes>, ureq::Error>) {
        let problem = match outcome {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("the collector answered {}", response.status())),
            Err(error) => Some(error.to_string()),
        };
        let failed_before = self.fails.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(error) if !failed_before => tracing::warn!(
                target: TARGET,
                error,
                "traces cannot be sent; they are tried again and then dropped until the collector takes them"
            ),
            None if failed_before => tracing::info!(target: TARGET, "traces are sent again"),
            _ => {}
        }
    }
}

#[crate::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let outcome = self.send(request);
        self.tell(&outcome);
        Ok(outcome?)
    }
}

/// Omits the agent, which has a proxy's credentials.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

fn read_authorities(path: &Path) -> Result<RootCerts, TraceError> {
    let problem = |what: String| {
        TraceError(format!(
            "the file of OTEL_EXPORTER_OTLP_CERTIFICATE, {}, {what}; it must hold certificates as PEM",
            path.display()
        ))
    };
    let pem = fs::read(path).map_err(|error| problem(format!("cannot be read ({error})")))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(problem("is damaged".to_owned())),
        }
    }
    if certificates.is_empty() {
        return Err(problem("holds no certificate".to_owned()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}
