//! Limits of the number of sessions, and which session is evicted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_kit::call::Call;
use mcp_kit::prelude::*;
use mcp_kit::resource::{self, ResourceDefinition};
use mcp_kit::server::ServerBuilder;
use mcp_kit::tool::{ToolDefinition, from_fn};
use serde_json::json;
use tokio::time::sleep;

use super::tools::{gated_server, server};
use crate::client::{Answer, Ask as _, Names, TestHttpClient, call, http, initialize, ping};
use crate::gate::gate;

const SECOND: Duration = Duration::from_secs(1);

fn small(server: ServerBuilder) -> Server {
    server
        .http(|http| {
            http.authenticate(Names).limits(|limits| {
                limits.sessions = 5;
                limits.sessions_per_principal = 3;
            })
        })
        .build()
        .unwrap()
}

type Values = (
    RequestInfo,
    Progress,
    Cancellation,
    mcp_kit::extract::Client,
);

/// What handlers have kept.
#[derive(Clone, Default)]
struct Hoard(Arc<Mutex<Vec<Values>>>);

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
#[expect(dead_code, reason = "its size matters")]
struct Text {
    #[garde(skip)]
    text: String,
}

/// Keeps what it was given.
#[tool]
async fn keep(
    _args: Text,
    request: RequestInfo,
    progress: Progress,
    cancellation: Cancellation,
    client: mcp_kit::extract::Client,
    State(Hoard(hoard)): State<Hoard>,
) -> &'static str {
    let values = (request, progress, cancellation, client);
    hoard.lock().unwrap().push(values);
    "kept"
}

/// A handler that keeps what it extracts keeps neither the arguments of its call, nor
/// what they count for.
#[tokio::test]
async fn values_that_a_handler_keeps_do_not_hold_its_arguments() {
    let hoard = Hoard::default();
    let server = Server::builder("test", "1")
        .state(hoard.clone())
        .tool::<keep>()
        .http(|http| {
            http.call_rate(None)
                .limits(|limits| limits.incoming_bytes = 4 * 1024 * 1024)
        })
        .build()
        .unwrap();
    let http = mcp_kit::testing::TestClient::http(&server);
    for client in [http.clone().modern(), http] {
        let client = client.connect().await.unwrap();
        for _ in 0..12 {
            let text = "x".repeat(1024 * 1024);
            let result = client.call("keep", json!({ "text": text })).await;
            assert_eq!(result.text(), "kept");
        }
    }
    let hoard = hoard.0.lock().unwrap();
    assert_eq!(hoard.len(), 24);
    for (request, progress, cancellation, client) in &*hoard {
        progress.report(1.0, None, None);
        assert!(!cancellation.is_cancelled() && !client.can_sample());
        assert!(request.client().is_some() && request.address().is_some());
    }
}

/// Answers that need no call can be long too: the instructions of the server, and
/// the acknowledgement of many URIs.
#[tokio::test]
async fn long_answers_without_a_call_count_among_the_unread_bytes() {
    let page = ResourceDefinition::new("page:{number}", "page");
    let page = resource::from_fn(page, async |_: Call| "a page");
    let server = Server::builder("test", "1")
        .instructions("x".repeat(40 * 1024))
        .add(page)
        .http(|http| http.limits(|limits| limits.unread_bytes = 100 * 1024))
        .build()
        .unwrap();
    let client = mcp_kit::testing::TestClient::http(&server);
    let modern = client.clone().modern();
    let uris: Vec<_> = (0..800)
        .map(|number| format!("page:{number:050}"))
        .collect();
    let listen = crate::modern::message(
        1,
        "subscriptions/listen",
        json!({"notifications": {"resourceSubscriptions": uris}}),
    );
    let ask = async |is_modern: bool| match is_modern {
        true => modern.post(&listen).await,
        false => client.post(&initialize("2025-11-25")).await,
    };
    for is_modern in [false, true] {
        let unread = [ask(is_modern).await, ask(is_modern).await];
        for response in &unread {
            assert_eq!(response.status(), 200, "{response:?}");
        }
        for refused in [false, true] {
            assert_eq!(ask(refused).await.status(), 503);
        }
        drop(unread);
        let mut response = ask(is_modern).await;
        assert_eq!(response.status(), 200);
        match is_modern {
            true => assert!(response.next_event().await.unwrap().data.len() > 40_000),
            false => assert!(response.text().await.len() > 40_000),
        }
        assert_eq!(ask(is_modern).await.status(), 200);
    }
}

/// Opens a session and uses it, a second after the last one.
async fn used(client: &TestHttpClient) -> TestHttpClient {
    sleep(SECOND).await;
    let client = client.clone().opened("2025-11-25").await;
    client.assert_alive().await;
    client
}

async fn refused(client: &TestHttpClient) -> Answer {
    let answer = client.ask(&initialize("2025-11-25")).await;
    assert!(!answer.headers.contains_key("mcp-session-id"));
    answer
}

async fn assert_ended(client: &TestHttpClient) {
    client.ask(&ping(1)).await.refusal(404);
}

/// A connector opens one for each call, and ends none of them.
#[tokio::test(start_paused = true)]
async fn new_session_ends_the_longest_idle_one_of_its_caller() {
    let server = small(server());
    let alice = http(&server).named("alice");
    let first = used(&alice).await;
    let second = used(&alice).await;
    let third = used(&alice).await;
    first.assert_alive().await;
    let fourth = alice.clone().opened("2025-11-25").await;
    assert_ended(&second).await;
    for client in [&third, &first, &fourth] {
        client.assert_alive().await;
    }
    for _ in 0..200 {
        let client = alice.clone().opened("2025-11-25").await;
        client.assert_alive().await;
    }
    // One that was only opened counts like those that were used.
    let opened = alice.clone().opened("2025-11-25").await;
    for _ in 0..2 {
        alice.clone().opened("2025-11-25").await;
    }
    opened.assert_alive().await;
}

#[tokio::test(start_paused = true)]
async fn session_with_a_call_or_a_stream_is_not_evicted() {
    let (gate, mut entered) = gate();
    let server = small(gated_server(&gate).limits(|limits| {
        limits.call_time = Duration::from_secs(20);
    }));
    let alice = http(&server).named("alice");
    let [calling, listening, other] = [used(&alice).await, used(&alice).await, used(&alice).await];
    let asked = calling.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    let stream = listening.get().await;
    other.assert_alive().await;

    alice.clone().opened("2025-11-25").await;
    assert_ended(&other).await;
    let last = used(&alice).await;
    let busy = last.start(call(1, "gated", json!({})));
    entered.recv().await.unwrap();
    let answer = refused(&alice).await;
    assert!(answer.refusal(429).contains("sessions"), "{answer:?}");
    assert_eq!(answer.json()["id"], "open");
    // The first call began a second ago, and then has a moment to be answered.
    let seconds = answer.headers["retry-after"].to_str().unwrap();
    assert_eq!(seconds.parse::<u64>().unwrap(), 20, "{seconds}");

    // The promise is kept.
    sleep(20 * SECOND).await;
    assert!(asked.await.unwrap().text.contains("timed out"));
    let next = used(&alice).await;
    assert_ended(&calling).await;
    listening.assert_alive().await;
    drop(stream);
    let _ = busy.await;
    next.assert_alive().await;
}

#[tokio::test(start_paused = true)]
async fn session_of_the_caller_with_the_most_is_evicted() {
    let server = small(server());
    let alice = http(&server).named("alice");
    let bob = alice.named("bob");
    let his = [used(&bob).await, used(&bob).await];
    let hers = [used(&alice).await, used(&alice).await, used(&alice).await];
    // His are idle for longer, and he has fewer.
    let carol = alice.named("carol");
    let carols = used(&carol).await;
    assert_ended(&hers[0]).await;
    for client in his.iter().chain(&hers[1..]).chain([&carols]) {
        client.assert_alive().await;
        sleep(SECOND).await;
    }
    // Each has two now, or would have: the longest idle of them all ends.
    let second = carol.clone().opened("2025-11-25").await;
    assert_ended(&his[0]).await;
    for client in [&carols, &his[1], &hers[1], &hers[2], &second] {
        client.assert_alive().await;
        sleep(SECOND).await;
    }
    // She has most of all with one more, and so hers ends for it.
    let third = carol.clone().opened("2025-11-25").await;
    assert_ended(&carols).await;
    for client in [&his[1], &hers[1], &hers[2], &second, &third] {
        client.assert_alive().await;
    }
}

#[tokio::test(start_paused = true)]
async fn session_in_use_is_not_evicted_for_another_caller() {
    let server = small(server());
    let alice = http(&server).named("alice");
    let bob = alice.named("bob");
    let hers = [used(&alice).await, used(&alice).await, used(&alice).await];
    let his = [used(&bob).await, used(&bob).await];
    for client in hers.iter().chain(&his) {
        client.assert_alive().await;
    }
    let carol = alice.named("carol");
    let answer = refused(&carol).await;
    assert!(answer.refusal(503).contains("sessions"), "{answer:?}");
    assert_eq!(answer.headers["retry-after"], "1");
    // Ending one makes room for the next request.
    assert_eq!(hers[0].delete().await.status(), 204);
    carol.clone().opened("2025-11-25").await;
    for client in hers[1..].iter().chain(&his) {
        client.assert_alive().await;
    }
}

/// A long list is as large as a result, and no call.
#[tokio::test]
async fn a_long_list_counts_among_what_is_unread() {
    let mut builder = server().http(|http| http.limits(|limits| limits.unread_bytes = 64 * 1024));
    for number in 0..20 {
        let definition = ToolDefinition::new(format!("tool-{number}"), "x".repeat(2_000));
        builder = builder.add(from_fn(definition, async |_| Ok::<_, ToolError>("")));
    }
    let server = builder.build().unwrap();
    let client = http(&server).opened("2025-11-25").await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let unread = client.post(&list).await;
    assert_eq!(unread.status(), 200);
    let answer = client.ask(&list).await;
    assert!(answer.refusal(503).contains("busy"), "{answer:?}");
    client.assert_alive().await;
    drop(unread);
    assert_eq!(client.ask(&list).await.status, 200);
}
