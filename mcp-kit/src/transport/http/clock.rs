//! How long a connection may take over what it is doing.
//!
//! One timer a connection, set again only when it rings: a request costs a
//! look at the time and no timer. hyper's own timeout for headers would also
//! close connections on which nothing has begun.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::pressure::Pressure;
use super::socket;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was sent since the last answer.
    Idle,
    /// A request's headers are on their way.
    Head,
    /// This many requests are being answered.
    Serving(u64),
}

/// The phase of a connection and since when it lasts.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    /// Milliseconds since `began` in the upper bits; below them the number of
    /// requests that are being answered, and whether headers are on their way.
    state: AtomicU64,
    /// Answers that are on their way out.
    answering: AtomicUsize,
    /// Milliseconds since `began` when bytes last left.
    wrote: AtomicU64,
}

const HEAD: u64 = 1;
const ONE_REQUEST: u64 = 2;
const BELOW_TIME: u64 = (1 << 16) - 1;

impl Clock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            state: AtomicU64::new(HEAD), // who connects is about to ask
            answering: AtomicUsize::new(0),
            wrote: AtomicU64::new(0),
        })
    }

    /// A request has come in whole, as far as its headers go.
    pub(super) fn serve(self: &Arc<Self>) -> Serving {
        let _ = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                Some((state & !HEAD) + ONE_REQUEST)
            });
        Serving {
            clock: Arc::clone(self),
            is_answered: false,
        }
    }

    /// Since when an answer waits for its client to read.
    fn unread_since(&self) -> Option<Instant> {
        let is_answering = self.answering.load(Ordering::Relaxed) > 0;
        let wrote = Duration::from_millis(self.wrote.load(Ordering::Relaxed));
        is_answering.then(|| self.began + wrote)
    }

    fn has_written(&self) {
        if self.answering.load(Ordering::Relaxed) > 0 {
            self.wrote.store(self.now() >> 16, Ordering::Relaxed);
        }
    }

    /// Whether a request is being answered, as opposed to none, or one whose
    /// headers are on their way.
    pub(super) fn is_serving(&self) -> bool {
        matches!(self.phase().0, Phase::Serving(_))
    }

    fn has_read(&self) {
        let state = self.state.load(Ordering::Relaxed);
        if state & BELOW_TIME == 0 {
            self.state.store(self.now() | HEAD, Ordering::Relaxed);
        }
    }

    fn now(&self) -> u64 {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(0);
        millis << 16
    }

    fn phase(&self) -> (Phase, Instant) {
        let state = self.state.load(Ordering::Relaxed);
        let phase = match state & BELOW_TIME {
            0 => Phase::Idle,
            HEAD => Phase::Head,
            below => Phase::Serving(below / ONE_REQUEST),
        };
        (phase, self.began + Duration::from_millis(state >> 16))
    }
}

/// A request is being answered until this is dropped.
#[derive(Debug)]
pub(super) struct Serving {
    clock: Arc<Clock>,
    is_answered: bool,
}

impl Serving {
    /// Its answer is there, and all that is left is to send it.
    pub(super) fn answer(&mut self) {
        if !std::mem::replace(&mut self.is_answered, true) {
            let clock = &self.clock;
            if clock.answering.fetch_add(1, Ordering::Relaxed) == 0 {
                clock.wrote.store(clock.now() >> 16, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.is_answered {
            self.clock.answering.fetch_sub(1, Ordering::Relaxed);
        }
        let now = self.clock.now();
        let _ = self
            .clock
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                Some(now | (state & BELOW_TIME).saturating_sub(ONE_REQUEST))
            });
    }
}

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) head: Duration,
    pub(super) idle: Duration,
    /// Without a byte of an answer being read.
    pub(super) unread: Duration,
}

/// While memory is short, unread answers have no longer than this.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// What a client is told whose headers take too long.
const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A TCP stream that ends when its client takes too long.
pub(super) struct TimedStream {
    stream: Arc<TcpStream>,
    clock: Arc<Clock>,
    patience: Patience,
    unread: Arc<Pressure>,
    alarm: Pin<Box<Sleep>>,
    /// Since when the client has read nothing of what waits for it.
    stalled: Option<Instant>,
    /// Nothing was read yet.
    is_new: bool,
    /// What comes between requests is no beginning of one, in HTTP/2.
    is_http2: bool,
}

impl TimedStream {
    pub(super) fn new(
        stream: Arc<TcpStream>,
        clock: Arc<Clock>,
        patience: Patience,
        unread: Arc<Pressure>,
    ) -> Self {
        let first = Instant::now() + patience.head;
        Self {
            stream,
            clock,
            patience,
            unread,
            alarm: Box::pin(sleep_until(first)),
            stalled: None,
            is_new: true,
            is_http2: false,
        }
    }

    /// Ready when the client has taken too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        loop {
            std::task::ready!(self.alarm.as_mut().poll(cx));
            let (phase, since) = self.clock.phase();
            let now = Instant::now();
            let mut until = match phase {
                Phase::Idle => since + self.patience.idle,
                Phase::Head => since + self.patience.head,
                // Looked at again after a while.
                Phase::Serving(_) => now + self.patience.head,
            };
            // Bytes that nobody takes may be here, in HTTP/1.1, or with hyper,
            // in HTTP/2.
            let stalled = self.stalled.or_else(|| self.clock.unread_since());
            if let Some(stalled) = stalled {
                let patience = if self.unread.is_high() {
                    SHORT_PATIENCE.min(self.patience.unread)
                } else {
                    self.patience.unread
                };
                if stalled + patience <= now {
                    return Poll::Ready(phase);
                }
                until = until.min(stalled + patience).min(now + SHORT_PATIENCE);
            }
            if until <= now {
                return Poll::Ready(phase);
            }
            self.alarm.as_mut().reset(until);
        }
    }

    /// Notes that the client reads nothing, and says when that has lasted too
    /// long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.stalled.is_none() {
            let now = Instant::now();
            self.stalled = Some(now);
            let look = now + SHORT_PATIENCE;
            if look < self.alarm.deadline() {
                self.alarm.as_mut().reset(look);
            }
        }
        self.poll_overdue(cx)
            .map(|_| io::ErrorKind::TimedOut.into())
    }
}

impl TimedStream {
    fn poll_read_now(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            std::task::ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read_buf(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome.map(drop)),
            }
        }
    }

    /// Writes with `write`, once the socket takes something.
    fn poll_write_now(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let outcome = loop {
            match self.stream.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => return self.poll_stalled(cx).map(Err),
            }
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => break outcome,
            }
        };
        self.stalled = None;
        self.clock.has_written();
        Poll::Ready(outcome)
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match this.poll_read_now(cx, buf) {
            Poll::Ready(outcome) => {
                let read = &buf.filled()[before..];
                if this.is_new && !read.is_empty() {
                    this.is_new = false;
                    this.is_http2 = read.starts_with(b"PRI");
                }
                if !read.is_empty() && !this.is_http2 {
                    this.clock.has_read();
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => match std::task::ready!(this.poll_overdue(cx)) {
                Phase::Idle => Poll::Ready(Ok(())), // an end like any other
                Phase::Head => {
                    if !this.is_http2 {
                        let _ = this.stream.try_write(TOO_SLOW);
                    }
                    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                }
                Phase::Serving(_) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            },
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_now(cx, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_now(cx, |stream| stream.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is written has been given to the system.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket::end_writing(&self.stream))
    }
}
