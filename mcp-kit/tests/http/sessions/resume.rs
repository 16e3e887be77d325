//! Streams that broke off, and the stream that belongs to no request.

use http::HeaderValue;
use mcp_kit::testing::tick_on_timers;
use serde_json::json;

use super::tools::{gate, gated_server, hasty, server};
use crate::client::{
    Ask as _, Names, call, events_of, http, id_of, open, ping, read, reported, rest_of, result,
    watched,
};

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_stream_is_given_once_and_in_order() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let request = watched(1, "count", json!({"to": 10, "ms": 50}));
    let mut events = events_of(client.post(&request).await);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(id_of(&events.next_event().await.unwrap()).to_owned());
    }
    drop(events);
    // While it runs, and as often as the client needs once it has ended.
    for from in [3, 3, 0, 2] {
        let rest = rest_of(&mut events_of(client.resume(&ids[from]).await)).await;
        let reports: Vec<_> = rest.iter().filter_map(reported).collect();
        let expected: Vec<u64> = (from as u64 + 1..=10).collect();
        assert_eq!(reports, expected);
        assert_eq!(result(&rest.last().unwrap().json()), "counted 10");
    }
    // After the last event there is nothing.
    let rest = rest_of(&mut events_of(client.resume(&ids[0]).await)).await;
    let last = rest.last().unwrap();
    let none = rest_of(&mut events_of(client.resume(id_of(last)).await)).await;
    assert_eq!(none, []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_a_client_that_lost_its_connection() {
    let (gate, _entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let mut events = events_of(client.post(&call(1, "gated", json!({}))).await);
    let first = events.next_event().await.unwrap();
    drop(events);
    gate.open.add_permits(1);
    while client.ask(&ping(1)).await.status == 400 {
        tokio::task::yield_now().await; // the call has not ended
    }
    let rest = rest_of(&mut events_of(client.resume(id_of(&first)).await)).await;
    assert_eq!(rest.len(), 1);
    assert_eq!(result(&rest[0].json()), "through");
}

#[tokio::test(start_paused = true)]
async fn one_stream_is_resumed_and_no_other() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let request = |id| watched(id, "count", json!({"to": 4, "ms": 50}));
    let mut first = events_of(client.post(&request(1)).await);
    let mut second = events_of(client.post(&request(2)).await);
    let id = id_of(&first.next_event().await.unwrap()).to_owned();
    drop(first);
    let rest = rest_of(&mut events_of(client.resume(&id).await)).await;
    assert_eq!(rest.last().unwrap().json()["id"], 1);
    assert_eq!(rest.len(), 5, "{rest:?}");
    let rest = rest_of(&mut second).await;
    assert_eq!(rest.last().unwrap().json()["id"], 2);
    assert_eq!(rest.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn resuming_a_stream_ends_its_old_reader() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let request = watched(1, "count", json!({"to": 4, "ms": 500}));
    let mut old = events_of(client.post(&request).await);
    let first = old.next_event().await.unwrap();
    assert_eq!(reported(&old.next_event().await.unwrap()), Some(1));
    let mut new = events_of(client.resume(id_of(&first)).await);
    assert_eq!(rest_of(&mut old).await, []);
    assert_eq!(rest_of(&mut new).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn resume_with_unknown_event_id_is_400() {
    let server = server()
        .http(|http| http.authenticate(Names))
        .build()
        .unwrap();
    let alice = http(&server).named("alice").opened("2025-11-25").await;
    let mut events = events_of(alice.post(&watched(1, "count", json!({"to": 2}))).await);
    let id = id_of(&events.next_event().await.unwrap()).to_owned();
    rest_of(&mut events).await;
    let (stream, _) = id.split_once('-').unwrap();
    let beyond = format!("{stream}-99");
    let other = format!("{}-0", stream.parse::<u64>().unwrap() + 1);
    for wrong in [
        "",
        "-",
        "0",
        "1-",
        "-1",
        "a-b",
        "1-1-1",
        " ",
        &beyond,
        &other,
        "18446744073709551615-18446744073709551615",
        "18446744073709551616-0",
        "made up",
        "1_99999",
        "../../etc",
    ] {
        let response = alice.resume(wrong).await;
        let text = read(response).await.refusal(400);
        assert!(text.contains("Last-Event-ID"), "{wrong}: {text}");
    }
    let no_text = HeaderValue::from_bytes("a\u{e9}".as_bytes()).unwrap();
    let refused = alice.clone().header("last-event-id", no_text).get().await;
    assert_eq!(refused.status(), 400);
    // To another caller the session does not exist.
    assert_eq!(alice.clone().key("bob").resume(&id).await.status(), 404);
    // It is not a stream of any other session.
    for name in ["alice", "bob"] {
        let other = alice.named(name).opened("2025-11-25").await;
        assert_eq!(other.resume(&id).await.status(), 400);
    }
    assert_eq!(
        rest_of(&mut events_of(alice.resume(&id).await)).await.len(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn the_sessions_own_stream_is_silent_and_has_one_reader() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let mut first = events_of(client.get().await);
    client.assert_alive().await;
    let mut second = events_of(client.get().await);
    assert_eq!(first.next_event().await, None);
    // Time passes, and comments keep it open.
    let waiting = async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        client.delete().await
    };
    let (end, ended) = tokio::join!(second.next_event(), waiting);
    assert_eq!(end, None);
    assert_eq!(ended.status(), 204);
    assert!(second.keep_alives() >= 3, "{}", second.keep_alives());
}

#[tokio::test]
async fn get_without_event_stream_in_accept_is_406() {
    let server = server().build().unwrap();
    let client = open(&server).await;
    let response = client.header("accept", "application/json").get().await;
    assert_eq!(response.status(), 406);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_session_ends_what_it_has_open() {
    let (gate, _entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    tick_on_timers(&server);
    let client = open(&server).await;
    let mut own = events_of(client.get().await);
    let mut call = events_of(client.post(&call(1, "gated", json!({}))).await);
    assert_eq!(call.next_event().await.unwrap().data, "");
    assert_eq!(client.delete().await.status(), 204);
    assert_eq!(own.next_event().await, None);
    assert_eq!(call.next_event().await, None);
    gate.dropped.notified().await;
}
