//! Ends the process if its runtime cannot. While handlers block every worker,
//! nothing in the runtime sees a signal, the end of the input, or the end of
//! the drain time; a thread outside of it does. Only the command line starts
//! it: a library does not end its program's process.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::time::{sleep, timeout};

use super::signals::{Signals, check_descriptors};
use crate::server::{Limits, ServerInner};
use crate::support::task::{block_on, spawn_on};
use crate::support::threads;

/// How much later than the runtime's own end the thread ends the process.
const GRACE: Duration = Duration::from_millis(250);

/// How long the runtime may take for an orderly end after the signal to end at
/// once.
const AT_ONCE: Duration = Duration::from_millis(200);

/// How often the input is checked.
const LOOK: Duration = Duration::from_secs(1);

/// The exit code if calls were left without an answer.
const UNANSWERED: i32 = 1;

/// Returns whether the client has closed its end of the input.
type HasEnded = Box<dyn Fn() -> bool + Send>;

/// Ends the process, unless this is dropped first.
#[derive(Debug)]
pub(crate) struct Ending {
    is_served: Arc<AtomicBool>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.is_served.store(true, Ordering::Release);
        // The process ends: what is dropped with the runtime comes too late for programs.
        #[cfg(feature = "process")]
        crate::guard::process::kill_all();
    }
}

impl Ending {
    /// Starts the thread. `after` is how long the transport takes to end once
    /// the drain time is over, and `has_ended` returns whether the client has closed
    /// its end of the input.
    ///
    /// # Errors
    ///
    /// The system's, if there can be no thread.
    pub(crate) fn start(
        server: &Arc<ServerInner>,
        runtime: &Handle,
        after: Duration,
        has_ended: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        Self::start_watch(server, runtime, after, Box::new(has_ended))
    }

    fn start_watch(
        server: &Arc<ServerInner>,
        runtime: &Handle,
        after: Duration,
        has_ended: HasEnded,
    ) -> io::Result<Self> {
        #[cfg(feature = "process")]
        crate::guard::process::open();
        let is_served = Arc::new(AtomicBool::new(false));
        let time = server.limits.drain_time.min(Limits::LONGEST_TIME);
        let watch = Watch {
            server: Arc::clone(server),
            runtime: runtime.clone(),
            longest: time.saturating_add(after).saturating_add(GRACE),
            is_served: Arc::clone(&is_served),
        };
        check_descriptors()?;
        let own = Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _inside = own.enter();
            Signals::listen()?
        };
        let run = move || block_on(&own, pin!(watch.run(signals, has_ended)));
        threads::start("mcp-end", Some(256 * 1024), Box::new(run))?;
        Ok(Self { is_served })
    }
}

struct Watch {
    server: Arc<ServerInner>,
    runtime: Handle,
    longest: Duration,
    is_served: Arc<AtomicBool>,
}

impl Watch {
    async fn run(self, mut signals: Signals, has_ended: HasEnded) {
        let mut by_drain = false;
        let by_signal = {
            let mut started = pin!(self.server.drain.started());
            let mut ended = pin!(ended(&has_ended));
            let mut other = pin!(async {
                by_drain = is_first(started.as_mut(), ended.as_mut()).await;
            });
            is_signal_first(&mut signals, other.as_mut()).await
        };
        let at_once = if by_signal || by_drain {
            // The end of the input counts as the first signal.
            (by_signal && has_ended())
                || is_signal_first(&mut signals, pin!(sleep(self.longest))).await
        } else {
            is_signal_first(&mut signals, pin!(self.blocked())).await
        };
        if at_once {
            sleep(AT_ONCE).await; // the runtime ends in order, if it can
            self.end(0);
        } else {
            self.end_unanswered();
        }
    }

    /// Waits until no worker was free for as long as a drain may take. While
    /// one is, the runtime sees the end of the input itself.
    async fn blocked(&self) {
        while timeout(self.longest, spawn_on(&self.runtime, async {}))
            .await
            .is_ok()
        {
            sleep(LOOK).await;
        }
    }

    fn end_unanswered(&self) {
        if self.is_served.load(Ordering::Acquire) {
            return;
        }
        // A subscriber may wait for a stderr that is not read.
        let log = || {
            tracing::error!(
                target: "mcp_kit::transport",
                "the drain time is over and handlers block every worker of the runtime: the process ends, and their calls get no answer"
            );
        };
        if let Ok(logging) = threads::start("mcp-last-log", None, Box::new(log)) {
            let until = Instant::now() + AT_ONCE;
            while !logging.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
        }
        self.end(UNANSWERED);
    }

    fn end(&self, code: i32) {
        if !self.is_served.load(Ordering::Acquire) {
            #[cfg(feature = "process")]
            crate::guard::process::kill_all();
            crate::support::stderr::flush();
            exit(code);
        }
    }
}

/// Waits for the end of the input.
async fn ended(has_ended: &HasEnded) {
    while !has_ended() {
        sleep(LOOK).await;
    }
}

/// Waits for a signal or for `other`; returns whether the signal came first.
async fn is_signal_first(signals: &mut Signals, other: AnyFuture<'_>) -> bool {
    is_first(pin!(signals.next()), other).await
}

type AnyFuture<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Waits for either future; returns whether the first one ended.
async fn is_first(mut first: AnyFuture<'_>, mut second: AnyFuture<'_>) -> bool {
    poll_fn(|cx| {
        if first.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        second.as_mut().poll(cx).map(|()| false)
    })
    .await
}
