//! Tasks over HTTP: headers, statuses, lost connections, and the drain.

use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, TestHttpClient, tick_on_timers};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::gate::{gate, gated};

/// Works for an hour.
#[tool(task)]
async fn work() -> &'static str {
    sleep(Duration::from_secs(3_000)).await;
    "worked"
}

/// Needs the extension.
#[tool(task = "required")]
async fn job() -> &'static str {
    "done"
}

fn server() -> Server {
    let server = Server::builder("tasks", "1").tool::<work>().tool::<job>();
    let server = server.without_call_log().build().unwrap();
    tick_on_timers(&server);
    server
}

fn request(method: &str, params: Value, extensions: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": extensions},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn http(server: &Server) -> TestHttpClient {
    TestClient::http(server).modern()
}

/// What a client sends to a task counts as long as the request waits for its turn.
#[tokio::test(start_paused = true)]
async fn answers_to_a_task_count_while_they_wait() {
    let (gate, mut entered) = gate();
    let server = Server::builder("tasks", "1")
        .state(gate.clone())
        .tool::<gated>()
        .tool::<work>()
        .limits(|limits| limits.calls_per_principal = 1)
        .http(|http| http.limits(|limits| limits.incoming_bytes = 4 << 20))
        .build()
        .unwrap();
    tick_on_timers(&server);
    let client = http(&server).tasks().connect().await.unwrap();
    let held = client.call("gated", json!({}));
    entered.recv().await.unwrap();
    let update = json!({"taskId": "a", "inputResponses": {"key": "x".repeat(1 << 20)}});
    let tasks = json!({"io.modelcontextprotocol/tasks": {}});
    let update = request("tasks/update", update, tasks);
    let http = http(&server).header("Mcp-Method", "tasks/update");
    let http = http.header("Mcp-Name", "a");
    let sent: Vec<_> = (0..12)
        .map(|_| {
            let (http, update) = (http.clone(), update.clone());
            tokio::spawn(async move { http.post(&update).await.status() })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    let refused = sent.iter().filter(|sent| sent.is_finished()).count();
    assert!((6..=9).contains(&refused), "{refused} of 12 are refused");
    gate.open.add_permits(1);
    assert_eq!(held.await.text(), "through");
    let mut statuses = Vec::new();
    for sent in sent {
        statuses.push(sent.await.unwrap().as_u16());
    }
    let busy = statuses.iter().filter(|status| **status == 503).count();
    assert_eq!(busy, refused, "{statuses:?}");
}

#[tokio::test(start_paused = true)]
async fn missing_extension_is_400_and_wrong_name_is_refused() {
    let server = server();
    let http = http(&server);
    let call = request("tools/call", json!({"name": "job"}), json!({}));
    let response = http.clone().header("Mcp-Method", "tools/call");
    let response = response.header("Mcp-Name", "job").post(&call).await;
    assert_eq!(response.status(), 400);
    let get = |extensions| request("tasks/get", json!({"taskId": "a"}), extensions);
    let named = |name| {
        http.clone()
            .header("Mcp-Method", "tasks/get")
            .header("Mcp-Name", name)
    };
    let mut undeclared = named("a").post(&get(json!({}))).await;
    assert_eq!(undeclared.status(), 400);
    assert_eq!(undeclared.json().await["error"]["code"], -32021);
    let tasks = json!({"io.modelcontextprotocol/tasks": {}});
    let mut mismatched = named("b").post(&get(tasks.clone())).await;
    assert_eq!(mismatched.status(), 400);
    assert_eq!(mismatched.json().await["error"]["code"], -32020);
    let mut unknown = named("a").post(&get(tasks)).await;
    assert_eq!(unknown.json().await["error"]["code"], -32602);
}

#[tokio::test(start_paused = true)]
async fn drain_ends_tasks_in_time_and_lets_their_clients_read_it() {
    let server = server();
    let client = http(&server).tasks().connect().await.unwrap();
    let task = client.call_as_task("work", json!({})).await;
    assert_eq!(task.get().await.unwrap()["status"], "working");
    let began = Instant::now();
    server.drain_handle().begin();
    // New calls are refused, and the task can still be read.
    assert!(client.call("job", json!({})).outcome().await.is_err());
    assert_eq!(task.get().await.unwrap()["status"], "working");
    let result = task.result().await;
    assert!(result.is_error());
    assert!(result.text().contains("shutting down"), "{}", result.text());
    let time = began.elapsed();
    assert!(
        time >= Duration::from_secs(8) && time < Duration::from_secs(10),
        "{time:?}"
    );
}
