//! Files, terminals and other systems: a thread for each direction, with
//! blocking reads and writes, and a channel to the connection.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use super::EndFlag;

/// The number of bytes of one read.
const CHUNK: usize = 64 * 1024;

/// Reads on a separate thread.
pub(super) struct ThreadReader {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// The rest of a chunk that did not fit.
    rest: Vec<u8>,
    taken: usize,
}

impl ThreadReader {
    /// Sets `end` once there is nothing more to read.
    pub(super) fn new(mut input: impl Read + Send + 'static, end: EndFlag) -> io::Result<Self> {
        // One chunk ahead is enough, and limits what a fast client can leave.
        let (sender, chunks) = mpsc::channel(1);
        thread::Builder::new()
            .name("mcp-stdin".to_owned())
            .spawn(move || {
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
                    if sender.blocking_send(read).is_err() || is_last {
                        return;
                    }
                }
            })?;
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
            match ready!(self.chunks.poll_recv(cx)) {
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
    /// To the thread; `None` once it has failed.
    buffers: mpsc::Sender<Vec<u8>>,
    written: mpsc::Receiver<io::Result<()>>,
    is_writing: bool,
}

impl ThreadWriter {
    pub(super) fn new(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let (buffers, mut queue) = mpsc::channel::<Vec<u8>>(1);
        let (done, written) = mpsc::channel(1);
        thread::Builder::new()
            .name("mcp-stdout".to_owned())
            .spawn(move || {
                while let Some(buffer) = queue.blocking_recv() {
                    let outcome = output.write_all(&buffer).and_then(|()| output.flush());
                    let failed = outcome.is_err();
                    if done.blocking_send(outcome).is_err() || failed {
                        return;
                    }
                }
            })?;
        Ok(Self {
            buffers,
            written,
            is_writing: false,
        })
    }

    /// Ready once the last buffer has been written.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_writing {
            let outcome = ready!(self.written.poll_recv(cx));
            self.is_writing = false;
            return Poll::Ready(outcome.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into())));
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
        if self.buffers.try_send(bytes[..count].to_vec()).is_err() {
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn bytes_go_through_both_ways() {
        let (reader, writer) = io::pipe().unwrap();
        let mut writer = ThreadWriter::new(writer).unwrap();
        let mut reader = ThreadReader::new(reader, EndFlag::default()).unwrap();
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
