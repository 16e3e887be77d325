//! Clients that do not read their stream.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::client::{Caller, call, ping, text, watched};
use super::tools::{gate, gated_server, server};

const BOUND: usize = 8 * 1024;

#[tokio::test]
async fn client_that_does_not_read_is_refused_until_it_does() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| limits.unread_bytes = BOUND)
        .build()
        .unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    client.send(&call(0, "gated", json!({}))).await.accepted();
    entered.recv().await.unwrap();
    let mut accepted = 0;
    let refused = loop {
        let answer = client.send(&ping("x".repeat(500))).await;
        if answer.status != 202 {
            break answer;
        }
        accepted += 1;
        assert!(accepted < 100);
    };
    let told = refused.refusal(503);
    assert!(told.contains("read"), "{told}");
    assert!(refused.headers.contains_key("retry-after"));
    assert!(accepted > 8, "{accepted}");
    // The call's answer has its place all the same.
    gate.open.add_permits(1);
    for _ in 0..accepted {
        assert!(client.next().await["result"].is_object());
    }
    assert_eq!(text(&client.next().await), "through");
    client.assert_silent().await;
}

#[tokio::test(start_paused = true)]
async fn results_for_which_there_is_no_room_are_dropped_in_words() {
    let server = server()
        .limits(|limits| limits.unread_bytes = BOUND)
        .build()
        .unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    for id in 0..20 {
        let big = call(id, "big", json!({"of": 1_500}));
        let status = client.send(&big).await.status;
        assert!([202, 503].contains(&status.as_u16()), "{status}");
    }
    let mut results = Vec::new();
    while let Ok(answer) = timeout(Duration::from_secs(5), client.next()).await {
        results.push(answer);
    }
    let (whole, dropped): (Vec<_>, Vec<_>) = (results.iter())
        .filter(|answer| answer["result"]["content"].is_array())
        .partition(|answer| text(answer).len() == 1_500);
    assert!(whole.len() >= 4, "{}", whole.len());
    for answer in dropped {
        assert_eq!(answer["result"]["isError"], true);
        assert!(text(answer).contains("read"), "{answer}");
    }
    // One that is too large for any bound is given where nothing else waits.
    let large = client.call(99, "big", json!({"of": 3 * BOUND})).await;
    assert_eq!(large.len(), 3 * BOUND);
}

#[tokio::test]
async fn a_stream_that_is_filled_with_small_answers_is_cut() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| {
            limits.unread_bytes = BOUND;
            limits.calls_per_server = 40;
        })
        .build()
        .unwrap();
    let caller = Caller::of(&server);
    let mut client = caller.greeted("2024-11-05").await;
    for id in 0..40 {
        // The answer repeats it, whatever else it says.
        let id = format!("{id}{}", "x".repeat(1_000));
        client.send(&call(id, "gated", json!({}))).await.accepted();
        entered.recv().await.unwrap();
    }
    gate.open.add_permits(30);
    while let answer = client.send(&ping(1)).await
        && answer.status != 404
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.message().await, None);
    // What was left was cancelled: all places are free.
    let other = caller.greeted("2024-11-05").await;
    let left = gate.open.available_permits();
    gate.open.forget_permits(left);
    for id in 0..40 {
        other.send(&call(id, "gated", json!({}))).await.accepted();
        entered.recv().await.unwrap();
    }
}

#[tokio::test]
async fn unread_bytes_of_all_streams_are_limited() {
    const IN_ALL: usize = 256 * 1024;
    let server = server()
        .http(|http| http.limits(|limits| limits.unread_bytes = IN_ALL))
        .build()
        .unwrap();
    let caller = Caller::of(&server);
    let mut clients = Vec::new();
    let mut accepted = 0;
    for _ in 0..20 {
        let client = caller.greeted("2024-11-05").await;
        for _ in 0..40 {
            // Small by itself.
            let answer = client.send(&ping("x".repeat(1_000))).await;
            if answer.status == 503 {
                break;
            }
            answer.accepted();
            accepted += 1_000;
        }
        clients.push(client);
    }
    // Each may have a little besides.
    assert!(accepted > IN_ALL / 2, "{accepted}");
    assert!(accepted < IN_ALL + 20 * 20_000, "{accepted}");
    let last = clients.pop().unwrap();
    assert_eq!(last.send(&ping("x".repeat(1_000))).await.status, 503);
    // Who leaves makes room.
    clients.clear();
    last.send(&ping(1)).await.accepted();
}

#[tokio::test]
async fn progress_is_dropped_before_answers_are() {
    let server = server().build().unwrap();
    let mut client = Caller::of(&server).greeted("2024-11-05").await;
    let message = watched(1, "count", json!({"of": 5_000}));
    client.send(&message).await.accepted();
    let mut reports = 0;
    let answer = loop {
        let message = client.next().await;
        if message["method"] != "notifications/progress" {
            break message;
        }
        reports += 1;
    };
    assert_eq!(text(&answer), "counted 5000");
    assert!((100..1_000).contains(&reports), "{reports}");
}
