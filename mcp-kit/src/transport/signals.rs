//! The signals that ask a server to end.

use std::io;

/// SIGTERM and SIGINT; elsewhere than on Unix, Ctrl-C.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Listens before there is a runtime. What arrives until one runs is kept
    /// for it.
    #[cfg(all(unix, feature = "stdio"))]
    pub(crate) fn listen_early() -> io::Result<Self> {
        // tokio hands signals only to who asked within a runtime; which one
        // does not matter, and one without threads costs next to nothing.
        let asking = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let _inside = asking.enter();
        Self::listen()
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        std::future::poll_fn(|cx| {
            let terminated = self.terminate.poll_recv(cx).is_ready();
            if terminated || self.interrupt.poll_recv(cx).is_ready() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
