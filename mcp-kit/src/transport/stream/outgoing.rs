//! What a connection writes: the answers that were taken from its calls, and the
//! stream that they leave by.
//!
//! The connection writes what is ready whenever it is polled. A runner that has
//! more calls to run may write in between, if the output is direct; it leaves to the
//! connection whatever the client does not accept at once.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::AsyncWrite as _;
use tokio::task::unconstrained;
use tokio::time::Instant;

use super::calls::Calls;
use super::connection::Output;

/// A buffer of answers that grew above this size is freed once it is empty.
const KEPT_BUFFER: usize = 256 * 1024;

pub(super) struct Outgoing {
    /// `None` once the connection has ended, which calls can outlive.
    output: Option<Output>,
    /// Whether the client is another process, so that a write wakes no task here. A
    /// task that a runner wakes waits behind the runner's next handler, which may
    /// block the worker.
    is_direct: bool,
    /// Taken from the calls' answers; `written` bytes of it have left.
    writing: Vec<u8>,
    written: usize,
    /// Whether everything taken so far has left, as of the last flush.
    is_flushed: bool,
    /// The error of a runner's write, until the connection takes it.
    failed: Option<io::Error>,
}

impl Outgoing {
    /// `writing` leaves first.
    pub(super) fn new(output: Output, is_direct: bool, writing: Vec<u8>) -> Self {
        Self {
            is_direct,
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

    /// Whether a runner may write.
    pub(super) fn is_direct(&self) -> bool {
        self.is_direct
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
    /// rest, and an error, to the connection. The connection is not woken.
    pub(super) fn write_for(&mut self, calls: &Calls, connection: &Waker) {
        let mut cx = Context::from_waker(connection);
        while !self.is_written() {
            // A runner that has used up its budget must not wake the connection.
            let writing = poll_fn(|cx| Poll::Ready(self.poll_write(calls, cx)));
            match pin!(unconstrained(writing)).poll(&mut cx) {
                Poll::Ready(Ok(Poll::Ready(()))) => {}
                Poll::Ready(Ok(Poll::Pending)) | Poll::Pending => return,
                Poll::Ready(Err(error)) => {
                    self.failed = Some(error);
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::AsyncWrite;

    use super::*;
    use crate::server::Server;

    /// What a client has received; it accepts so many bytes, and then as `full` says.
    struct Client {
        received: Arc<Mutex<Vec<u8>>>,
        room: usize,
        full: fn() -> Poll<io::Result<usize>>,
    }

    impl AsyncWrite for Client {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.room == 0 {
                return (self.full)();
            }
            let count = self.room.min(bytes.len());
            self.room -= count;
            self.received
                .lock()
                .unwrap()
                .extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Lets a runner write `one` and `two` to a client with so much room. Returns
    /// what the client has received, and what a write of the connection returns.
    async fn written(
        is_direct: bool,
        room: usize,
        full: fn() -> Poll<io::Result<usize>>,
    ) -> (String, io::Result<Poll<()>>) {
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let client = Client {
            received: Arc::clone(&received),
            room,
            full,
        };
        let server = Server::builder("test", "1").build().unwrap();
        let outgoing = Outgoing::new(Box::new(client), is_direct, Vec::new());
        let calls = Calls::new(Arc::clone(server.inner()), outgoing);
        calls.register(Waker::noop());
        calls.push_lines(b"one\ntwo\n");
        assert_eq!(calls.write_ready(), is_direct);
        let mut cx = Context::from_waker(Waker::noop());
        let next = calls.outgoing.lock().poll_write(&calls, &mut cx);
        let received = received.lock().unwrap().clone();
        (String::from_utf8(received).unwrap(), next)
    }

    #[tokio::test]
    async fn a_runner_writes_what_is_ready_and_leaves_the_rest_to_the_connection() {
        let (received, _) = written(true, 100, || Poll::Pending).await;
        assert_eq!(received, "one\ntwo\n");

        let (received, next) = written(true, 5, || Poll::Pending).await;
        assert_eq!(received, "one\nt");
        assert!(matches!(next, Ok(Poll::Pending)));

        let full = || Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        let (received, next) = written(true, 5, full).await;
        assert_eq!(received, "one\nt");
        assert_eq!(next.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[tokio::test]
    async fn only_the_connection_writes_to_a_client_within_the_process() {
        let (received, _) = written(false, 100, || Poll::Pending).await;
        assert_eq!(received, "");
    }
}
