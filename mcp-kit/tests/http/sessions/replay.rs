//! Limits of what is kept for clients that lost their connection.

use std::time::Duration;

use serde_json::json;

use super::tools::server;
use crate::client::{
    Ask as _, TestHttpClient, call, events_of, id_of, open, read, reported, rest_of, watched,
};

/// The id of the first event of a stream that the client does not read further.
async fn abandoned(client: &TestHttpClient, id: i64, bytes: usize) -> String {
    let request = watched(id, "count", json!({"to": 10, "ms": 1, "bytes": bytes}));
    let mut events = events_of(client.post(&request).await);
    let first = events.next_event().await.unwrap();
    drop(events);
    tokio::time::sleep(Duration::from_secs(1)).await;
    id_of(&first).to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_streams_that_ended_first_are_forgotten_first() {
    let server = server()
        .http(|http| http.limits(|limits| limits.replay_bytes = 30_000))
        .build()
        .unwrap();
    let client = open(&server).await;
    let mut ids = Vec::new();
    for id in 0..4 {
        ids.push(abandoned(&client, id, 1_000).await);
    }
    // Each has a little more than 10,000 bytes: two find room.
    for id in &ids[..2] {
        let refused = read(client.resume(id).await).await;
        assert!(refused.refusal(400).contains("lost"), "{refused:?}");
    }
    for id in &ids[2..] {
        let events = rest_of(&mut events_of(client.resume(id).await)).await;
        assert_eq!(events.len(), 11);
    }
}

#[tokio::test(start_paused = true)]
async fn kept_streams_are_limited_in_number() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let mut ids = Vec::new();
    for id in 0..20 {
        ids.push(abandoned(&client, id, 1).await);
    }
    assert_eq!(client.resume(&ids[3]).await.status(), 400);
    assert_eq!(client.resume(&ids[4]).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn ended_streams_can_be_resumed_for_five_minutes() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let id = abandoned(&client, 1, 10).await;
    tokio::time::sleep(Duration::from_secs(4 * 60)).await;
    assert_eq!(client.resume(&id).await.status(), 200);
    tokio::time::sleep(Duration::from_secs(2 * 60)).await;
    assert_eq!(client.resume(&id).await.status(), 400);
}

#[tokio::test(start_paused = true)]
async fn replay_bytes_of_all_sessions_are_limited() {
    let server = server()
        .http(|http| http.limits(|limits| limits.replay_bytes_in_all = 15_000))
        .build()
        .unwrap();
    let client = open(&server).await;
    let other = client.named("anybody").opened("2025-11-25").await;
    let first = abandoned(&client, 1, 1_000).await;
    let second = abandoned(&other, 1, 1_000).await;
    assert_eq!(client.resume(&first).await.status(), 200);
    assert_eq!(other.resume(&second).await.status(), 400);
    client.delete().await;
    let third = abandoned(&other, 1, 1_000).await;
    assert_eq!(other.resume(&third).await.status(), 200);
}

/// Who reads along misses nothing, however much it is.
#[tokio::test(start_paused = true)]
async fn a_long_stream_that_is_read_goes_on() {
    let server = server()
        .http(|http| http.limits(|limits| limits.replay_bytes = 10_000))
        .build()
        .unwrap();
    let client = open(&server).await;
    let request = watched(1, "count", json!({"to": 100, "ms": 1, "bytes": 1_000}));
    let mut events = events_of(client.post(&request).await);
    let first = events.next_event().await.unwrap();
    let mut reports = Vec::new();
    let mut half = None;
    while let Some(event) = events.next_event().await {
        reports.extend(reported(&event));
        if reports.len() == 50 && half.is_none() {
            // The first events are forgotten by now, the last are there.
            assert_eq!(client.resume(id_of(&first)).await.status(), 400);
            half = Some(id_of(&event).to_owned());
        }
    }
    assert_eq!(reports, (1..=100).collect::<Vec<u64>>());
    assert_eq!(client.resume(&half.unwrap()).await.status(), 400);
}

/// Reports are dropped if the client does not read; the answer never is.
#[tokio::test(start_paused = true)]
async fn unread_stream_keeps_its_answer() {
    let server = server()
        .http(|http| http.limits(|limits| limits.replay_bytes = 10_000))
        .build()
        .unwrap();
    let client = open(&server).await;
    let request = watched(1, "count", json!({"to": 100, "ms": 1, "bytes": 1_000}));
    let response = client.post(&request).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let events = rest_of(&mut events_of(response)).await;
    assert!(events.len() < 12, "{}", events.len());
    let last = events.last().unwrap().json();
    assert_eq!(crate::client::result(&last), "counted 100");
    assert_eq!(
        client
            .ask(&call(2, "wait", json!({"ms": 0})))
            .await
            .result(),
        "waited 0"
    );
}
