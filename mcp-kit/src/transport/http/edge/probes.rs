//! The endpoints for load balancers and orchestrators: `/livez`, `/readyz` and
//! `/health`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Response, StatusCode};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::protocol::encode;
use crate::support::lock::Lock;
use crate::support::task::AbortOnDrop;
use crate::transport::http::edge::options::{HttpOptions, ReadyCheck};
use crate::transport::http::message::body::{HttpBody, json_response};
use crate::transport::http::message::refusal::Refusal;

/// The time limit of a check.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// How long an outcome of the checks is reused, so that frequent probes do not
/// run them each time.
const FRESH: Duration = Duration::from_secs(1);

/// The last outcome of the server's own checks.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Lock<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<(Instant, Arc<[String]>)>,
    /// The round of checks that is running. Requests that arrive meanwhile wait
    /// for it.
    round: Option<watch::Receiver<()>>,
}

impl Readiness {
    /// Returns the names of the failing checks.
    pub(crate) async fn failing(self: &Arc<Self>, options: &HttpOptions) -> Arc<[String]> {
        if options.ready_checks.is_empty() {
            return Arc::default();
        }
        loop {
            let mut round = {
                let mut state = self.0.lock();
                if let Some((at, failing)) = &state.last
                    && at.elapsed() < FRESH
                {
                    return Arc::clone(failing);
                }
                match &state.round {
                    Some(round) if round.has_changed().is_ok() => round.clone(),
                    // There is no round, or its runtime shut down before it
                    // ended.
                    _ => {
                        let (ends, round) = watch::channel(());
                        state.round = Some(round.clone());
                        let checks = options.ready_checks.clone();
                        tokio::spawn(Arc::clone(self).run(checks, ends));
                        round
                    }
                }
            };
            // An error means that the round has ended.
            while round.changed().await.is_ok() {}
        }
    }

    /// Runs the checks in a task of their own: the client that caused them may
    /// leave.
    async fn run(
        self: Arc<Self>,
        checks: Vec<(Cow<'static, str>, ReadyCheck)>,
        ends: watch::Sender<()>,
    ) {
        let mut failing = Vec::new();
        for (name, check) in checks {
            // In a task of its own: a panic is a failed check.
            let mut check = AbortOnDrop(tokio::spawn(async move { check().await }));
            if !matches!(timeout(CHECK_TIME, &mut check.0).await, Ok(Ok(true))) {
                failing.push(name.into_owned());
            }
        }
        {
            let mut state = self.0.lock();
            state.last = Some((Instant::now(), failing.into()));
            state.round = None;
        }
        drop(ends);
    }
}

/// The answer of a successful probe.
pub(crate) fn ok() -> Response<HttpBody> {
    json_response(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
}

/// The answer of a server that accepts no calls.
pub(crate) fn unready(why: &str, failing: &[String]) -> Response<HttpBody> {
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
pub(crate) fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/health")
}

/// Allows only methods that read.
pub(crate) fn check_method(method: &Method) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD) {
        Ok(())
    } else {
        Err(Refusal::method("GET, HEAD"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;
    use tokio::time::sleep;

    use super::*;

    /// Checks that count their runs, and how many of them run at once.
    struct Checks {
        asked: Arc<AtomicUsize>,
        running: Arc<AtomicUsize>,
        options: HttpOptions,
    }

    struct Runs(Arc<AtomicUsize>);

    impl Drop for Runs {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A check that returns `says` once `until` is notified.
    fn checks(until: &Arc<Notify>, says: bool) -> Checks {
        let (asked, running) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (asks, runs) = (Arc::clone(&asked), Arc::clone(&running));
        let until = Arc::clone(until);
        let options = HttpOptions::default().ready_check("store", move || {
            asks.fetch_add(1, Ordering::Relaxed);
            runs.fetch_add(1, Ordering::Relaxed);
            let (runs, until) = (Runs(Arc::clone(&runs)), Arc::clone(&until));
            async move {
                let _runs = runs;
                until.notified().await;
                says
            }
        });
        Checks {
            asked,
            running,
            options,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_early_takes_no_outcome_along() {
        let until = Arc::default();
        let checks = checks(&until, false);
        let readiness = Arc::<Readiness>::default();
        for _ in 0..20 {
            let asking = readiness.failing(&checks.options);
            assert!(timeout(Duration::from_millis(10), asking).await.is_err());
        }
        assert_eq!(checks.asked.load(Ordering::Relaxed), 1);
        until.notify_one();
        assert_eq!(*readiness.failing(&checks.options).await, ["store"]);
        assert_eq!(*readiness.failing(&checks.options).await, ["store"]);
        assert_eq!(checks.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_says_nothing_fails_and_ends() {
        let checks = checks(&Arc::default(), true);
        let readiness = Arc::<Readiness>::default();
        for round in 1..4 {
            let both = tokio::join!(
                readiness.failing(&checks.options),
                readiness.failing(&checks.options)
            );
            assert_eq!((&*both.0, &*both.1), (&["store".to_owned()][..], &*both.0));
            assert_eq!(checks.asked.load(Ordering::Relaxed), round);
            sleep(FRESH).await;
            assert_eq!(checks.running.load(Ordering::Relaxed), 0);
        }
    }
}
