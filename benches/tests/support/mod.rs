//! A server and its client in one thread: the whole protocol, bytes in and bytes
//! out, with a client that costs next to nothing and allocates nothing.

use std::hint::black_box;

use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::Runtime;

/// One call of `add`, as a line.
pub(crate) const ADD: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":40,"b":2}}}
"#;

/// Two numbers.
#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
pub(crate) struct Terms {
    /// The first one.
    #[garde(skip)]
    pub(crate) a: i64,
    /// The second one.
    #[garde(skip)]
    pub(crate) b: i64,
}

/// Adds two integers.
#[tool(read_only)]
async fn add(terms: Terms) -> Result<i64, ToolError> {
    terms
        .a
        .checked_add(terms.b)
        .or_user("the sum does not fit into 64 bits")
}

/// A server with the tool `add` and whatever else `change` gives it.
pub(crate) fn server(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Server {
    change(Server::builder("benchmark", "1.0.0").tool::<add>())
        .build()
        .expect("the server is built")
}

/// A connection to a server, with the handshake behind it.
pub(crate) struct Wire {
    runtime: Runtime,
    stream: DuplexStream,
    answers: Vec<u8>,
}

impl Wire {
    pub(crate) fn open(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("the runtime starts");
        let stream = {
            let _inside = runtime.enter();
            mcp_kit::testing::raw_stream(server)
        };
        let mut wire = Self {
            runtime,
            stream,
            answers: vec![0; 1 << 20],
        };
        wire.exchange(
            br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"benchmark","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
"#,
            1,
        );
        wire
    }

    /// Sends lines in one write and waits for so many answers.
    pub(crate) fn exchange(&mut self, lines: &[u8], answers: usize) -> &[u8] {
        let Self {
            runtime,
            stream,
            answers: buffer,
        } = self;
        let length = runtime.block_on(async {
            stream.write_all(lines).await.expect("the server reads");
            let (mut length, mut missing) = (0, answers);
            while missing > 0 {
                let read = stream.read(&mut buffer[length..]).await;
                let read = read.expect("the server writes");
                assert!(read > 0, "the server ended, or its answers are too long");
                let news = &buffer[length..length + read];
                missing = missing.saturating_sub(news.iter().filter(|b| **b == b'\n').count());
                length += read;
            }
            length
        });
        black_box(&self.answers[..length])
    }
}

/// `count` calls of `add` under ids of their own, as lines.
pub(crate) fn adds(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|id| {
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"add","arguments":{{"a":40,"b":2}}}}}}{}"#,
                '\n'
            )
            .into_bytes()
        })
        .collect()
}
