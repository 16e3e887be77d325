//! The system's requests to end: signals on Unix, console events on Windows.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

#[cfg(unix)]
use tokio::signal::unix::Signal;
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown};

/// SIGTERM and SIGINT on Unix; on Windows Ctrl-C, Ctrl-Break, and the events of
/// a console that closes, a user who logs off and a system that shuts down.
///
/// Windows ends a process about 5 seconds after the last three, whatever it
/// does. `docker stop` sends a Windows container the last.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(windows)]
    events: (CtrlC, CtrlBreak, CtrlClose, CtrlLogoff, CtrlShutdown),
}

/// Checks that there are descriptors for what a runtime opens to hear signals:
/// tokio panics without them.
///
/// # Errors
///
/// The system's, if there are not.
#[cfg(any(feature = "cli", all(feature = "stdio", unix)))]
pub(crate) fn check_descriptors() -> io::Result<()> {
    #[cfg(unix)]
    {
        // A runtime opens some for its events before the pair for signals.
        const OTHERS: usize = 6;
        let pair = std::os::unix::net::UnixStream::pair()?;
        let others = (0..OTHERS).map(|_| pair.0.try_clone());
        others.collect::<io::Result<Vec<_>>>()?;
    }
    Ok(())
}

impl Signals {
    /// Listens from now on; on Unix, within a runtime.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Listens from now on.
    #[cfg(windows)]
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        Ok(Self {
            events: (
                ctrl_c()?,
                ctrl_break()?,
                ctrl_close()?,
                ctrl_logoff()?,
                ctrl_shutdown()?,
            ),
        })
    }

    /// Listens before there is a runtime. What arrives until one runs is kept
    /// for it.
    #[cfg(all(unix, feature = "stdio"))]
    pub(crate) fn listen_early() -> io::Result<Self> {
        check_descriptors()?;
        // tokio registers a signal only within a runtime; which one does not
        // matter, and one without threads costs next to nothing.
        let asking = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let _inside = asking.enter();
        Self::listen()
    }

    /// Listens before there is a runtime. What arrives until one runs is kept
    /// for it.
    #[cfg(all(windows, feature = "stdio"))]
    pub(crate) fn listen_early() -> io::Result<Self> {
        Self::listen()
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        poll_fn(|cx| self.poll_next(cx)).await;
    }

    #[cfg(unix)]
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        either([
            self.terminate.poll_recv(cx).is_ready(),
            self.interrupt.poll_recv(cx).is_ready(),
        ])
    }

    #[cfg(windows)]
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (c, break_, close, logoff, shutdown) = &mut self.events;
        either([
            c.poll_recv(cx).is_ready(),
            break_.poll_recv(cx).is_ready(),
            close.poll_recv(cx).is_ready(),
            logoff.poll_recv(cx).is_ready(),
            shutdown.poll_recv(cx).is_ready(),
        ])
    }
}

/// Every source has been polled, so that each wakes the task.
fn either<const N: usize>(ready: [bool; N]) -> Poll<()> {
    if ready.contains(&true) {
        Poll::Ready(())
    } else {
        Poll::Pending
    }
}
