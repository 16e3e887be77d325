//! Ends the process if its runtime cannot. While handlers block every worker,
//! nothing in the runtime sees a signal, the end of the input, or the end of
//! the drain time; a thread outside of it does. Only the command line starts
//! it: a library does not end its program's process.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::time::{sleep, timeout};

use super::signals::{Signals, check_descriptors};
use crate::server::{Limits, ServerInner};
use crate::support::task::spawn_on;

/// How much later than the runtime's own end the thread ends the process.
const GRACE: Duration = Duration::from_millis(250);

/// How long the runtime may take for an orderly end after the signal to end at
/// once.
const AT_ONCE: Duration = Duration::from_millis(200);

/// How often the input is checked.
const LOOK: Duration = Duration::from_secs(1);

/// The exit code if calls were left without an answer.
const UNANSWERED: i32 = 1;

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
        thread::Builder::new()
            .name("mcp-end".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || own.block_on(watch.run(signals, has_ended)))?;
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
    async fn run(self, mut signals: Signals, has_ended: impl Fn() -> bool) {
        let mut by_drain = false;
        let other =
            async { by_drain = is_first(self.server.drain.started(), ended(&has_ended)).await };
        let by_signal = is_first(signals.next(), other).await;
        let at_once = if by_signal || by_drain {
            // The end of the input counts as the first signal.
            (by_signal && has_ended()) || is_first(signals.next(), sleep(self.longest)).await
        } else {
            is_first(signals.next(), self.blocked()).await
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
        let (logged, is_logged) = mpsc::channel::<()>();
        let logging = thread::Builder::new().spawn(move || {
            tracing::error!(
                target: "mcp_kit::transport",
                "the drain time is over and handlers block every worker of the runtime: the process ends, and their calls get no answer"
            );
            drop(logged);
        });
        if logging.is_ok() {
            let _ = is_logged.recv_timeout(AT_ONCE);
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
async fn ended(has_ended: &impl Fn() -> bool) {
    while !has_ended() {
        sleep(LOOK).await;
    }
}

/// Waits for either future; returns whether the first one ended.
async fn is_first(first: impl Future, second: impl Future) -> bool {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|cx| {
        if first.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        second.as_mut().poll(cx).map(|_| false)
    })
    .await
}
