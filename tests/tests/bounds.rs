//! Bounds that a client meets, through the whole protocol, and bounds that
//! cannot work, which `build()` refuses.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::testing::Client;
use serde_json::json;

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

#[tokio::test]
async fn no_length_of_time_overflows() {
    let server = Server::builder("patient", "1.0.0")
        .limits(|limits| {
            limits.call_time = Duration::MAX;
            limits.drain_time = Duration::MAX;
        })
        .tool::<hello>()
        .build()
        .unwrap();
    let client = Client::new(&server).await;
    assert_eq!(client.call("hello", json!({})).await.text(), "Hello!");
    client.close().await; // drains
}

#[test]
fn a_tools_own_bounds_are_checked_when_the_server_is_built() {
    let refused = Server::builder("strict", "1.0.0")
        .tool_with::<hello>(|tool| {
            tool.timeout(Duration::ZERO)
                .concurrency(0)
                .result_bytes(100)
        })
        .build()
        .unwrap_err();
    assert_eq!(
        refused.problems(),
        [
            "tool \"hello\": its timeout is zero; no call could end in time",
            "tool \"hello\": its concurrency is 0; it must be at least 1",
            "tool \"hello\": its result_bytes is 100; it must be at least 256",
        ]
    );
}
