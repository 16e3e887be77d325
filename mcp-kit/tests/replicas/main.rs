//! Replicas of a server that share their limits through one Redis: what
//! callers read, and what operators find in the log.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests, and share the log's capture with others"
)]
#![cfg(feature = "redis")]

#[path = "../calls/log.rs"]
mod log;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use mcp_kit::limits::Rate;
use mcp_kit::limits::RedisLimits;
use mcp_kit::prelude::*;
use mcp_kit::server::RedisTasks;
use mcp_kit::testing::{SubscriptionFilter, TestClient};
use serde_json::json;
use tokio::sync::Notify;

use self::log::Log;
use self::redis::{PASSWORD, Redis};

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "hello"
}

fn store(redis: &Redis) -> RedisLimits {
    RedisLimits::new(&redis.url())
        .unwrap()
        // Longer than a busy machine takes.
        .timeout(Duration::from_secs(20))
}

fn replica(store: RedisLimits) -> Server {
    Server::builder("greeter", "1")
        .tool::<hello>()
        .rate_limit(Rate::per_hour(2))
        .shared_limits(store)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_rate_holds_for_all_replicas_together() {
    let Some(redis) = Redis::start() else { return };
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(TestClient::new(&replica(store(&redis))).await);
    }
    for client in &clients[..2] {
        assert_eq!(client.call("hello", json!({})).await.text(), "hello");
    }
    for client in &clients {
        let refused = client.call("hello", json!({})).await;
        assert!(refused.is_error());
        let text = refused.text();
        let seconds: u64 = text
            .strip_prefix("Rate limit of 2/h reached for this tool. Try again in ")
            .and_then(|rest| rest.strip_suffix(" seconds."))
            .unwrap_or_else(|| panic!("{text}"))
            .parse()
            .unwrap();
        assert!((1_700..=1_800).contains(&seconds), "{text}");
    }
}

#[tokio::test]
async fn without_the_store_replicas_count_for_themselves_unless_configured_to_refuse() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let log = Log::capture();
    let open = TestClient::new(&replica(store(&redis))).await;
    let closed = TestClient::new(&replica(store(&redis).fail_closed())).await;
    assert!(!open.call("hello", json!({})).await.is_error());
    redis.kill();

    // One was counted before; the other is counted by the replica itself.
    assert!(!open.call("hello", json!({})).await.is_error());
    let refused = open.call("hello", json!({})).await;
    assert!(
        refused.text().contains("Rate limit of 2/h"),
        "{}",
        refused.text()
    );

    let refused = closed.call("hello", json!({})).await;
    assert!(refused.is_error());
    assert_eq!(
        refused.text(),
        "The server cannot count this call at the moment. Try again in a few seconds."
    );

    let lines: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line.target == "mcp_kit::limits::replicas")
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.level.as_str(), line.get("message")))
        .collect();
    assert_eq!(
        told,
        [
            (
                "WARN",
                "the shared store does not answer: this replica counts for itself until it does"
            ),
            (
                "ERROR",
                "the shared store does not answer: what needs it is refused until it does"
            ),
        ]
    );
    for line in &lines {
        assert!(line.get("error").contains("refused"), "{line:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_reported_without_either_password() {
    let Some(redis) = Redis::start() else { return };
    let log = Log::capture();
    let url = redis.url().replace(PASSWORD, "sesame-77441");
    let store = RedisLimits::new(&url).unwrap();
    assert!(store.ping().await.is_err());
    let lines = log.lines();
    let told = lines
        .iter()
        .find(|line| line.target == "mcp_kit::limits::replicas")
        .unwrap();
    assert!(
        told.get("error").to_lowercase().contains("password"),
        "{told:?}"
    );
    for text in [format!("{lines:?}"), format!("{store:?}")] {
        assert!(
            !text.contains("sesame") && !text.contains(PASSWORD),
            "{text}"
        );
    }
}

#[test]
fn a_url_that_cannot_be_used_is_not_repeated() {
    for (url, hint) in [
        ("127.0.0.1:6379", "write redis://"),
        ("http://:sesame@127.0.0.1", "write redis://"),
        ("redis://:ses#ame@:x", "write redis://"),
        ("rediss://:sesame@127.0.0.1", "tunnel"),
    ] {
        let error = RedisLimits::new(url).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(hint), "{text}");
        assert!(!text.contains("ses"), "{text}");
    }
}

#[derive(Clone, Default)]
struct Gate(Arc<Notify>);

/// Waits until it may end.
#[tool(task)]
async fn wait(State(gate): State<Gate>) -> &'static str {
    gate.0.notified().await;
    "done"
}

#[tokio::test]
async fn task_is_followed_and_cancelled_through_another_replica() {
    let Some(redis) = Redis::start() else { return };
    let gate = Gate::default();
    let replica = || {
        Server::builder("tasks", "1")
            .state(gate.clone())
            .tool::<wait>()
            .task_store(RedisTasks::new(store(&redis)))
            .build()
            .unwrap()
    };
    let servers = [replica(), replica()];
    let connect = |server| TestClient::http(server).modern().tasks().connect();
    let a = connect(&servers[0]).await.unwrap();
    let b = connect(&servers[1]).await.unwrap();
    let first = a.call_as_task("wait", json!({})).await;
    let second = a.call_as_task("wait", json!({})).await;
    let filter = SubscriptionFilter::new().task(first.id()).task("made-up");
    let mut changes = b.subscribe(filter).await.unwrap();
    assert_eq!(changes.acknowledged(), &json!({"taskIds": [first.id()]}));
    let change = changes.next().await.unwrap();
    assert_eq!(change["params"]["status"], "working");
    b.task(second.id()).cancel().await.unwrap();
    assert_eq!(second.ended().await["status"], "cancelled");
    gate.0.notify_one();
    let change = changes.next().await.unwrap();
    assert_eq!(change["method"], "notifications/tasks");
    assert_eq!(change["params"]["taskId"], first.id());
    assert_eq!(change["params"]["status"], "completed");
    assert_eq!(b.task(first.id()).result().await.text(), "done");
}
