//! A connection's stream, which ends when its client takes too long, or when
//! its connection is evicted.
//!
//! Each connection has one timer, which is set again only when it fires: a
//! request costs a look at the time and no timer. hyper's own timeout for
//! headers would also close connections on which no request has begun.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::ByteBudget;
use crate::transport::http::connection::activity::{Activity, Phase, Round};
use crate::transport::http::connection::socket::{self, Socket};

/// The time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) head: Duration,
    pub(crate) idle: Duration,
    /// The time without the client reading a byte of an answer.
    pub(crate) unread: Duration,
}

/// The limit for unread answers while memory is short.
pub(crate) const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// The answer to a client whose connection has no place, or has lost it.
pub(crate) const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";

/// The answer to a client whose headers take too long.
const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A TCP stream that ends when its client takes too long.
pub(crate) struct GuardedStream {
    reading: OwnedReadHalf,
    writing: Socket,
    activity: Arc<Activity>,
    patience: Patience,
    unread: Arc<ByteBudget>,
    alarm: Pin<Box<Sleep>>,
    /// When the client stopped reading what waits for it.
    stalled: Option<Instant>,
    /// When the present round of answers began.
    round: Instant,
    /// How many bytes of the HTTP/2 preface have arrived, until it is known
    /// whether the connection is HTTP/2. In HTTP/2, bytes between requests do
    /// not begin a request.
    preface: Option<usize>,
    /// When an evicted HTTP/2 connection ends, after its GOAWAY.
    leaving: Option<Instant>,
}

impl GuardedStream {
    pub(crate) fn new(
        (reading, writing): (OwnedReadHalf, Socket),
        activity: Arc<Activity>,
        patience: Patience,
        unread: Arc<ByteBudget>,
    ) -> Self {
        let now = Instant::now();
        Self {
            reading,
            writing,
            activity,
            patience,
            unread,
            alarm: Box::pin(sleep_until(now + patience.head)),
            stalled: None,
            round: now,
            preface: Some(0),
            leaving: None,
        }
    }

    /// Ready when the client has taken too long.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        loop {
            std::task::ready!(self.alarm.as_mut().poll(cx));
            let (phase, since) = self.activity.phase();
            let now = Instant::now();
            let mut until = match phase {
                Phase::Evicted => self.leaving.unwrap_or(now),
                Phase::Idle => since + self.patience.idle,
                Phase::Head => since + self.patience.head,
                // Checked again after a while.
                Phase::Serving => now + self.patience.head,
            };
            if self.activity.is_http2() {
                // Nothing else reports stalled answers.
                until = until.min(now + self.patience.head);
            }
            let stands_since = match self.activity.look() {
                Round::Idle => None,
                Round::Same => Some(self.round),
                Round::New => {
                    self.round = now;
                    Some(now)
                }
            };
            // Unread bytes may be here, in HTTP/1.1, or with hyper, in HTTP/2.
            let stalled = match (self.stalled, stands_since) {
                (Some(stalled), Some(stands)) => Some(stalled.min(stands)),
                (stalled, stands) => stalled.or(stands),
            };
            if let Some(stalled) = stalled {
                let patience = if self.unread.is_nearly_full() {
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

    /// Records that the client does not read. Ready when that has lasted too
    /// long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.stalled.is_none() {
            let now = Instant::now();
            self.stalled = Some(now);
            self.activity.stalls();
            let look = now + SHORT_PATIENCE;
            if look < self.alarm.deadline() {
                self.alarm.as_mut().reset(look);
            }
        }
        self.poll_overdue(cx)
            .map(|_| io::ErrorKind::TimedOut.into())
    }

    /// Whether an evicted connection ends now. An HTTP/2 client is notified
    /// first (see `connections`), and has a moment to finish.
    fn gives_way(&mut self) -> bool {
        if !self.activity.is_evicted() {
            self.leaving = None;
            return false;
        }
        if !self.activity.is_http2() {
            return true;
        }
        if self.leaving.is_none() {
            let until = Instant::now() + SHORT_PATIENCE;
            self.leaving = Some(until);
            self.alarm.as_mut().reset(until);
        }
        false
    }

    /// Answers a client whose request has begun, and ends the connection.
    fn give_way(&self, is_asking: bool) -> io::Result<()> {
        if is_asking && !self.activity.is_http2() {
            let _ = self.writing.try_write(NO_ROOM);
        }
        Ok(())
    }

    /// Writes with `write`, once the socket accepts bytes.
    fn poll_write_now(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let stream: &TcpStream = (*self.writing).as_ref();
        let outcome = loop {
            match stream.poll_write_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => return self.poll_stalled(cx).map(Err),
            }
            match write(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => break outcome,
            }
        };
        self.activity.has_written(self.stalled.take().is_some());
        Poll::Ready(outcome)
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.reading).poll_read(cx, buf) {
            Poll::Ready(outcome) => {
                let read = &buf.filled()[before..];
                if let Some(seen) = this.preface {
                    this.preface = this.activity.opens_http2(seen, read);
                }
                let is_asking = !read.is_empty() && !this.activity.is_serving();
                let counts = read.is_empty()
                    || this.preface.is_some()
                    || this.activity.is_http2()
                    || this.activity.has_read();
                if this.gives_way() || !counts {
                    // A request that has not begun is not lost half-way.
                    buf.set_filled(before);
                    return Poll::Ready(this.give_way(is_asking));
                }
                Poll::Ready(outcome)
            }
            Poll::Pending if this.gives_way() => {
                let is_asking = this.activity.is_about_to_ask();
                Poll::Ready(this.give_way(is_asking))
            }
            Poll::Pending => match std::task::ready!(this.poll_overdue(cx)) {
                Phase::Idle => Poll::Ready(Ok(())), // an end like any other
                Phase::Head => {
                    if !this.activity.is_http2() {
                        let _ = this.writing.try_write(TOO_SLOW);
                    }
                    Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                }
                Phase::Serving => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Phase::Evicted => Poll::Ready(Ok(())),
            },
        }
    }
}

impl AsyncWrite for GuardedStream {
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

    /// What is written has been passed to the system.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket::end_writing((*self.writing).as_ref()))
    }
}
