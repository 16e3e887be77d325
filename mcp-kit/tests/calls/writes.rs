//! When the answers of many calls leave, over any pair of byte streams.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use mcp_kit::Principal;
use mcp_kit::call::Error;
use mcp_kit::prelude::*;
use mcp_kit::tool::{ToolDefinition, from_fn};
use serde_json::{Value, json};
use tokio::io::AsyncWrite;

/// What a client has received, and how it receives more.
#[derive(Clone, Default)]
struct Received {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// The most bytes of one write; every other write has to wait.
    most: Option<usize>,
    has_waited: bool,
    /// Fails once it has received so many bytes.
    full_at: Option<usize>,
}

impl Received {
    fn lines(&self) -> Vec<Value> {
        let bytes = self.bytes.lock().unwrap();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}

impl AsyncWrite for Received {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.most.is_some() {
            self.has_waited = !self.has_waited;
            if self.has_waited {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        let mut received = self.bytes.lock().unwrap();
        if self.full_at.is_some_and(|full| received.len() >= full) {
            return Poll::Ready(Err(io::ErrorKind::StorageFull.into()));
        }
        let count = bytes.len().min(self.most.unwrap_or(usize::MAX));
        received.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Sends `initialize` and then `calls` calls at once. Each call answers with the
/// number of answers that the client had when it ran.
async fn serve(calls: usize, output: Received) -> io::Result<()> {
    let client = output.clone();
    let count = from_fn(ToolDefinition::new("count", "Counts."), move |_| {
        let bytes = client.bytes.lock().unwrap();
        let answers = bytes.iter().filter(|byte| **byte == b'\n').count();
        ready(Ok::<_, Error>(answers.to_string()))
    });
    let server = Server::builder("test", "1").add(count).build().unwrap();
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }});
    let mut input = format!("{initialize}\n");
    for id in 1..=calls {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": "count",
        }});
        input += &format!("{call}\n");
    }
    let input = io::Cursor::new(input.into_bytes());
    let me = Principal::unrestricted("me");
    let serving = async move { server.serve_streams(me, input, output).await };
    tokio::spawn(serving).await.unwrap()
}

/// The number of answers that the client had when this call ran.
fn received(answer: &Value) -> u64 {
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    text.parse().unwrap()
}

#[tokio::test]
async fn the_first_answers_of_many_leave_before_the_last_calls_run() {
    let client = Received::default();
    serve(64, client.clone()).await.unwrap();
    let answers = client.lines();
    assert_eq!(answers.len(), 65);
    let (first, last) = (received(&answers[1]), received(&answers[64]));
    assert!(first < last, "all answers left together: {first}, {last}");
}

#[tokio::test]
async fn all_answers_arrive_whole_at_a_client_that_reads_slowly() {
    let client = Received {
        most: Some(7),
        ..Received::default()
    };
    serve(200, client.clone()).await.unwrap();
    let ids: Vec<_> = client
        .lines()
        .iter()
        .map(|line| line["id"].as_u64())
        .collect();
    assert_eq!(ids, (0..=200).map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_between_two_calls_that_fails_ends_the_connection() {
    let client = Received {
        full_at: Some(1),
        ..Received::default()
    };
    let error = serve(64, client.clone()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}
