//! Streams that broke off, and the stream that belongs to no request.

use serde_json::json;

use crate::client::{Client, Events, Names, call, ping, result, watched};
use crate::tools::{gate, gated_server, hasty, server};

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_stream_is_given_once_and_in_order() {
    let server = server().build().unwrap();
    let client = Client::open(&server).await;
    let request = watched(1, "count", json!({"to": 10, "ms": 50}));
    let mut events = Events::of(client.post(&request).await);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(events.next().await.unwrap().id().to_owned());
    }
    drop(events);
    // While it runs, and as often as the client needs once it has ended.
    for from in [3, 3, 0, 2] {
        let rest = Events::of(client.resume(&ids[from]).await).rest().await;
        let reports: Vec<_> = rest.iter().filter_map(|event| event.progress()).collect();
        let expected: Vec<u64> = (from as u64 + 1..=10).collect();
        assert_eq!(reports, expected);
        assert_eq!(result(&rest.last().unwrap().json()), "counted 10");
    }
    // After the last event there is nothing.
    let rest = Events::of(client.resume(&ids[0]).await).rest().await;
    let last = rest.last().unwrap();
    let none = Events::of(client.resume(last.id()).await).rest().await;
    assert_eq!(none, []);
}

#[tokio::test]
async fn an_answer_waits_for_a_client_that_lost_its_connection() {
    let (gate, _entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    let client = Client::open(&server).await;
    let mut events = Events::of(client.post(&call(1, "gated", json!({}))).await);
    let first = events.next().await.unwrap();
    drop(events);
    gate.open.add_permits(1);
    while client.ask(&ping(1)).await.status == 400 {
        tokio::task::yield_now().await; // the call has not ended
    }
    let rest = Events::of(client.resume(first.id()).await).rest().await;
    assert_eq!(rest.len(), 1);
    assert_eq!(result(&rest[0].json()), "through");
}

#[tokio::test(start_paused = true)]
async fn one_stream_is_resumed_and_no_other() {
    let server = server().build().unwrap();
    let client = Client::open(&server).await;
    let request = |id| watched(id, "count", json!({"to": 4, "ms": 50}));
    let mut first = Events::of(client.post(&request(1)).await);
    let mut second = Events::of(client.post(&request(2)).await);
    let id = first.next().await.unwrap().id().to_owned();
    drop(first);
    let rest = Events::of(client.resume(&id).await).rest().await;
    assert_eq!(rest.last().unwrap().json()["id"], 1);
    let rest = second.rest().await;
    assert_eq!(rest.last().unwrap().json()["id"], 2);
    assert_eq!(rest.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_new_reader_takes_the_old_ones_place() {
    let server = server().build().unwrap();
    let client = Client::open(&server).await;
    let request = watched(1, "count", json!({"to": 4, "ms": 500}));
    let mut old = Events::of(client.post(&request).await);
    let first = old.next().await.unwrap();
    assert_eq!(old.next().await.unwrap().progress(), Some(1));
    let mut new = Events::of(client.resume(first.id()).await);
    assert_eq!(old.rest().await, []);
    assert_eq!(new.rest().await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn places_that_are_not_kept_are_refused() {
    let server = server()
        .http(|http| http.authenticate(Names))
        .build()
        .unwrap();
    let alice = Client::new(&server)
        .named("alice")
        .opened("2025-11-25")
        .await;
    let mut events = Events::of(alice.post(&watched(1, "count", json!({"to": 2}))).await);
    let id = events.next().await.unwrap().id().to_owned();
    events.rest().await;
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
    ] {
        let response = alice.resume(wrong).await;
        let text = crate::client::read(response).await.refusal(400);
        assert!(text.contains("Last-Event-ID"), "{wrong}: {text}");
    }
    // Of other sessions, whosever they are, it is no stream.
    for name in ["alice", "bob"] {
        let other = alice.named(name).opened("2025-11-25").await;
        assert_eq!(other.resume(&id).await.status(), 400);
    }
    assert_eq!(Events::of(alice.resume(&id).await).rest().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_sessions_own_stream_is_silent_and_has_one_reader() {
    let server = server().build().unwrap();
    let client = Client::open(&server).await;
    let mut first = Events::of(client.get(&[]).await);
    client.assert_alive().await;
    let mut second = Events::of(client.get(&[]).await);
    assert_eq!(first.next().await, None);
    // Time passes, and comments keep it open.
    let waiting = async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        client.delete().await
    };
    let (end, ended) = tokio::join!(second.next(), waiting);
    assert_eq!(end, None);
    assert_eq!(ended.status, 204);
    assert!(second.comments >= 3, "{}", second.comments);
}

#[tokio::test]
async fn a_stream_is_not_given_to_who_takes_none() {
    let server = server().build().unwrap();
    let client = Client::open(&server).await;
    let response = client.get(&[("accept", "application/json")]).await;
    assert_eq!(response.status(), 406);
}

#[tokio::test]
async fn the_end_of_a_session_ends_what_it_has_open() {
    let (gate, _entered) = gate();
    let server = hasty(gated_server(&gate)).build().unwrap();
    let client = Client::open(&server).await;
    let mut own = Events::of(client.get(&[]).await);
    let mut call = Events::of(client.post(&call(1, "gated", json!({}))).await);
    assert_eq!(call.next().await.unwrap().data, "");
    assert_eq!(client.delete().await.status, 204);
    assert_eq!(own.next().await, None);
    assert_eq!(call.next().await, None);
    gate.dropped.notified().await;
}
