//! Time, rate, concurrency, size and waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use mcp_kit::call::Call;
use mcp_kit::middleware::{Next, from_fn as layer_from_fn};
use mcp_kit::prelude::*;
use mcp_kit::resource::{self, ResourceDefinition};
use mcp_kit::testing::TestClient;
use mcp_kit::tool::{ToolDefinition, from_fn};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::log::Log;

/// Sleeps for an hour.
#[tool(timeout = "2s")]
async fn sleepy() -> &'static str {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    "awake"
}

/// Sleeps for an hour, with no bound of its own.
#[tool]
async fn sleepier() {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_when_its_time_is_up() {
    let log = Log::capture();
    let server = Server::builder("test", "1")
        .tool::<sleepy>()
        .tool::<sleepier>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let begun = Instant::now();
    let result = client.call("sleepy", json!({})).await;
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert!(result.is_error());
    assert_eq!(
        result.text(),
        "The tool timed out after 2 s. It may have done part of its work."
    );
    assert_eq!(log.call("sleepy").get("outcome"), "timeout");

    let begun = Instant::now();
    let result = client.call("sleepier", json!({})).await;
    assert_eq!(begun.elapsed().as_secs(), 30, "the default");
    assert!(result.is_error());
}

#[tokio::test(start_paused = true)]
async fn the_registration_may_change_the_time() {
    let server = Server::builder("test", "1")
        .limits(|limits| limits.call_time = Duration::from_secs(7))
        .tool_with::<sleepy>(|tool| tool.timeout(Duration::from_millis(500)))
        .tool::<sleepier>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    assert!(
        client
            .call("sleepy", json!({}))
            .await
            .text()
            .contains("after 500 ms")
    );
    assert!(
        client
            .call("sleepier", json!({}))
            .await
            .text()
            .contains("after 7 s")
    );
}

/// How many run now, and how many ran at most.
#[derive(Clone, Default)]
struct Running(Arc<AtomicUsize>, Arc<AtomicUsize>);

/// Works for 20 seconds.
#[tool]
async fn works(State(Running(now, most)): State<Running>) -> &'static str {
    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(20)).await;
    now.fetch_sub(1, Ordering::SeqCst);
    "done"
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_their_turn_within_their_time() {
    let running = Running::default();
    let server = Server::builder("test", "1")
        .state(running.clone())
        .tool_with::<works>(|tool| tool.concurrency(2).timeout(Duration::from_secs(50)))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let begun = Instant::now();
    let calls: Vec<_> = (0..5).map(|_| client.call("works", json!({}))).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push((call.await, begun.elapsed().as_secs()));
    }
    let outcomes: Vec<_> = results
        .iter()
        .map(|(result, seconds)| (result.is_error(), *seconds))
        .collect();
    // The fifth gets its turn after 40 s, and would need 60.
    assert_eq!(
        outcomes,
        [
            (false, 20),
            (false, 20),
            (false, 40),
            (false, 40),
            (true, 50)
        ]
    );
    assert_eq!(running.1.load(Ordering::SeqCst), 2);
}

/// Counts while it works for a second, without its call.
async fn work_without(call: Call, Running(now, most): Running) -> &'static str {
    drop(call);
    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    now.fetch_sub(1, Ordering::SeqCst);
    "done"
}

/// A handler that drops its call, and a middleware that goes on after it has passed
/// the call on, hold their permits until they have ended.
#[tokio::test(start_paused = true)]
async fn permits_last_as_long_as_the_handler_and_its_middlewares() {
    let running = Running::default();
    let (in_tool, in_resource, in_layer) = (running.clone(), running.clone(), running.clone());
    let early = ToolDefinition::new("early", "Drops its call.");
    let early = from_fn(early, move |call: Call| work_without(call, in_tool.clone()));
    let page = ResourceDefinition::new("early://page", "page");
    let page = resource::from_fn(page, move |call: Call| {
        work_without(call, in_resource.clone())
    });
    let late = layer_from_fn(move |call: Call, next: Next<'static>| {
        let running = in_layer.clone();
        async move {
            let other = next.run(call).await?;
            running.1.fetch_max(
                running.0.fetch_add(1, Ordering::SeqCst) + 1,
                Ordering::SeqCst,
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
            running.0.fetch_sub(1, Ordering::SeqCst);
            Ok(other)
        }
    });
    let server = Server::builder("test", "1")
        .limits(|limits| limits.calls_per_connection = 2)
        .add(early)
        .add(page)
        .tool_with::<hello>(|tool| tool.layer(late))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let begun = Instant::now();
    for (method, params) in [
        ("tools/call", json!({"name": "early"})),
        ("resources/read", json!({"uri": "early://page"})),
        ("tools/call", json!({"name": "hello"})),
    ] {
        let calls: Vec<_> = (0..6)
            .map(|_| client.request(method, params.clone()))
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(running.1.swap(0, Ordering::SeqCst), 2, "{method} {params}");
    }
    assert_eq!(begun.elapsed().as_secs(), 9);
}

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "hello"
}

/// Says hello too.
#[tool]
async fn good_day() -> &'static str {
    "good day"
}

#[tokio::test(start_paused = true)]
async fn a_caller_above_its_rate_reads_how_long_to_wait() {
    let server = Server::builder("test", "1")
        .rate_limit("2/min".parse().unwrap())
        .tool::<hello>()
        .tool::<good_day>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    for _ in 0..2 {
        assert!(!client.call("hello", json!({})).await.is_error());
    }
    let refused = client.call("hello", json!({})).await;
    assert!(refused.is_error());
    assert_eq!(
        refused.text(),
        "Rate limit of 2/min reached for this tool. Try again in 30 seconds."
    );
    assert!(!client.call("good_day", json!({})).await.is_error());
    let other = TestClient::builder(&server)
        .principal(Principal::unrestricted("someone else"))
        .connect()
        .await;
    assert!(!other.call("hello", json!({})).await.is_error());

    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(!client.call("hello", json!({})).await.is_error());
    assert!(client.call("hello", json!({})).await.is_error());
}

/// Repeats a letter.
#[tool]
async fn letters(State(count): State<usize>) -> String {
    "x".repeat(count)
}

#[tokio::test]
async fn a_result_that_is_too_large_is_replaced_by_an_error() {
    let server = |bytes: Option<usize>| {
        Server::builder("test", "1")
            .state(2 * 1024 * 1024_usize)
            .tool_with::<letters>(|tool| match bytes {
                Some(bytes) => tool.result_bytes(bytes),
                None => tool,
            })
            .tool::<hello>()
            .build()
            .unwrap()
    };
    let log = Log::capture();
    let client = TestClient::new(&server(None)).await;
    let result = client.call("letters", json!({})).await;
    assert!(result.is_error());
    assert_eq!(log.call("letters").get("outcome"), "result_too_large");
    assert!(
        result.text().contains("more than the 1032192"),
        "{}",
        result.text()
    );
    assert!(!client.call("hello", json!({})).await.is_error());

    let client = TestClient::new(&server(Some(4 * 1024 * 1024))).await;
    let result = client.call("letters", json!({})).await;
    assert_eq!(result.text().len(), 2 * 1024 * 1024);
}

/// Tells that it runs, and then does not end.
#[tool]
async fn occupies(State(begun): State<Arc<Notify>>) {
    begun.notify_one();
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn above_the_limit_of_waiting_calls_the_answer_is_busy_and_others_go_on() {
    let begun = Arc::new(Notify::new());
    let server = Server::builder("test", "1")
        .limits(|limits| {
            limits.calls_per_connection = 1;
            limits.pending_calls = 1;
        })
        .state(Arc::clone(&begun))
        .tool::<occupies>()
        .tool::<hello>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let running = client.call("occupies", json!({}));
    begun.notified().await;
    let waiting = client.call("hello", json!({}));
    let refused = client.call("hello", json!({})).await;
    assert!(refused.is_error());
    assert!(refused.text().contains("busy"), "{}", refused.text());
    client.request("ping", json!({})).await.unwrap();
    assert!(
        !TestClient::new(&server)
            .await
            .call("hello", json!({}))
            .await
            .is_error()
    );
    running.cancel();
    assert_eq!(waiting.await.text(), "hello");
}

/// Blocks until the test says so; shared by the two tools that do.
#[derive(Clone)]
struct Gate(Arc<Mutex<mpsc::Receiver<()>>>);

impl Gate {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (open, gate) = mpsc::channel();
        (open, Self(Arc::new(Mutex::new(gate))))
    }

    fn wait(&self) {
        let _ = self.0.lock().unwrap().recv();
    }
}

/// Blocks its thread though it is async.
#[tool(timeout = "50ms")]
async fn blocks_by_mistake(State(gate): State<Gate>) {
    gate.wait();
}

/// Blocks a thread of the pool.
#[tool(blocking, timeout = "50ms")]
fn blocks(State(gate): State<Gate>, cancellation: Cancellation) -> bool {
    gate.wait();
    cancellation.is_cancelled()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_is_answered_in_time_and_stops_no_other() {
    let (open, gate) = Gate::new();
    let server = Server::builder("test", "1")
        .state(gate)
        .tool::<blocks_by_mistake>()
        .tool::<hello>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let blocked = client.call("blocks_by_mistake", json!({}));
    // Nothing opens the gate before both have their answers.
    assert_eq!(client.call("hello", json!({})).await.text(), "hello");
    let result = blocked.await;
    assert!(result.is_error());
    assert!(
        result.text().contains("timed out after 50 ms"),
        "{}",
        result.text()
    );
    open.send(()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_made_just_before_a_handler_blocks_leave_all_the_same() {
    let (open, gate) = Gate::new();
    let server = Server::builder("test", "1")
        .state(gate)
        .tool_with::<blocks_by_mistake>(|tool| tool.timeout(Duration::from_secs(30)))
        .tool::<hello>()
        .build()
        .unwrap();
    for _ in 0..20 {
        let client = TestClient::new(&server).await;
        // Sent together, so that one runner has them one after the other.
        let before: Vec<_> = (0..10).map(|_| client.call("hello", json!({}))).collect();
        let blocked = client.call("blocks_by_mistake", json!({}));
        let after = client.call("hello", json!({}));
        for answer in before {
            assert_eq!(answer.await.text(), "hello");
        }
        assert_eq!(after.await.text(), "hello");
        client.request("ping", json!({})).await.unwrap();
        open.send(()).unwrap();
        assert!(!blocked.await.is_error());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_handler_keeps_its_permit_until_it_ends() {
    let (open, gate) = Gate::new();
    let server = Server::builder("test", "1")
        .state(gate)
        .tool_with::<blocks>(|tool| tool.concurrency(1))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let first = client.call("blocks", json!({})).await;
    assert!(
        first.text().contains("timed out after 50 ms"),
        "{}",
        first.text()
    );
    // Still blocked, so the only permit is out.
    let second = client.call("blocks", json!({})).await;
    assert!(second.is_error());
    // One for the first, and one for the next call.
    open.send(()).unwrap();
    open.send(()).unwrap();
    loop {
        let next = client.call("blocks", json!({})).await;
        if !next.is_error() {
            assert_eq!(next.text(), "false", "this one was not cancelled");
            break;
        }
    }
}
