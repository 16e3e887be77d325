//! Idle sessions end; those in use do not.

use std::path::Path;
use std::time::{Duration, SystemTime};

use mcp_kit::auth::{ApiKeys, AuthError, Authenticator, Credentials};
use mcp_kit::{Principal, async_trait};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::tools::{gate, gated_server, server};
use crate::client::{Ask as _, call, events_of, http, open, ping};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_it_was_not_used_for_half_an_hour() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    for _ in 0..5 {
        sleep(25 * MINUTE).await;
        client.assert_alive().await;
    }
    sleep(32 * MINUTE).await;
    client.ask(&ping(1)).await.refusal(404);
    // Others are opened as before.
    http(&server)
        .opened("2025-11-25")
        .await
        .assert_alive()
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_use() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| limits.call_time = 300 * MINUTE)
        .build()
        .unwrap();
    let client = open(&server).await;
    let asked = client.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    // Also if no request waits for it.
    asked.abort();
    sleep(200 * MINUTE).await;
    client.ask(&ping(1)).await.refusal(400);
    gate.open.add_permits(1);
    sleep(25 * MINUTE).await;
    client.assert_alive().await;
}

#[tokio::test(start_paused = true)]
async fn open_stream_keeps_the_session_for_a_day() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let mut events = events_of(client.get().await);
    let listening = tokio::spawn(async move {
        assert_eq!(events.next_event().await, None);
        events.keep_alives()
    });
    sleep(23 * 60 * MINUTE).await;
    client.assert_alive().await;
    sleep(25 * 60 * MINUTE).await;
    client.ask(&ping(1)).await.refusal(404);
    assert!(listening.await.unwrap() > 1_000);
}

#[tokio::test(start_paused = true)]
async fn closed_stream_no_longer_keeps_the_session() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let stream = client.get().await;
    sleep(60 * MINUTE).await;
    drop(stream);
    sleep(25 * MINUTE).await;
    client.assert_alive().await;
    sleep(32 * MINUTE).await;
    client.ask(&ping(1)).await.refusal(404);
}

/// Knows its caller until now.
struct Moments;

#[async_trait]
impl Authenticator for Moments {
    async fn authenticate(&self, _: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        let end = SystemTime::now();
        Ok(Some(Principal::new("alice", [""; 0]).with_expiry(end)))
    }
}

/// What was due before that is read; then the stream ends, however long a stream may
/// be silent.
#[tokio::test(start_paused = true)]
async fn stream_ends_when_the_token_expires() {
    let server = server().http(|http| http.authenticate(Moments));
    let client = open(&server.build().unwrap()).await;
    let mut events = events_of(client.get().await);
    assert_eq!(events.next_event().await, None);
    // The session waits for who can show another.
    client.assert_alive().await;
}

/// Nothing is written to the stream meanwhile, and no request comes.
#[tokio::test(start_paused = true)]
async fn stream_ends_within_half_a_minute_after_its_key_is_revoked() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("revoked");
    std::fs::write(&path, "alice:alice-key\nbob:bob-key\n").unwrap();
    let keys = ApiKeys::from_file(&path).unwrap();
    let server = server()
        .http(|http| http.authenticate(keys))
        .http(|http| http.limits(|limits| limits.keep_alive = 60 * MINUTE));
    let client = http(&server.build().unwrap()).named("alice-key");
    let client = client.opened("2025-11-25").await;
    let mut events = events_of(client.get().await);
    let begun = Instant::now();
    std::fs::write(&path, "bob:bob-key\n").unwrap();
    assert_eq!(events.next_event().await, None);
    assert!(begun.elapsed() <= MINUTE / 2, "{:?}", begun.elapsed());
    client.ask(&ping(1)).await.refusal(401);
}
