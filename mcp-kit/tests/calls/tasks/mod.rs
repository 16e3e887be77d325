//! Tasks: calls that go on without their request (2026-07-28).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use garde::Validate;
use mcp_kit::call::{CallInfo, Ending, Observer};
use mcp_kit::extract::Task;
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{
    Answer, RequestError, Subscription, SubscriptionFilter, TestClient, TestClientBuilder, TestTask,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, advance, sleep, timeout};

mod following;
mod questions;

const TASKS: &str = "io.modelcontextprotocol/tasks";

#[derive(Clone, Default)]
struct Gates {
    /// The handler runs.
    started: Arc<Notify>,
    /// The handler may end.
    open: Arc<Notify>,
    /// Gets an entry when a handler that waits is dropped.
    dropped: Arc<Mutex<usize>>,
}

struct CountDrop(Arc<Mutex<usize>>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

/// Waits until it may end.
#[tool(task)]
async fn wait(State(gates): State<Gates>, progress: Progress) -> &'static str {
    let _dropped = CountDrop(Arc::clone(&gates.dropped));
    progress.report(1.0, Some(3.0), None);
    gates.started.notify_one();
    gates.open.notified().await;
    progress.report(2.0, None, Some("nearly done"));
    gates.started.notify_one();
    gates.open.notified().await;
    "done"
}

/// Must be a task.
#[tool(task = "required", scope = "jobs")]
async fn job() -> Result<&'static str, ToolError> {
    Err(ToolError::user("There is nothing to do."))
}

/// Fails inside.
#[tool(task)]
async fn broken() -> Result<&'static str, ToolError> {
    Err(ToolError::internal("postgres://admin:hunter2@db"))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Name {
    #[garde(length(chars, max = 5))]
    name: String,
}

/// Greets the user.
#[tool(task)]
async fn greet(client: Client) -> Result<String, ToolError> {
    let name = client.elicit::<Name>("Your name?").await?.accepted();
    Ok(name.map_or("Hello!".to_owned(), |name| format!("Hello, {}!", name.name)))
}

/// Greets one user at a time.
#[tool(task, concurrency = 1)]
async fn greet_one(client: Client, State(gates): State<Gates>) -> Result<String, ToolError> {
    let name = client.elicit::<Name>("Your name?").await?.accepted();
    gates.started.notify_one();
    gates.open.notified().await;
    Ok(name.map_or("Hello!".to_owned(), |name| format!("Hello, {}!", name.name)))
}

/// Asks before it becomes a task, and after.
#[tool(task)]
async fn order(client: Client, task: Task) -> Result<String, ToolError> {
    let before = client.elicit::<Name>("For whom?").await?.accepted();
    let Some(before) = before else {
        return Ok("Nothing was ordered.".to_owned());
    };
    task.begin().await?;
    let after = client.elicit::<Name>("Paid by whom?").await?.accepted();
    let after = after.map_or("nobody".to_owned(), |name| name.name);
    Ok(format!("for {}, paid by {after}", before.name))
}

fn builder(gates: &Gates) -> ServerBuilder {
    Server::builder("tasks", "1.0.0")
        .state(gates.clone())
        .tool::<wait>()
        .tool::<job>()
        .tool::<broken>()
        .tool::<greet>()
        .tool::<greet_one>()
        .tool::<order>()
}

fn server(gates: &Gates) -> Server {
    builder(gates).build().unwrap()
}

fn modern(server: &Server) -> TestClientBuilder<'_> {
    TestClient::builder(server).version(ProtocolVersion::V2026_07_28)
}

async fn tasks(server: &Server) -> TestClient {
    modern(server).tasks().connect().await
}

fn code_of(answer: Result<Value, RequestError>) -> i64 {
    answer.unwrap_err().code().unwrap()
}

#[tokio::test(start_paused = true)]
async fn task_outlives_its_request_and_reports_its_status() {
    let gates = Gates::default();
    let server = server(&gates);
    let client = tasks(&server).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert_eq!(discovered["capabilities"]["extensions"], json!({TASKS: {}}));

    let task = client.call_as_task("wait", Value::Null).await;
    let created = task.created();
    assert_eq!(created["status"], "working");
    assert_eq!(created["ttlMs"], 70 * 60 * 1_000);
    assert_eq!(created["pollIntervalMs"], 500);
    assert!(created["createdAt"].as_str().unwrap().ends_with('Z'));
    assert!(created.get("result").is_none() && created.get("inputRequests").is_none());
    assert!(task.id().len() >= 22);
    gates.started.notified().await;
    let state = task.get().await.unwrap();
    assert_eq!(state["resultType"], "complete");
    assert_eq!(state["statusMessage"], "1 of 3");
    // Another connection of the same caller continues where this one ends.
    let id = task.id().to_owned();
    client.close().await;
    let client = tasks(&server).await;
    let task = client.task(&id);
    advance(Duration::from_secs(5)).await;
    gates.open.notify_one();
    gates.started.notified().await;
    assert_eq!(task.get().await.unwrap()["statusMessage"], "nearly done");
    gates.open.notify_one();
    let ended = task.ended().await;
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["result"]["content"][0]["text"], "done");
    assert_eq!(ended["result"]["resultType"], "complete");
    assert!(ended.get("statusMessage").is_none());
    // Kept for 10 min after the end, while `ttlMs` counts from the beginning.
    let ttl = Duration::from_millis(ended["ttlMs"].as_u64().unwrap());
    assert!(
        ttl >= Duration::from_secs(605) && ttl < Duration::from_secs(607),
        "{ttl:?}"
    );
    advance(Duration::from_secs(595)).await;
    assert!(task.get().await.is_ok());
    advance(Duration::from_secs(10)).await;
    assert_eq!(code_of(task.get().await), -32602);
}

#[tokio::test]
async fn clients_without_the_extension_wait_for_the_result() {
    let gates = Gates::default();
    let server = server(&gates);
    let legacy = TestClient::new(&server).await;
    let plain = modern(&server).connect().await;
    for client in [&legacy, &plain] {
        gates.open.notify_one();
        let call = client.call("wait", json!({}));
        gates.started.notified().await;
        gates.started.notified().await;
        gates.open.notify_one();
        assert_eq!(call.await.text(), "done");
    }
    // A required task needs it, in the era that has it.
    assert!(legacy.call("job", json!({})).await.is_error());
    let error = plain.call("job", json!({})).outcome().await.unwrap_err();
    let RequestError::Protocol { code, data, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(code, -32021);
    let required = &data.unwrap()["requiredCapabilities"];
    assert_eq!(required, &json!({"extensions": {TASKS: {}}}));
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({"taskId": "x", "inputResponses": {}});
        assert_eq!(code_of(plain.request(method, params.clone()).await), -32021);
        assert_eq!(code_of(legacy.request(method, params).await), -32601);
    }
    let capable = tasks(&server).await;
    for method in ["tasks/list", "tasks/result"] {
        assert_eq!(
            code_of(capable.request(method, json!({"taskId": "x"})).await),
            -32601
        );
    }
}

#[tokio::test]
async fn server_without_task_tools_has_no_tasks() {
    let server = Server::builder("plain", "1").build().unwrap();
    let client = tasks(&server).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert!(discovered["capabilities"].get("extensions").is_none());
    assert_eq!(code_of(client.task("x").get().await), -32601);
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_tool_complete_the_task_and_those_of_the_server_fail_it() {
    let server = server(&Gates::default());
    let client = tasks(&server).await;
    let result = client.call_as_task("job", json!({})).await.result().await;
    assert!(result.is_error());
    assert_eq!(result.text(), "There is nothing to do.");
    let failed = client.call_as_task("broken", json!({})).await.ended().await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"]["code"], -32603);
    assert!(failed.get("result").is_none());
    let text = failed["error"]["message"].as_str().unwrap();
    assert!(
        text.contains("reference") && !text.contains("hunter2"),
        "{text}"
    );
    assert_eq!(failed["statusMessage"], text);
}

#[tokio::test]
async fn task_of_another_principal_does_not_exist() {
    let gates = Gates::default();
    let server = server(&gates);
    let alice = Principal::new("alice", ["jobs"]);
    let client = modern(&server).principal(alice).tasks().connect().await;
    let task = client.call_as_task("wait", json!({})).await;
    let job = client.call_as_task("job", json!({})).await;
    job.ended().await;
    let others = [
        Principal::new("bob", ["jobs"]),
        Principal::unrestricted("al"),
    ];
    for other in others {
        let other = modern(&server).principal(other).tasks().connect().await;
        let theirs = other.task(task.id());
        let unknown = other.task("made-up").get().await;
        assert_eq!(theirs.get().await, unknown);
        assert_eq!(code_of(theirs.get().await), -32602);
        assert_eq!(code_of(theirs.update(json!({})).await), -32602);
        assert_eq!(code_of(theirs.cancel().await), -32602);
    }
    assert_eq!(task.get().await.unwrap()["status"], "working");
    // The same principal, with a token that lacks the scope of the tool.
    let alice = Principal::new("alice", [""; 0]);
    let less = modern(&server).principal(alice).tasks().connect().await;
    assert_eq!(code_of(less.task(job.id()).get().await), -32602);
    assert!(less.task(task.id()).get().await.is_ok());
    let hidden = less.call("job", json!({})).outcome().await.unwrap_err();
    assert_eq!(hidden.code(), Some(-32602), "{hidden}");
    let undeclared = modern(&server).principal(Principal::new("alice", [""; 0]));
    let undeclared = undeclared.connect().await;
    let hidden = undeclared.call("job", json!({})).outcome().await;
    assert_eq!(hidden.unwrap_err().code(), Some(-32602));
}

#[tokio::test]
async fn cancelled_task_drops_its_handler() {
    let gates = Gates::default();
    let server = server(&gates);
    let client = tasks(&server).await;
    let task = client.call_as_task("wait", json!({})).await;
    gates.started.notified().await;
    let cancelled = task.cancel().await.unwrap();
    assert_eq!(cancelled["resultType"], "complete");
    assert!(cancelled.get("taskId").is_none() && cancelled.get("status").is_none());
    assert_eq!(task.get().await.unwrap()["status"], "cancelled");
    assert_eq!(
        task.cancel().await.unwrap(),
        cancelled,
        "acknowledged again"
    );
    assert_eq!(task.update(json!({"x": {}})).await.unwrap(), cancelled);
    while *gates.dropped.lock().unwrap() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn unfinished_tasks_of_a_principal_are_limited_and_end_in_time() {
    let gates = Gates::default();
    let server = builder(&gates)
        .limits(|limits| {
            limits.tasks_per_principal = 2;
            limits.task_time = Duration::from_secs(60);
        })
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let began = Instant::now();
    let first = client.call_as_task("wait", json!({})).await;
    let second = client.call_as_task("wait", json!({})).await;
    let refused = client.call("wait", json!({})).await;
    assert!(refused.is_error());
    assert!(
        refused.text().contains("2 are unfinished"),
        "{}",
        refused.text()
    );
    let bob = modern(&server).principal(Principal::new("bob", [""; 0]));
    let bob = bob.tasks().connect().await;
    bob.call_as_task("wait", json!({})).await;
    second.cancel().await.unwrap();
    while client.call("wait", json!({})).await.is_error() {
        tokio::task::yield_now().await;
    }
    let timed_out = first.result().await;
    assert!(timed_out.is_error());
    assert!(
        timed_out.text().contains("timed out after 1 min"),
        "{}",
        timed_out.text()
    );
    assert!(began.elapsed() < Duration::from_secs(62));
}

struct Ends(Arc<Mutex<Vec<(String, String, Duration)>>>);

impl Observer for Ends {
    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
        let end = (
            call.name().to_owned(),
            how.outcome().as_str().to_owned(),
            how.duration(),
        );
        self.0.lock().unwrap().push(end);
    }
}

#[tokio::test(start_paused = true)]
async fn observers_see_the_end_of_the_task_once() {
    let gates = Gates::default();
    let ends = Arc::new(Mutex::new(Vec::new()));
    let server = builder(&gates)
        .observer(Ends(Arc::clone(&ends)))
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let task = client.call_as_task("wait", json!({})).await;
    assert!(ends.lock().unwrap().is_empty());
    gates.started.notified().await;
    advance(Duration::from_secs(120)).await;
    gates.open.notify_one();
    gates.started.notified().await;
    gates.open.notify_one();
    task.ended().await;
    let (name, outcome, duration) = ends.lock().unwrap().remove(0);
    assert_eq!((&*name, &*outcome), ("wait", "ok"));
    assert_eq!(duration.as_secs(), 120);
    let task = client.call_as_task("wait", json!({})).await;
    gates.started.notified().await;
    task.cancel().await.unwrap();
    let failed = client.call_as_task("broken", json!({})).await;
    failed.ended().await;
    let bob = modern(&server).principal(Principal::new("bob", [""; 0]));
    let hidden = bob
        .tasks()
        .connect()
        .await
        .call("job", json!({}))
        .outcome()
        .await;
    assert!(hidden.is_err());
    let seen: Vec<_> = std::mem::take(&mut *ends.lock().unwrap());
    let mut seen: Vec<_> = seen.iter().map(|end| (&*end.0, &*end.1)).collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("broken", "internal_error"),
            ("job", "forbidden"),
            ("wait", "cancelled")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn task_that_is_not_declared_is_an_error_of_build() {
    /// Takes a task.
    #[tool]
    async fn undeclared(_: Task) -> &'static str {
        "never"
    }
    let error = Server::builder("x", "1")
        .tool::<undeclared>()
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("add the key `task`"), "{error}");
}
