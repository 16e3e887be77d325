//! The memory of an idle session, and of a resource that is watched.

use mcp_kit::prelude::*;
use mcp_kit::testing::{SubscriptionFilter, TestClient};

use super::tools::server;
use crate::client::{Ask as _, http};

/// The process's resident memory, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// In a process of its own, where no other test takes memory meanwhile.
#[test]
#[ignore = "measures the whole process: the test below runs it alone"]
fn measured_alone() {
    const SESSIONS: usize = 10_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = server()
            .http(|http| {
                http.address_rate(None).limits(|limits| {
                    limits.sessions = 2 * SESSIONS;
                    limits.sessions_per_principal = 2 * SESSIONS;
                })
            })
            .build()
            .unwrap();
        let client = http(&server);
        for _ in 0..100 {
            client
                .clone()
                .opened("2025-11-25")
                .await
                .assert_alive()
                .await;
        }
        let before = resident();
        for _ in 0..SESSIONS {
            let opened = client.clone().opened("2025-11-25").await;
            opened.assert_alive().await;
            let call = crate::client::call(1, "wait", serde_json::json!({"ms": 0}));
            assert_eq!(opened.ask(&call).await.result(), "waited 0");
        }
        let each = resident().saturating_sub(before) / SESSIONS;
        println!("{each} bytes for each idle session");
        // It includes what the client is notified of, and its principal.
        assert!(each <= 1_408, "{each} bytes for each idle session");
    });
}

#[test]
fn an_idle_session_has_less_than_1408_bytes() {
    measured(
        "sessions::memory::measured_alone",
        "bytes for each idle session",
    );
}

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
#[expect(dead_code, reason = "its schema matters")]
struct Row {
    /// Its number.
    #[garde(skip)]
    row: String,
}

/// A row.
#[resource(uri = "r:{row}")]
async fn row(_args: Row) -> &'static str {
    ""
}

#[test]
#[ignore = "measures the whole process: the test below runs it alone"]
fn watches_measured_alone() {
    const EACH: usize = 1_000;
    const SUBSCRIPTIONS: usize = 80;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = Server::builder("test", "1").resource::<row>();
        let server = server.without_call_log().build().unwrap();
        let client = TestClient::modern(&server).await;
        let mut open = Vec::new();
        let mut before = 0;
        for number in 0..=SUBSCRIPTIONS {
            let uris = (0..EACH).map(|row| format!("r:{number:x}.{row:x}"));
            let filter = uris.fold(SubscriptionFilter::new(), |filter, uri| {
                filter.resource(uri)
            });
            open.push(client.subscribe(filter).await.unwrap());
            if number == 0 {
                before = resident();
            }
        }
        let each = resident().saturating_sub(before) / (SUBSCRIPTIONS * EACH);
        println!("{each} bytes for each watch");
        // What the server counts it as, and what the test's own client keeps.
        assert!(each <= 256 + 128, "{each} bytes for each watch");
    });
}

#[test]
fn a_watch_has_about_the_bytes_that_it_counts_as() {
    measured(
        "sessions::memory::watches_measured_alone",
        "bytes for each watch",
    );
}

/// Runs a test in a process of its own, which prints `expected`.
fn measured(test: &str, expected: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains(expected), "{text}");
}
