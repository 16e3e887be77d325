//! Files, terminals and other systems: a thread for each direction, with
//! blocking reads and writes, and a place for one buffer between it and the
//! connection.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::EndFlag;
use crate::support::lock::Lock;
use crate::support::threads;

/// The number of bytes of one read.
const CHUNK: usize = 64 * 1024;

/// What a thread and the connection hand over: a buffer, or why there is none.
type Buffer = io::Result<Vec<u8>>;

/// Reads on a separate thread.
pub(super) struct ThreadReader {
    chunks: Side,
    /// The rest of a chunk that did not fit.
    rest: Vec<u8>,
    taken: usize,
}

impl ThreadReader {
    /// Sets `end` once there is nothing more to read.
    pub(super) fn new(mut input: Box<dyn Read + Send>, end: EndFlag) -> io::Result<Self> {
        // One chunk ahead is enough, and limits what a fast client can leave.
        let (read_chunks, chunks) = Side::pair();
        let run = move || {
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match input.read(&mut chunk) {
                    Ok(count) => {
                        chunk.truncate(count);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_last = !matches!(&read, Ok(chunk) if !chunk.is_empty());
                if is_last {
                    end.set();
                }
                if !read_chunks.put(read) || is_last {
                    return;
                }
            }
        };
        threads::start("mcp-stdin", None, Box::new(run))?;
        Ok(Self {
            chunks,
            rest: Vec::new(),
            taken: 0,
        })
    }
}

impl AsyncRead for ThreadReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken == self.rest.len() {
            match ready!(self.chunks.poll_take(cx)) {
                Some(chunk) => {
                    self.rest = chunk?;
                    self.taken = 0;
                }
                None => return Poll::Ready(Ok(())), // the end
            }
        }
        let count = buffer.remaining().min(self.rest.len() - self.taken);
        buffer.put_slice(&self.rest[self.taken..self.taken + count]);
        self.taken += count;
        Poll::Ready(Ok(()))
    }
}

/// Writes on a separate thread, one buffer at a time.
pub(super) struct ThreadWriter {
    /// To the thread.
    buffers: Side,
    /// The outcome of each buffer: an empty one, or the error.
    written: Side,
    is_writing: bool,
}

impl ThreadWriter {
    pub(super) fn new(mut output: Box<dyn Write + Send>) -> io::Result<Self> {
        let (buffers, queue) = Side::pair();
        let (done, written) = Side::pair();
        let run = move || {
            while let Some(Ok(mut buffer)) = queue.take() {
                let outcome = output.write_all(&buffer).and_then(|()| output.flush());
                let failed = outcome.is_err();
                buffer.clear();
                if !done.put(outcome.map(|()| buffer)) || failed {
                    return;
                }
            }
        };
        threads::start("mcp-stdout", None, Box::new(run))?;
        Ok(Self {
            buffers,
            written,
            is_writing: false,
        })
    }

    /// Ready once the last buffer has been written.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_writing {
            let outcome = ready!(self.written.poll_take(cx));
            self.is_writing = false;
            return Poll::Ready(match outcome {
                Some(outcome) => outcome.map(drop),
                None => Err(io::ErrorKind::BrokenPipe.into()),
            });
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ThreadWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_idle(cx))?;
        let count = bytes.len().min(CHUNK);
        // The thread has taken the last buffer, so this waits for nothing.
        if !self.buffers.put(Ok(bytes[..count].to_vec())) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.is_writing = true;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_idle(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// One side of a place for one buffer: the thread's, or the connection's. The place is
/// closed when either side is dropped; what is in it can still be taken.
struct Side(Arc<Place>);

#[derive(Default)]
struct Place {
    state: Lock<State>,
    /// Notifies the thread.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Option<Buffer>,
    is_closed: bool,
    /// Of the connection, while it waits.
    waker: Option<Waker>,
}

impl Side {
    fn pair() -> (Self, Self) {
        let place = Arc::<Place>::default();
        (Self(Arc::clone(&place)), Self(place))
    }

    /// Puts a buffer into the place once that is empty; blocks the thread until then.
    /// Returns false if the other side is gone.
    fn put(&self, buffer: Buffer) -> bool {
        let mut state = self.0.state.lock();
        while state.buffer.is_some() && !state.is_closed {
            state = self.0.wait(state);
        }
        if state.is_closed {
            return false;
        }
        state.buffer = Some(buffer);
        self.0.notify(state);
        true
    }

    /// Takes the next buffer; blocks the thread until there is one. `None` once the
    /// other side is gone.
    fn take(&self) -> Option<Buffer> {
        let mut state = self.0.state.lock();
        while state.buffer.is_none() && !state.is_closed {
            state = self.0.wait(state);
        }
        let buffer = state.buffer.take();
        self.0.notify(state);
        buffer
    }

    /// Takes the next buffer, as [`take`](Self::take) does, without blocking.
    fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<Buffer>> {
        let mut state = self.0.state.lock();
        if state.buffer.is_none() && !state.is_closed {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let buffer = state.buffer.take();
        self.0.notify(state);
        Poll::Ready(buffer)
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.is_closed = true;
        self.0.notify(state);
    }
}

impl Place {
    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        (self.changed.wait(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies the other side of a change.
    fn notify(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn bytes_go_through_both_ways() {
        let (reader, writer) = io::pipe().unwrap();
        let mut writer = ThreadWriter::new(Box::new(writer)).unwrap();
        let mut reader = ThreadReader::new(Box::new(reader), EndFlag::default()).unwrap();
        let sent: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let expected = sent.clone();
        let sending = tokio::spawn(async move {
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let count = poll_fn(|cx| Pin::new(&mut writer).poll_write(cx, rest))
                    .await
                    .unwrap();
                rest = &rest[count..];
            }
            poll_fn(|cx| Pin::new(&mut writer).poll_flush(cx))
                .await
                .unwrap();
        });
        let mut received = Vec::new();
        loop {
            let mut chunk = [0; 1_000];
            let mut buffer = ReadBuf::new(&mut chunk);
            poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buffer))
                .await
                .unwrap();
            if buffer.filled().is_empty() {
                break;
            }
            received.extend_from_slice(buffer.filled());
        }
        sending.await.unwrap();
        assert!(received == expected);
    }
}
