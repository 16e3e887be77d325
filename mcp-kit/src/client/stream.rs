//! The link of a client to the message loop that stdio uses, over a pair of in-memory streams.

use std::sync::Arc;

use crate::support::lock::Lock;
use crate::support::task::spawn;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, split,
};
use tokio::sync::mpsc;

use super::Link;
use super::inbox::{Inbox, cancellation, cancellation_check};
use crate::caller::Principal;
use crate::server::Server;
use crate::transport::memory;

pub(super) struct StreamLink {
    /// `None` once the client sends nothing more.
    lines: Lock<Option<mpsc::UnboundedSender<Vec<u8>>>>,
}

impl StreamLink {
    pub(super) fn open(server: &Server, principal: Option<Principal>, inbox: Arc<Inbox>) -> Self {
        let (stream, serving) = memory::connect(server, principal);
        let (input, output) = split(stream);
        let (lines, queue) = mpsc::unbounded_channel();
        spawn(write_lines(queue, output));
        spawn(async move {
            read_lines(&inbox, input).await;
            let _ = serving.await;
            inbox.end();
        });
        Self {
            lines: Lock::new(Some(lines)),
        }
    }
}

impl Link for StreamLink {
    /// Sends a line. One that comes after the end is lost, as on a pipe.
    fn send(&self, message: Vec<u8>) {
        let lines = self.lines.lock();
        if let Some(lines) = &*lines {
            let _ = lines.send(message);
        }
    }

    fn cancel(&self, id: u64) {
        self.send(cancellation(id).into_bytes());
        self.send(cancellation_check(id).into_bytes());
    }

    fn close(&self) {
        let mut lines = self.lines.lock();
        lines.take();
    }
}

async fn read_lines(inbox: &Inbox, input: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(input).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        inbox.take_text(&line);
    }
}

async fn write_lines(
    mut lines: mpsc::UnboundedReceiver<Vec<u8>>,
    mut output: impl AsyncWrite + Unpin,
) {
    while let Some(mut line) = lines.recv().await {
        line.push(b'\n');
        if output.write_all(&line).await.is_err() {
            return;
        }
    }
    let _ = output.shutdown().await; // the server may have ended already
}
