//! How sessions end: with their streams, and with the server.

use std::time::Duration;

use serde_json::json;

use super::client::{Caller, call, initialize, ping, text};
use super::tools::{gate, gated_server, server};

#[tokio::test]
async fn disconnect_ends_the_session_and_its_calls() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let caller = Caller::of(&server);
    let client = caller.greeted("2025-11-25").await;
    client.send(&call(1, "gated", json!({}))).await.accepted();
    entered.recv().await.unwrap();
    let endpoint = client.endpoint.clone();
    drop(client);
    gate.dropped.notified().await;
    caller.post(&endpoint, &ping(2)).await.refusal(404);
}

#[tokio::test]
async fn a_drain_answers_what_is_in_flight_and_ends_the_streams() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let caller = Caller::of(&server);
    let mut client = caller.greeted("2024-11-05").await;
    let mut silent = caller.open().await;
    client.send(&call(1, "gated", json!({}))).await.accepted();
    entered.recv().await.unwrap();
    server.drain_handle().begin();
    let refused = client.send(&call(2, "gated", json!({}))).await;
    refused.refusal(503);
    assert_eq!(refused.json()["id"], 2);
    client.send(&ping(3)).await.refusal(503);
    silent.send(&initialize("2024-11-05")).await.refusal(503);
    caller.no_stream().await.refusal(503);
    gate.open.add_permits(1);
    assert_eq!(text(&client.next().await), "through");
    assert_eq!(client.message().await, None);
    assert_eq!(silent.message().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_open() {
    let server = server()
        .http(|http| http.limits(|limits| limits.keep_alive = Duration::from_secs(5)))
        .build()
        .unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    let read = tokio::time::timeout(Duration::from_secs(60), client.message()).await;
    assert!(read.is_err());
    assert!(
        (10..=12).contains(&client.keep_alives()),
        "{}",
        client.keep_alives()
    );
    // However long nothing happens.
    let read = tokio::time::timeout(Duration::from_secs(100_000), client.message()).await;
    assert!(read.is_err());
    client.assert_silent().await;
}
