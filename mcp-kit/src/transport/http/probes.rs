//! What load balancers and orchestrators ask.

use std::time::Duration;

use http::{Method, Response, StatusCode};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::body::HttpBody;
use super::options::HttpOptions;
use super::refusal::{Refusal, json_response};
use crate::protocol::encode;

/// How long a check may take.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// How long an outcome of the checks holds. Whoever asks without end asks this.
const FRESH: Duration = Duration::from_secs(1);

/// What the server's own checks said last.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Vec<String>)>>);

impl Readiness {
    /// The names of the checks that fail.
    pub(super) async fn failing(&self, options: &HttpOptions) -> Vec<String> {
        if options.ready_checks.is_empty() {
            return Vec::new();
        }
        let mut last = self.0.lock().await;
        if let Some((at, failing)) = &*last
            && at.elapsed() < FRESH
        {
            return failing.clone();
        }
        let mut failing = Vec::new();
        for (name, check) in &options.ready_checks {
            // In a task of its own: a panic is a check that fails.
            let check = tokio::spawn(check());
            let abort = check.abort_handle();
            match timeout(CHECK_TIME, check).await {
                Ok(Ok(true)) => {}
                _ => {
                    abort.abort();
                    failing.push(name.to_string());
                }
            }
        }
        *last = Some((Instant::now(), failing.clone()));
        failing
    }
}

/// The answer of a probe that finds everything right.
pub(super) fn ok() -> Response<HttpBody> {
    json_response(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
}

/// The answer of a server that takes no calls.
pub(super) fn unready(why: &str, failing: &[String]) -> Response<HttpBody> {
    let mut json = br#"{"status":"#.to_vec();
    encode::string(&mut json, why);
    if !failing.is_empty() {
        json.extend_from_slice(br#","failing":"#);
        encode::json(&mut json, failing);
    }
    json.push(b'}');
    json_response(StatusCode::SERVICE_UNAVAILABLE, json)
}

/// Whether a path is one of the probes.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/health")
}

/// Probes are read.
pub(super) fn check_method(method: &Method) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD) {
        Ok(())
    } else {
        Err(Refusal::method("GET, HEAD"))
    }
}
