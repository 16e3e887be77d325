//! How many sessions there may be, and who makes room for whom.

use std::time::Duration;

use mcp_kit::tool::{ToolDefinition, from_fn};
use mcp_kit::{Server, ToolError};
use serde_json::json;
use tokio::time::sleep;

use crate::client::{Answer, Client, Names, initialize, ping};
use crate::tools::server;

fn small() -> Server {
    server()
        .http(|http| {
            http.authenticate(Names).limits(|limits| {
                limits.sessions = 5;
                limits.sessions_per_principal = 3;
            })
        })
        .build()
        .unwrap()
}

async fn used(client: &Client) -> Client {
    let client = client.clone().opened("2025-11-25").await;
    client.assert_alive().await;
    client
}

async fn refused(client: &Client) -> Answer {
    let answer = client.ask(&initialize("2025-11-25")).await;
    assert!(!answer.headers.contains_key("mcp-session-id"));
    answer
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_have_so_many_and_all_together_so_many() {
    let server = small();
    let alice = Client::new(&server).named("alice");
    let mut hers = Vec::new();
    for _ in 0..3 {
        hers.push(used(&alice).await);
    }
    let answer = refused(&alice).await;
    assert!(answer.refusal(429).contains("sessions"), "{answer:?}");
    assert_eq!(answer.json()["id"], "open");
    let seconds: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");

    let bob = alice.named("bob");
    used(&bob).await;
    used(&bob).await;
    let answer = refused(&bob).await;
    assert!(answer.refusal(503).contains("sessions"), "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"));

    // Ending one makes room, for whoever comes first.
    assert_eq!(hers[0].delete().await.status, 204);
    used(&bob).await;
    for client in &hers[1..] {
        client.assert_alive().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_was_never_used_makes_room_after_ten_seconds() {
    let server = small();
    let alice = Client::new(&server).named("alice");
    let mut hers = vec![used(&alice).await];
    for _ in 0..2 {
        let client = alice.clone().opened("2025-11-25").await;
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(client.ask(&initialized).await.status, 202);
        hers.push(client);
        sleep(Duration::from_secs(1)).await;
    }
    let answer = refused(&alice).await;
    answer.refusal(429);
    assert_eq!(answer.headers["retry-after"], "8");
    sleep(Duration::from_secs(8)).await;
    hers.push(alice.clone().opened("2025-11-25").await);
    // The oldest of them went.
    hers[1].ask(&ping(1)).await.refusal(404);
    for client in [&hers[0], &hers[2], &hers[3]] {
        client.assert_alive().await;
    }
    sleep(Duration::from_secs(60)).await;
    refused(&alice).await.refusal(429);
}

#[tokio::test(start_paused = true)]
async fn anybodys_unused_session_makes_room_for_another_caller() {
    let server = small();
    let alice = Client::new(&server).named("alice");
    for _ in 0..3 {
        alice.clone().opened("2025-11-25").await;
    }
    let bob = alice.named("bob");
    used(&bob).await;
    used(&bob).await;
    let carol = alice.named("carol");
    refused(&carol).await.refusal(503);
    sleep(Duration::from_secs(10)).await;
    used(&carol).await;
    used(&carol).await;
    used(&carol).await;
    refused(&bob).await.refusal(503);
}

/// A long list is as large as a result, and no call.
#[tokio::test]
async fn a_long_list_counts_among_what_is_unread() {
    let mut builder = server().http(|http| http.limits(|limits| limits.unread_bytes = 64 * 1024));
    for number in 0..20 {
        let definition = ToolDefinition::new(format!("tool-{number}"), "x".repeat(2_000));
        builder = builder.runtime_tool(from_fn(definition, async |_| Ok::<_, ToolError>("")));
    }
    let server = builder.build().unwrap();
    let client = Client::new(&server).opened("2025-11-25").await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let unread = client.post(&list).await;
    assert_eq!(unread.status(), 200);
    let answer = client.ask(&list).await;
    assert!(answer.refusal(503).contains("busy"), "{answer:?}");
    client.assert_alive().await;
    drop(unread);
    assert_eq!(client.ask(&list).await.status, 200);
}
