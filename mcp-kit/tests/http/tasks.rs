//! Tasks over HTTP: headers, statuses, lost connections, and the drain.

use std::time::Duration;

use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, TestHttpClient, tick_on_timers};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

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
