//! Calls of a session: ids, the queue, cancellation, timeouts.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcp_kit::server::Limits;
use mcp_kit::testing::tick_on_timers;
use serde_json::{Value, json};

use super::tools::{gate, gated, gated_server, hasty, server, whoami};
use crate::client::{
    Ask as _, call, cancel, events_of, http, id_of, open, ping, reported, rest_of, result, watched,
};

#[tokio::test(start_paused = true)]
async fn quick_calls_are_answered_with_json_and_long_ones_with_a_stream() {
    let (gate, _entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let answer = client.ask(&call(1, "wait", json!({"ms": 0}))).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.result(), "waited 0");

    let response = client.post(&call(2, "gated", json!({}))).await;
    let mut events = events_of(response);
    let first = events.next_event().await.unwrap();
    assert_eq!(first.data, "");
    assert!(first.id.is_some());
    gate.open.add_permits(1);
    assert_eq!(
        result(&events.next_event().await.unwrap().json()),
        "through"
    );
    assert_eq!(events.next_event().await, None);
}

#[tokio::test(start_paused = true)]
async fn older_clients_get_comments_while_they_wait() {
    let (gate, _entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    tick_on_timers(&server);
    let client = http(&server).opened("2025-06-18").await;
    let mut events = events_of(client.post(&call(1, "gated", json!({}))).await);
    let opened = gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        opened.open.add_permits(1);
    });
    let answer = events.next_event().await.unwrap();
    assert_eq!(result(&answer.json()), "through");
    assert!(answer.id.is_some());
    assert_eq!(events.next_event().await, None);
    assert!(events.keep_alives() > 0);
}

#[tokio::test(start_paused = true)]
async fn progress_makes_a_stream_that_begins_as_the_version_has_it() {
    let server = server().build().unwrap();
    for (version, is_primed) in [("2025-11-25", true), ("2025-03-26", false)] {
        let client = http(&server).opened(version).await;
        let request = watched(1, "count", json!({"to": 3, "ms": 10}));
        let mut events = rest_of(&mut events_of(client.post(&request).await)).await;
        if is_primed {
            assert_eq!(events.remove(0).data, "");
        }
        let reports: Vec<_> = events.iter().filter_map(reported).collect();
        assert_eq!(reports, [1, 2, 3]);
        assert_eq!(result(&events[3].json()), "counted 3");
        let ids: Option<HashSet<_>> = events.iter().map(|event| event.id.clone()).collect();
        assert_eq!(ids.unwrap().len(), events.len(), "{events:?}");

        // A client that takes no events hears of none.
        let client = client.header("accept", "application/json");
        assert_eq!(client.ask(&request).await.result(), "counted 3");
    }
}

#[tokio::test]
async fn an_id_in_flight_is_refused_and_the_first_call_goes_on() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let client = open(&server).await;
    let other = client.clone().opened("2025-11-25").await;
    let first = client.start(call(7, "gated", json!({})));
    entered.recv().await.unwrap();
    let malformed = json!({"jsonrpc": "2.0", "id": 7, "method": 5});
    for message in [call(7, "wait", json!({"ms": 0})), ping(7), malformed] {
        let answer = client.ask(&message).await;
        answer.refusal(400);
        assert_eq!(answer.json()["error"]["code"], -32600);
        assert_eq!(answer.json()["id"], Value::Null, "{message}");
    }
    // Other ids, the same text as a string, and other sessions are no matter.
    for (client, id) in [
        (&client, json!(8)),
        (&client, json!("7")),
        (&other, json!(7)),
    ] {
        let answer = client.ask(&call(id, "wait", json!({"ms": 0}))).await;
        assert_eq!(answer.result(), "waited 0");
    }
    gate.open.add_permits(1);
    assert_eq!(first.await.unwrap().result(), "through");
    let answer = client.ask(&call(7, "wait", json!({"ms": 0}))).await;
    assert_eq!(answer.result(), "waited 0");
}

#[tokio::test(start_paused = true)]
async fn cancelling_ends_a_call_without_an_answer() {
    let (gate, mut entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let plain = client.clone().header("accept", "application/json");
    let asked = plain.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    // Another session's id is another id, and so is one of the modern era.
    let other = client.clone().opened("2025-11-25").await;
    let modern = client.clone().without_session().modern();
    for other in [other, modern] {
        assert_eq!(other.ask(&cancel(1)).await.status, 202);
    }
    client.ask(&ping(1)).await.refusal(400);
    assert_eq!(client.ask(&cancel(1)).await.status, 202);
    asked.await.unwrap().accepted();
    gate.dropped.notified().await;

    // A stream ends, and has no answer.
    let mut events = events_of(client.post(&call(1, "gated", json!({}))).await);
    assert_eq!(events.next_event().await.unwrap().data, "");
    client.ask(&cancel(1)).await;
    assert_eq!(events.next_event().await, None);
}

#[tokio::test]
async fn disconnect_does_not_cancel_a_call_of_a_session() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).build().unwrap();
    let client = open(&server).await;
    let asked = client.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    // Its id stays in flight until it ends.
    client.ask(&ping(1)).await.refusal(400);
    gate.open.add_permits(1);
    gate.dropped.notified().await;
    while client.ask(&ping(1)).await.status != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn abandoned_call_still_times_out() {
    let (gate, mut entered) = gate();
    let server = hasty(server().state(gate.clone()))
        .tool_with::<gated>(|tool| tool.timeout(Duration::from_millis(300)))
        .build()
        .unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let mut events = events_of(client.post(&call(1, "gated", json!({}))).await);
    entered.recv().await.unwrap();
    let first = events.next_event().await.unwrap();
    drop(events);
    let events = rest_of(&mut events_of(client.resume(id_of(&first)).await)).await;
    assert_eq!(events.len(), 1);
    let text = result(&events[0].json());
    assert!(text.contains("300 ms"), "{text}");
}

fn small(limits: &mut Limits) {
    limits.calls_per_connection = 2;
    limits.pending_calls = 2;
}

#[tokio::test]
async fn calls_above_the_limit_wait_and_more_are_answered_with_busy() {
    let (gate, mut entered) = gate();
    let server = gated_server(&gate).limits(small).build().unwrap();
    let client = open(&server).await;
    let mut asked = Vec::new();
    for id in 0..2 {
        asked.push(client.start(call(id, "gated", json!({}))));
        entered.recv().await.unwrap();
    }
    for id in 2..4 {
        asked.push(client.start(call(id, "gated", json!({}))));
        // It is taken once its id is in flight.
        while client.ask(&ping(id)).await.status == 200 {
            tokio::task::yield_now().await;
        }
    }
    let busy = client.ask(&call(4, "gated", json!({}))).await;
    assert_eq!(busy.json()["result"]["isError"], true);
    assert!(busy.result().contains("busy"), "{busy:?}");
    // Neither pings nor other sessions wait.
    client.assert_alive().await;
    let other = client.clone().opened("2025-11-25").await;
    assert_eq!(
        other.ask(&call(0, "wait", json!({"ms": 0}))).await.result(),
        "waited 0"
    );
    // One that waits can be cancelled, and makes room.
    assert_eq!(client.ask(&cancel(2)).await.status, 202);
    assert_eq!(asked.remove(2).await.unwrap().status, 202);
    asked.push(client.start(call(4, "gated", json!({}))));
    while client.ask(&ping(4)).await.status == 200 {
        tokio::task::yield_now().await;
    }
    gate.open.add_permits(4);
    for asked in asked {
        assert_eq!(asked.await.unwrap().result(), "through");
    }
    assert!(entered.try_recv().is_ok(), "the third call ran");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_stays_within_its_time() {
    let (gate, mut entered) = gate();
    let server = server()
        .state(gate.clone())
        .tool::<gated>()
        .tool_with::<whoami>(|tool| tool.timeout(Duration::from_millis(200)))
        .limits(|limits| limits.calls_per_connection = 1)
        .build()
        .unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let first = client.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    let second = client.ask(&call(2, "whoami", json!({}))).await;
    assert!(second.result().contains("200 ms"), "{second:?}");
    gate.open.add_permits(1);
    assert!(first.await.unwrap().text.contains("through"));
    // The place is free again.
    let answer = client.ask(&call(2, "whoami", json!({}))).await;
    assert_eq!(answer.result(), "anonymous");
}

/// A subscriber that panics on each event while it is armed.
struct Panics(Arc<AtomicBool>);

impl tracing::Subscriber for Panics {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn event(&self, _: &tracing::Event<'_>) {
        assert!(!self.0.load(Ordering::Relaxed), "the log is broken");
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_log_that_panics_changes_no_answer() {
    let armed = Arc::<AtomicBool>::default();
    let _broken = tracing::subscriber::set_default(Panics(Arc::clone(&armed)));
    let (gate, mut entered) = gate();
    let server = server()
        .state(gate.clone())
        .tool::<gated>()
        .tool_with::<whoami>(|tool| tool.timeout(Duration::from_millis(50)))
        .limits(|limits| limits.calls_per_connection = 1)
        .build()
        .unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let first = client.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    // It waits for its turn until its time is up, of which a line is written.
    let second = client.ask(&call(2, "whoami", json!({}))).await;
    assert!(second.result().contains("50 ms"), "{second:?}");
    // Other tests reached the same lines before, when no subscriber was interested.
    tracing::callsite::rebuild_interest_cache();
    armed.store(true, Ordering::Relaxed);
    let third = client.ask(&call(3, "whoami", json!({}))).await;
    assert!(third.result().contains("50 ms"), "{third:?}");
    armed.store(false, Ordering::Relaxed);
    let fourth = client.ask(&call(4, "whoami", json!({}))).await;
    assert!(fourth.result().contains("50 ms"), "{fourth:?}");
    gate.open.add_permits(1);
    assert!(first.await.unwrap().text.contains("through"));
}

/// Some clients take no event of more than 1 MiB.
#[tokio::test]
async fn the_largest_result_fits_into_an_event_of_a_mebibyte() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let client = client.header("accept", "text/event-stream");
    for (bytes, is_whole) in [((1 << 20) - 17_000, true), ((1 << 20) - 16_000, false)] {
        let call = call("x".repeat(1_000), "big", json!({"bytes": bytes}));
        let answer = client.post(&call).await;
        let events = rest_of(&mut events_of(answer)).await;
        let last = events.last().unwrap();
        assert!(last.data.len() < (1 << 20) - 200, "{}", last.data.len());
        assert_eq!(last.data.len() > bytes, is_whole, "{}", last.data.len());
    }
}

/// Some proxies hold the head of a response back until something follows.
#[tokio::test]
async fn a_silent_stream_begins_with_a_comment() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let begin = client.get().await.chunk().await.unwrap();
    assert_eq!(begin, ": open\n\n");
}
