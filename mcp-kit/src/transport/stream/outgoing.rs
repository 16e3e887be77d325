//! What a connection writes: the answers that were taken from its calls, and the
//! stream that they leave by.
//!
//! The connection writes what is ready whenever it is polled. A runner that has
//! more calls to run may write in between; it leaves to the connection whatever the
//! client does not accept at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::AsyncWrite as _;
use tokio::time::Instant;

use super::calls::Calls;
use super::connection::Output;

/// A buffer of answers that grew above this size is freed once it is empty.
const KEPT_BUFFER: usize = 256 * 1024;

pub(super) struct Outgoing {
    /// `None` once the connection has ended, which calls can outlive.
    output: Option<Output>,
    /// Taken from the calls' answers; `written` bytes of it have left.
    writing: Vec<u8>,
    written: usize,
    /// Whether everything taken so far has left, as of the last flush.
    is_flushed: bool,
    /// The error of a runner's write, until the connection takes it.
    failed: Option<io::Error>,
}

impl Outgoing {
    pub(super) fn new(output: Output, writing: Vec<u8>) -> Self {
        Self {
            output: Some(output),
            writing,
            written: 0,
            is_flushed: true,
            failed: None,
        }
    }

    /// Closes the output.
    pub(super) fn close(&mut self) {
        self.output = None;
    }

    /// Whether the output has accepted everything that was taken.
    pub(super) fn is_written(&self) -> bool {
        self.written == self.writing.len()
    }

    /// Whether everything has left, as of the last flush.
    pub(super) fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    /// Takes the answers that are ready, once the last ones are written. Returns
    /// when a held answer will be ready.
    pub(super) fn take(&mut self, calls: &Calls) -> Option<Instant> {
        self.writing.clear();
        self.written = 0;
        if self.writing.capacity() > KEPT_BUFFER {
            self.writing = Vec::new();
        }
        calls.swap_out(&mut self.writing)
    }

    pub(super) fn push_line(&mut self, line: &[u8]) {
        self.writing.extend_from_slice(line);
        self.writing.push(b'\n');
    }

    /// Writes once; pending if the client accepts no more.
    pub(super) fn poll_write(
        &mut self,
        calls: &Calls,
        cx: &mut Context<'_>,
    ) -> io::Result<Poll<()>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(output) = &mut self.output else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        self.is_flushed = false;
        match Pin::new(output).poll_write(cx, &self.writing[self.written..]) {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(count)) => self.written += count,
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => {
                calls.set_unwritten(self.writing.len() - self.written);
                return Ok(Poll::Pending);
            }
        }
        Ok(Poll::Ready(()))
    }

    /// Writes what was taken, as far as the client accepts it now, and leaves the
    /// rest to the connection.
    pub(super) fn write_for(&mut self, calls: &Calls, connection: &Waker) {
        let mut cx = Context::from_waker(connection);
        while !self.is_written() {
            match self.poll_write(calls, &mut cx) {
                Ok(Poll::Ready(())) => {}
                Ok(Poll::Pending) => return,
                Err(error) => {
                    self.failed = Some(error);
                    connection.wake_by_ref();
                    return;
                }
            }
        }
        calls.set_unwritten(0);
    }

    /// The output may hold bytes back: for example a thread that writes.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(output) = &mut self.output else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let flushed = Pin::new(output).poll_flush(cx);
        self.is_flushed = flushed.is_ready();
        match flushed {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Ok(()),
        }
    }
}
