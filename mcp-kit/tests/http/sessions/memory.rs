//! The memory of an idle session.

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
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "sessions::memory::measured_alone",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("bytes for each idle session"), "{text}");
}
