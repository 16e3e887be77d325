//! Reports of progress and the answers that follow them: clients read a report
//! too late that comes with its call's answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mcp_kit::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// What was written at once.
struct Writes(mpsc::UnboundedSender<Vec<Value>>);

impl AsyncWrite for Writes {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let lines = bytes.split(|byte| *byte == b'\n');
        let messages = lines
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap());
        let _ = self.0.send(messages.collect());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Steps {
    #[garde(skip)]
    to: u32,
    /// Between two reports, in milliseconds.
    #[garde(skip)]
    ms: u64,
    /// After the last one.
    #[garde(skip)]
    then: u64,
}

/// Reports each step.
#[tool(timeout = "100ms")]
async fn count(args: Steps, progress: Progress) -> String {
    for step in 1..=args.to {
        progress.report(step.into(), Some(args.to.into()), None);
        sleep(Duration::from_millis(args.ms)).await;
    }
    sleep(Duration::from_millis(args.then)).await;
    format!("counted {}", args.to)
}

/// Answers at once.
#[tool]
async fn quick() -> &'static str {
    "quick"
}

struct Connection {
    input: DuplexStream,
    writes: mpsc::UnboundedReceiver<Vec<Value>>,
}

impl Connection {
    fn new() -> Self {
        let server = Server::builder("steps", "1.0.0")
            .tool::<count>()
            .tool::<quick>()
            .build()
            .unwrap();
        let (input, its_input) = tokio::io::duplex(64 * 1024);
        let (sender, writes) = mpsc::unbounded_channel();
        let local = Principal::new("local", [""; 0]);
        let output = Writes(sender);
        tokio::spawn(async move { server.serve_streams(local, its_input, output).await });
        Self { input, writes }
    }

    async fn call(&mut self, id: u32, tool: &str, arguments: Value) {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments,
            "_meta": {
                "progressToken": id,
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        }});
        self.send(&call).await;
    }

    async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
    }

    /// Every write up to the one with the answer.
    async fn writes_until(&mut self, id: u32) -> Vec<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            let write = self.writes.recv().await.unwrap();
            let is_last = write.iter().any(|message| message["id"] == id);
            all.push(write);
            if is_last {
                return all;
            }
        }
    }
}

fn progress_of(message: &Value, id: u32) -> Option<u64> {
    let params = &message["params"];
    (params["progressToken"] == id).then(|| params["progress"].as_f64().unwrap() as u64)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_never_written_with_its_last_report_and_none_is_lost() {
    let mut connection = Connection::new();
    for (id, to, ms, then) in [
        (1, 3, 5, 0),
        (2, 50, 0, 0),
        (3, 1, 0, 0),
        (4, 1, 0, 20),
        // The answer is a timeout's.
        (5, 2, 0, 1_000),
    ] {
        let arguments = json!({"to": to, "ms": ms, "then": then});
        connection.call(id, "count", arguments).await;
        let writes = connection.writes_until(id).await;
        let (last, before) = writes.split_last().unwrap();
        assert!(
            last.iter()
                .all(|message| progress_of(message, id).is_none()),
            "{last:?}"
        );
        let reports = before.iter().flatten();
        let reports: Vec<u64> = reports
            .filter_map(|message| progress_of(message, id))
            .collect();
        let expected: Vec<u64> = (1..=to).collect();
        assert_eq!(reports, expected, "call {id}");
    }
}

/// On paused time: an answer that waits holds up no other, nor the end.
#[tokio::test(start_paused = true)]
async fn a_held_answer_holds_up_no_other_and_is_sent_before_the_end() {
    let mut connection = Connection::new();
    let arguments = json!({"to": 1, "ms": 0, "then": 0});
    connection.call(1, "count", arguments).await;
    let report = connection.writes.recv().await.unwrap();
    assert_eq!(progress_of(&report[0], 1), Some(1));
    connection.call(2, "quick", json!({})).await;
    // Its id belongs to it as long as its answer is held.
    connection.call(1, "quick", json!({})).await;
    let (mut input, mut writes) = (connection.input, connection.writes);
    input.shutdown().await.unwrap();
    let mut rest = Vec::new();
    while let Some(write) = writes.recv().await {
        rest.extend(write);
    }
    let texts: Vec<_> = rest
        .iter()
        .map(|message| (message.get("id").cloned(), message.get("error").is_some()))
        .collect();
    assert_eq!(
        texts.last(),
        Some(&(Some(json!(1)), false)),
        "the held answer is the last: {rest:?}"
    );
    assert!(texts.contains(&(Some(json!(2)), false)), "{rest:?}");
    assert!(texts.contains(&(None, true)), "{rest:?}");
    assert_eq!(texts.len(), 3, "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_held_answer_can_still_be_cancelled() {
    let mut connection = Connection::new();
    connection
        .call(1, "count", json!({"to": 1, "ms": 0, "then": 0}))
        .await;
    let report = connection.writes.recv().await.unwrap();
    assert_eq!(progress_of(&report[0], 1), Some(1));
    let params = json!({"requestId": 1});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    connection.send(&cancel).await;
    connection.input.shutdown().await.unwrap();
    assert_eq!(
        connection.writes.recv().await,
        None,
        "it was answered all the same"
    );
}
