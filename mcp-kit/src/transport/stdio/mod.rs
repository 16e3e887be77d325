//! stdin and stdout as a transport.
//!
//! Both belong to the protocol. The wire takes private copies of the two
//! descriptors (handles on Windows). A later reader of stdin, such as a child
//! process, finds it empty, and output that is printed to stdout reaches the
//! log on Unix and stderr on Windows, never the client.

#[cfg(unix)]
mod descriptors;
#[cfg(windows)]
mod handles;
#[cfg(all(unix, target_os = "linux"))]
mod nonblocking;
mod threads;

use std::future::{Future, poll_fn};
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::time::Instant;

use super::signals::Signals;
use super::stream::{self, Greeting};
use crate::call::{Origin, Transport};
use crate::server::Server;
use crate::support::task::{AbortOnDrop, spawn};
use crate::transport::LAST_WRITE;

pub(crate) struct Streams {
    pub(crate) input: stream::Input,
    pub(crate) output: stream::Output,
    /// Set if the kind of output can report that its reader is gone.
    reader_gone: Option<ReaderGone>,
}

/// Set at the end of stdin.
#[derive(Clone, Debug, Default)]
struct EndFlag(Arc<AtomicBool>);

impl EndFlag {
    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Reports whether the client has closed its end of stdin, even if unread bytes
/// remain.
pub(crate) struct StdinEnd {
    #[cfg(unix)]
    file: OwnedFd,
    flag: EndFlag,
}

impl StdinEnd {
    pub(crate) fn has_ended(&self) -> bool {
        #[cfg(unix)]
        if descriptors::is_hung_up(&self.file) {
            return true;
        }
        self.flag.0.load(Ordering::Acquire)
    }
}

/// Ends once no process can read the output any more.
type ReaderGone = Pin<Box<dyn Future<Output = ()> + Send>>;

/// stdin and stdout, taken for the protocol; [`Server::serve_taken`] serves
/// them. Take them before anything can print.
pub struct Stdio {
    #[cfg(unix)]
    descriptors: descriptors::Descriptors,
    #[cfg(windows)]
    handles: handles::Handles,
    /// Set by the thread that reads stdin, if one does.
    end: EndFlag,
    greeting: Option<Greeting>,
    /// Received since the greeting.
    signals: Option<Signals>,
}

impl Stdio {
    /// Takes stdin and stdout for the protocol.
    ///
    /// What is printed from now on becomes lines of the log on stderr (on
    /// Windows it goes to stderr unchanged, and a console is left alone). A
    /// process that reads stdin, such as a child process, finds it empty.
    ///
    /// # Errors
    ///
    /// Returns the system's error if a descriptor is closed or cannot be
    /// copied, and an error if they were taken before.
    pub fn take() -> io::Result<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(io::Error::other(
                "stdin and stdout are taken already: a process serves one client over them, once",
            ));
        }
        Ok(Self {
            #[cfg(unix)]
            descriptors: descriptors::Descriptors::take()?,
            #[cfg(windows)]
            handles: handles::Handles::take()?,
            end: EndFlag::default(),
            greeting: None,
            signals: None,
        })
    }

    /// Answers the client's first message before there is a runtime, if it
    /// arrives within 10 ms. What follows is left for
    /// [`Server::serve_taken`].
    ///
    /// Hosts show nothing before that answer, and starting a runtime's threads
    /// takes longer than all the rest of a server's start. A SIGTERM or SIGINT
    /// from here on is kept for `serve_taken`. Elsewhere than on Unix this does
    /// nothing.
    #[cfg(unix)]
    pub fn greet(&mut self, server: &Server) {
        // First: a client that has its answer may at once ask the server to
        // end.
        self.signals = Signals::listen_early().ok();
        let inner = server.inner();
        let mut greeting =
            Greeting::new(inner, inner.local.clone()).from(Origin::of(Transport::Stdio));
        self.descriptors.greet(inner, &mut greeting);
        self.greeting = Some(greeting);
    }

    /// Returns whether stdin has ended, without reading it.
    pub(crate) fn input_end(&self) -> io::Result<StdinEnd> {
        Ok(StdinEnd {
            #[cfg(unix)]
            file: self.descriptors.input()?,
            flag: self.end.clone(),
        })
    }

    async fn serve(mut self, server: &Server) -> io::Result<()> {
        let inner = server.inner();
        let greeting = self.greeting.take().unwrap_or_else(|| {
            Greeting::new(inner, inner.local.clone()).from(Origin::of(Transport::Stdio))
        });
        let Streams {
            input,
            output,
            reader_gone,
        } = self.streams()?;
        let serving = stream::serve(Arc::clone(inner), greeting, input, output);
        let Some(reader_gone) = reader_gone else {
            return serving.await;
        };
        // A write would also show it, but only once there is something to
        // write: until then, calls would run without a client.
        let mut watching = AbortOnDrop(spawn(reader_gone));
        let mut serving = std::pin::pin!(serving);
        poll_fn(|cx| {
            if let Poll::Ready(outcome) = serving.as_mut().poll(cx) {
                return Poll::Ready(outcome);
            }
            Pin::new(&mut watching.0).poll(cx).map(|_| Ok(()))
        })
        .await
    }

    /// Listens to the console's events from here on; the first message is
    /// answered by `serve`.
    #[cfg(windows)]
    pub fn greet(&mut self, _: &Server) {
        self.signals = Signals::listen_early().ok();
    }

    #[cfg(unix)]
    fn streams(self) -> io::Result<Streams> {
        self.descriptors.streams(self.end)
    }

    #[cfg(windows)]
    fn streams(self) -> io::Result<Streams> {
        self.handles.streams(self.end)
    }
}

impl std::fmt::Debug for Stdio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stdio").finish_non_exhaustive()
    }
}

impl Server {
    /// Serves one client over stdin and stdout, until stdin ends or the server
    /// drains; SIGTERM and SIGINT begin the drain, and a second one ends the
    /// connection at once. The end of stdin counts as the first: hosts close
    /// it, send SIGTERM after a while, and kill the process if that takes too
    /// long.
    ///
    /// Requires a tokio runtime with IO and time. On a runtime of one thread a
    /// handler that blocks delays everything else; `mcp_kit::cli::run` starts a
    /// runtime that is not affected.
    ///
    /// # Errors
    ///
    /// Returns the system's error if stdin or stdout cannot be used, for
    /// example because the file system of stdout is full. A client that has
    /// gone is not an error.
    pub async fn serve_stdio(&self) -> io::Result<()> {
        self.serve_taken(Stdio::take()?).await
    }

    /// Serves one client like [`serve_stdio`](Self::serve_stdio), on
    /// descriptors that were taken earlier.
    ///
    /// # Errors
    ///
    /// Returns the system's error if stdin or stdout cannot be used, for
    /// example because the file system of stdout is full. A client that has
    /// gone is not an error.
    pub async fn serve_taken(&self, mut stdio: Stdio) -> io::Result<()> {
        let mut signals = match stdio.signals.take() {
            Some(signals) => signals,
            None => Signals::listen()?,
        };
        let drain = self.drain_handle();
        let (end_now, mut ended) = tokio::sync::oneshot::channel::<()>();
        // In a task of its own: the connection is polled for every chunk, and
        // need not check the signals each time.
        let input = stdio.input_end()?;
        let watching = AbortOnDrop(spawn(async move {
            signals.next().await;
            drain.begin();
            // The end of stdin counts as the first signal.
            if !input.has_ended() {
                signals.next().await;
            }
            drop(end_now);
        }));
        let mut serving = std::pin::pin!(stdio.serve(self));
        let outcome = poll_fn(|cx| {
            if let Poll::Ready(outcome) = serving.as_mut().poll(cx) {
                return Poll::Ready(outcome);
            }
            if self.inner().drain.is_draining() {
                // The second signal drops the other end.
                return Pin::new(&mut ended).poll(cx).map(|_| Ok(()));
            }
            Poll::Pending
        })
        .await;
        drop(watching);
        // Their client was this one.
        let tasks = &self.inner().tasks;
        tasks.close(Instant::now() + LAST_WRITE).await;
        outcome
    }
}
