//! What ends a query: its time, a cancelled call, a client that leaves.

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use database::{Sqlite, limits};
use mcp_kit::{Principal, testing::TestClient};
use serde_json::json;

use crate::{
    RUNAWAY,
    support::{FOREVER, outcome, refusal, rows, server},
};

#[tokio::test]
async fn a_query_is_cancelled_when_its_time_is_over() {
    let database = Sqlite::sample().expect("the sample");
    let database = database.query_time(Duration::from_millis(20));
    let client = TestClient::new(&server(database)).await;
    for sql in [
        RUNAWAY,
        "SELECT count(*) FROM orders a, orders b, orders c, orders d, orders e",
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains("was cancelled after 20ms"), "{sql}: {text}");
    }
}

/// Nothing but cancelling ends these queries, and each holds a thread. The query
/// after them is answered only if every thread is free again.
#[tokio::test]
async fn cancelled_calls_free_their_threads() {
    let database = Sqlite::sample().expect("the sample");
    let server = server(database.query_time(FOREVER));
    let client = TestClient::new(&server).await;
    for _ in 0..3 {
        let calls: Vec<_> = (0..limits::CONNECTIONS)
            .map(|_| client.call("query", json!({"sql": RUNAWAY})))
            .collect();
        let after = client.call("query", json!({"sql": "SELECT 1"}));
        calls.iter().for_each(mcp_kit::testing::TestCall::cancel);
        assert!(outcome(after.await).is_ok());
    }
}

/// The framework drops a call's future when its client leaves.
#[tokio::test]
async fn a_full_queue_refuses_at_once_and_dropped_calls_make_room() {
    let database = Sqlite::sample().expect("the sample");
    let server = server(database.query_time(FOREVER));
    let caller = Principal::unrestricted("ada");
    let mut calls = Vec::new();
    let refused = loop {
        let call = server.call(&caller, "query", json!({"sql": RUNAWAY}));
        let mut call = Box::pin(call.into_future());
        let now = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        match now {
            Poll::Ready(refused) => break refused.expect_err("no room"),
            Poll::Pending => calls.push(call),
        }
    };
    assert!(calls.len() >= limits::QUEUE, "{}", calls.len());
    assert!(refused.to_string().contains("Try again"), "{refused}");
    drop(calls);
    // The threads stop, and pass over what was still waiting.
    let client = TestClient::new(&server).await;
    while let Err(text) = rows(&client, "SELECT 1").await {
        assert!(text.contains("Try again"), "{text}");
    }
}
