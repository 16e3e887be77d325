//! The start of a task: what answers the request, and what belongs to the task.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use garde::Validate;
use mcp_kit::call::{Call, Error, Reply};
use mcp_kit::extract::Task;
use mcp_kit::middleware::{Next, from_fn};
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::TestClient;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

static CHECKS: AtomicUsize = AtomicUsize::new(0);

fn counted(_: &u32, (): &()) -> garde::Result {
    CHECKS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct ImportArgs {
    /// How many pages to import.
    #[garde(range(min = 1, max = 10))]
    pages: u32,
}

/// The arguments of one test, which counts how often they are checked.
#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct CountedArgs {
    /// How many pages to import.
    #[garde(range(min = 1, max = 10), custom(counted))]
    #[tool_args(rule = "is counted")]
    pages: u32,
}

/// Imports pages, counted.
#[tool(task)]
async fn import_counted(args: CountedArgs) -> String {
    format!("{} pages", args.pages)
}

/// Imports pages.
#[tool(task)]
async fn import(args: ImportArgs, State(seen): State<Seen>) -> String {
    seen.push("handler");
    format!("{} pages", args.pages)
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<&'static str>>>);

impl Seen {
    fn push(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn server(seen: &Seen) -> ServerBuilder {
    Server::builder("start", "1.0.0")
        .state(seen.clone())
        .tool::<import>()
        .tool::<import_counted>()
}

async fn tasks(server: &Server) -> TestClient {
    let client = TestClient::builder(server).version(ProtocolVersion::V2026_07_28);
    client.tasks().connect().await
}

async fn call(client: &TestClient, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    client.request("tools/call", params).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn arguments_that_break_the_schema_answer_the_request_and_make_no_task() {
    let seen = Seen::default();
    let server = server(&seen)
        .limits(|limits| limits.tasks_per_principal = 1)
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let plain = TestClient::builder(&server).version(ProtocolVersion::V2026_07_28);
    let plain = plain.connect().await;
    let wrong = json!({"pages": 11, "page": 1});
    let report = call(&plain, "import", wrong.clone()).await;
    assert_eq!(report["isError"], true);
    for _ in 0..3 {
        let answer = call(&client, "import", wrong.clone()).await;
        assert_eq!(answer["resultType"], "complete");
        assert_eq!(answer["content"], report["content"]);
        assert_eq!(answer["isError"], true);
    }
    assert!(seen.take().is_empty());
    let checks = CHECKS.load(Ordering::SeqCst);
    let task = client
        .call_as_task("import_counted", json!({"pages": 3}))
        .await;
    assert_eq!(task.result().await.text(), "3 pages");
    let checks = CHECKS.load(Ordering::SeqCst) - checks;
    assert_eq!(checks, 1, "checked once");
}

#[tokio::test(start_paused = true)]
async fn middlewares_before_validation_run_for_the_request_and_those_after_it_in_the_task() {
    let seen = Seen::default();
    let (before, after) = (seen.clone(), seen.clone());
    let server = server(&seen)
        .layer(from_fn(move |call: Call, next: Next<'static>| {
            let before = before.clone();
            async move {
                before.push("before");
                if call.raw_arguments().contains("10") {
                    return Err(Error::forbidden("Ten is too many for you."));
                }
                let reply = next.run(call).await;
                before.push("end");
                reply
            }
        }))
        .layer_after_validation(from_fn(move |call: Call, next: Next<'static>| {
            let after = after.clone();
            async move {
                after.push("after");
                next.run(call).await
            }
        }))
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let refused = call(&client, "import", json!({"pages": 10})).await;
    assert_eq!(refused["resultType"], "complete");
    assert_eq!(refused["content"][0]["text"], "Ten is too many for you.");
    assert_eq!(seen.take(), ["before"]);
    let refused = call(&client, "import", json!({"pages": 0})).await;
    assert_eq!(refused["resultType"], "complete");
    assert_eq!(seen.take(), ["before", "end"]);
    let task = client.call_as_task("import", json!({"pages": 1})).await;
    assert_eq!(task.result().await.text(), "1 pages");
    assert_eq!(seen.take(), ["before", "after", "handler", "end"]);
}

#[derive(serde::Serialize, JsonSchema)]
struct Count {
    pages: u32,
}

/// Counts pages.
#[tool(task)]
async fn count() -> Json<Count> {
    Json(Count { pages: 3 })
}

/// A middleware cannot pass a result by the check of the tool's output schema, in a task
/// or without one.
#[tokio::test(start_paused = true)]
async fn result_that_a_middleware_has_made_invalid_fails_the_task() {
    let server = Server::builder("start", "1.0.0")
        .tool::<count>()
        .layer(from_fn(|call: Call, next: Next<'static>| async move {
            let _ = next.run(call).await?;
            ToolResult::structured(&json!({"pages": "three"})).map(Reply::from)
        }))
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let task = client.call_as_task("count", json!({})).await;
    let ended = task.ended().await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert_eq!(ended["error"]["code"], -32603);
    let plain = TestClient::builder(&server).connect().await;
    let result = plain.call("count", json!({})).await;
    assert!(
        result.is_error() && result.text().contains("reference"),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn middleware_that_hangs_before_the_task_is_limited_by_the_time_of_the_call() {
    let hang = |_: Call, _: Next<'static>| async { pending::<Result<Reply, Error>>().await };
    let server = server(&Seen::default())
        .layer(from_fn(hang))
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let began = Instant::now();
    let answer = call(&client, "import", json!({"pages": 1})).await;
    assert_eq!(answer["isError"], true);
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("timed out after 30 s"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(32));
}

/// Runs one at a time.
#[tool(task, concurrency = 1)]
async fn alone(State(open): State<Arc<Notify>>) -> &'static str {
    open.notified().await;
    "done"
}

#[tokio::test(start_paused = true)]
async fn call_waits_for_the_concurrency_of_its_tool_as_a_task() {
    let open = Arc::new(Notify::new());
    let server = Server::builder("start", "1.0.0")
        .state(Arc::clone(&open))
        .tool::<alone>()
        .build()
        .unwrap();
    let client = tasks(&server).await;
    let first = client.call_as_task("alone", json!({})).await;
    let second = client.call_as_task("alone", json!({})).await;
    assert_eq!(second.get().await.unwrap()["status"], "working");
    open.notify_one();
    assert_eq!(first.result().await.text(), "done");
    open.notify_one();
    assert_eq!(second.result().await.text(), "done");
}

/// Keeps its task.
#[tool(task)]
async fn hoard(task: Task, State(kept): State<Arc<Mutex<Vec<Task>>>>) -> Result<String, ToolError> {
    kept.lock().unwrap().push(task.clone());
    task.begin().await?;
    Ok("done".to_owned())
}

#[tokio::test(start_paused = true)]
async fn task_that_its_handler_keeps_does_not_keep_the_call() {
    let kept = Arc::new(Mutex::new(Vec::<Task>::new()));
    let server = Server::builder("start", "1.0.0")
        .state(Arc::clone(&kept))
        .tool::<hoard>()
        .limits(|limits| limits.tasks_per_principal = 1)
        .build()
        .unwrap();
    let client = tasks(&server).await;
    for _ in 0..3 {
        let task = client.call_as_task("hoard", json!({})).await;
        assert_eq!(task.result().await.text(), "done");
        // The call is dropped by the task that ran it.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let kept = std::mem::take(&mut *kept.lock().unwrap());
    assert_eq!(kept.len(), 3);
    for task in kept {
        assert!(task.has_begun());
        assert!(task.begin().await.is_ok());
    }
}
