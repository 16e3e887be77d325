//! The drain: calls in flight are answered, new ones are refused.

use mcp_kit::testing::tick_on_timers;
use serde_json::json;

use super::tools::{gate, gated_server, hasty};
use crate::client::{
    Ask as _, call, cancel, events_of, id_of, initialize, open, ping, rest_of, result,
};

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_delivered_and_silent_streams_end() {
    let (gate, mut entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let mut own = events_of(client.get().await);
    let mut stream = events_of(client.post(&call(1, "gated", json!({}))).await);
    let first = stream.next_event().await.unwrap();
    let older = client.named("older").opened("2025-06-18").await;
    let plain = older.start(call(2, "gated", json!({})));
    let mut cancelled = events_of(client.post(&call(3, "gated", json!({}))).await);
    cancelled.next_event().await.unwrap();
    for _ in 0..3 {
        entered.recv().await.unwrap();
    }
    server.drain_handle().begin();
    assert_eq!(own.next_event().await, None);
    for message in [ping(9), call(9, "wait", json!({"ms": 0})), json!([ping(9)])] {
        let answer = client.ask(&message).await;
        assert!([400, 503].contains(&answer.status.as_u16()), "{answer:?}");
    }
    client.ask(&ping(9)).await.refusal(503);
    assert_eq!(client.get().await.status(), 503);
    let stranger = client.named("anybody");
    stranger.ask(&initialize("2025-11-25")).await.refusal(503);
    // What ends calls is still heard.
    assert_eq!(client.ask(&cancel(3)).await.status, 202);
    assert_eq!(cancelled.next_event().await, None);
    gate.open.add_permits(2);
    assert!(plain.await.unwrap().text.contains("through"));
    let rest = rest_of(&mut stream).await;
    assert_eq!(result(&rest[0].json()), "through");
    assert!(!id_of(&first).is_empty());
}

/// However many wait, they end one after the other, and not within each other.
#[test]
fn a_runtime_that_ends_takes_the_calls_that_wait_with_it() {
    const WAITING: usize = 3_000;
    let (gate, mut entered) = gate();
    let server = gated_server(&gate)
        .limits(|limits| {
            limits.calls_per_connection = 1;
            limits.pending_calls = WAITING;
        })
        .http(|http| {
            http.allow_unauthenticated().limits(|limits| {
                limits.connections = 3 * WAITING;
                limits.requests = 3 * WAITING;
            })
        })
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = runtime.block_on(async {
        let client = open(&server).await;
        client.start(call("runs", "gated", json!({})));
        entered.recv().await.unwrap();
        for id in 0..WAITING {
            client.start(call(id, "gated", json!({})));
        }
        while client.ask(&ping(WAITING - 1)).await.status == 200 {
            tokio::task::yield_now().await;
        }
        client
    });
    drop(runtime);
    assert!(entered.try_recv().is_err());
    drop(client);
}

/// Calls are looked after on whichever runtime there is.
#[test]
fn the_runtime_of_the_first_call_need_not_be_the_last() {
    let (gate, _entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let client = runtime().block_on(async {
        let client = open(&server).await;
        client.ask(&call(1, "wait", json!({"ms": 0}))).await;
        client
    });
    runtime().block_on(async {
        // It begins only because the ticker watches it.
        let message = call(2, "gated", json!({}));
        let asked = client.post(&message);
        let began = tokio::time::timeout(std::time::Duration::from_secs(30), asked).await;
        events_of(began.unwrap()).next_event().await.unwrap();
    });
}
