//! An observer sees the end of every call exactly once, however it ends.

use std::sync::Arc;
use std::time::Duration;

use mcp_kit::call::{CallInfo, Ending, Observer};
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};

/// What an audit writes down of a call.
#[derive(Debug, PartialEq)]
struct Entry {
    name: String,
    outcome: &'static str,
    has_begun: bool,
    has_answer: bool,
}

struct Audit(UnboundedSender<Entry>);

impl Observer for Audit {
    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
        assert_eq!(call.kind().as_str(), "tool");
        assert_eq!(how.reference().is_some(), {
            let outcome = how.outcome().as_str();
            outcome == "internal_error" || outcome == "panic"
        });
        let _ = self.0.send(Entry {
            name: call.name().to_owned(),
            outcome: how.outcome().as_str(),
            has_begun: how.has_begun(),
            has_answer: how.answer_bytes().is_some(),
        });
    }
}

/// Panics at every call.
struct Broken;

impl Observer for Broken {
    fn started(&self, _: &CallInfo<'_>) {
        panic!("the observer panics at the start");
    }

    fn ended(&self, _: &CallInfo<'_>, _: &Ending<'_>) {
        panic!("the observer panics at the end");
    }
}

type Gate = Arc<(Notify, Semaphore)>;

#[derive(serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct HowArgs {
    #[garde(length(chars, max = 20))]
    how: String,
}

/// Ends in the way that its argument names.
#[tool]
async fn ends(args: HowArgs) -> Result<ToolResult, ToolError> {
    match args.how.as_str() {
        "well" => Ok(ToolResult::text("done")),
        "badly" => Ok(ToolResult::text("no").into_failure()),
        "refused" => Err(ToolError::user("Not today.")),
        "internally" => Err(std::io::Error::other("secret"))?,
        "largely" => Ok(ToolResult::text("x".repeat(2_000_000))),
        "busy" => Err(ToolError::busy("Too much to do.")),
        "lost" => Err(ToolError::not_found("There is no such entry.")),
        "never" => std::future::pending().await,
        _ => panic!("no such end"),
    }
}

/// Waits until it may go on.
#[tool]
async fn waits(State(gate): State<Gate>) {
    gate.0.notify_one();
    let _ = gate.1.acquire().await;
}

/// Needs a scope.
#[tool(scope = "admin")]
async fn guarded() {}

/// May be called once.
#[tool(rate = Rate::per_hour(1))]
async fn rated() {}

fn server(limits: impl FnOnce(&mut mcp_kit::server::Limits)) -> (Server, Gate, Entries) {
    let (sender, entries) = unbounded_channel();
    let gate = Gate::new((Notify::new(), Semaphore::new(0)));
    let server = Server::builder("test", "1")
        .state(Arc::clone(&gate))
        .limits(limits)
        .observer(Broken)
        .observer(Audit(sender))
        .tool::<ends>()
        .tool::<waits>()
        .tool::<guarded>()
        .tool::<rated>()
        .build()
        .unwrap();
    (server, gate, Entries(entries))
}

struct Entries(UnboundedReceiver<Entry>);

impl Entries {
    async fn next(&mut self) -> Entry {
        self.0.recv().await.unwrap()
    }

    /// The next entry is this one, and there is no other yet.
    #[track_caller]
    fn only(&mut self, name: &str, outcome: &'static str, [has_begun, has_answer]: [bool; 2]) {
        let entry = Entry {
            name: name.to_owned(),
            outcome,
            has_begun,
            has_answer,
        };
        assert_eq!(self.0.try_recv().unwrap(), entry);
        assert!(self.0.try_recv().is_err(), "{outcome} was reported twice");
    }
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_call_that_ran_is_observed_once() {
    let (server, _, mut entries) = server(|limits| limits.call_time = Duration::from_secs(2));
    let client = TestClient::new(&server).await;
    for (how, outcome) in [
        ("well", "ok"),
        ("badly", "error_result"),
        ("refused", "user_error"),
        ("internally", "internal_error"),
        ("largely", "result_too_large"),
        ("busy", "busy"),
        ("lost", "not_found"),
        ("never", "timeout"),
        ("otherwise", "panic"),
        ("longer than twenty characters", "invalid_arguments"),
    ] {
        client.call("ends", json!({ "how": how })).await;
        entries.only("ends", outcome, [true, true]);
    }
    client.call("rated", json!({})).await;
    entries.only("rated", "ok", [true, true]);
    client.call("rated", json!({})).await;
    entries.only("rated", "rate_limited", [true, true]);

    let guest = Principal::new("guest", ["read"]);
    let guest = TestClient::builder(&server)
        .principal(guest)
        .connect()
        .await;
    let guarded = guest.call("guarded", json!({})).outcome().await;
    assert!(guarded.unwrap_err().to_string().contains("Unknown tool"));
    entries.only("guarded", "forbidden", [false, false]);
    // A request for an unknown name is not a call.
    let unknown = client.request("tools/call", json!({"name": "unknown"}));
    assert!(unknown.await.is_err());
    assert!(entries.0.try_recv().is_err());
}

#[tokio::test]
async fn a_call_that_is_refused_before_its_turn_is_observed_once() {
    let (server, gate, mut entries) = server(|limits| {
        limits.calls_per_connection = 1;
        limits.pending_calls = 1;
    });
    let client = TestClient::new(&server).await;
    let running = client.call("waits", json!({}));
    gate.0.notified().await;
    let waiting = client.call("waits", json!({}));
    let refused = client.call("waits", json!({})).await;
    assert!(refused.text().contains("busy"), "{}", refused.text());
    entries.only("waits", "busy", [false, true]);

    waiting.cancel();
    let told = entries.next().await;
    assert_eq!((told.outcome, told.has_begun), ("cancelled", false));
    running.cancel();
    let told = entries.next().await;
    assert_eq!((told.outcome, told.has_begun), ("cancelled", true));
    assert!(!told.has_answer);
    assert!(entries.0.try_recv().is_err());
}

#[tokio::test]
async fn a_call_whose_client_leaves_is_observed_once() {
    let (server, gate, mut entries) = server(|limits| {
        limits.calls_per_connection = 1;
        limits.drain_time = Duration::ZERO;
    });
    let client = TestClient::new(&server).await;
    let _running = client.call("waits", json!({}));
    gate.0.notified().await;
    let _waiting = client.call("waits", json!({}));
    client.close().await;
    let mut told = [entries.next().await, entries.next().await];
    told.sort_by_key(|entry| entry.has_begun);
    let begun: Vec<_> = told.iter().map(|entry| entry.has_begun).collect();
    assert_eq!(begun, [false, true]);
    assert!(told.iter().all(|entry| entry.outcome == "busy"), "{told:?}");
    assert!(entries.0.try_recv().is_err());
}

#[tokio::test]
async fn a_call_from_code_is_observed_once_also_if_it_is_dropped() {
    let (server, gate, mut entries) = server(|_| {});
    let local = Principal::new("job", [""; 0]);
    let done = server.call(&local, "ends", json!({"how": "well"})).await;
    assert!(done.is_ok());
    entries.only("ends", "ok", [true, false]);
    tokio::select! {
        biased;
        _ = server.call(&local, "waits", Value::Null) => panic!("it waits"),
        () = gate.0.notified() => {}
    }
    entries.only("waits", "cancelled", [true, false]);
}
