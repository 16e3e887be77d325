//! The middlewares around a call, their order, and what each can do.

use std::sync::{Arc, Mutex};

use mcp_kit::call::{Call, Reply};
use mcp_kit::middleware::{Middleware, Next};
use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::log::Log;

/// What happened, in order.
#[derive(Clone, Default)]
struct Trail(Arc<Mutex<Vec<String>>>);

impl Trail {
    fn add(&self, step: impl Into<String>) {
        self.0.lock().unwrap().push(step.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Step(&'static str, Trail);

#[mcp_kit::async_trait]
impl Middleware for Step {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, ToolError> {
        let knows = match call.typed_arguments::<Greeting>() {
            Some(greeting) => format!(" knows {}", greeting.name),
            None => String::new(),
        };
        self.1.add(format!("{}{knows}", self.0));
        let outcome = next.run(call).await;
        self.1.add(format!("after {}", self.0));
        outcome
    }
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Greeting {
    /// Whom to greet.
    #[garde(length(chars, min = 1))]
    name: String,
}

/// Greets.
#[tool]
async fn greet(greeting: Greeting, State(trail): State<Trail>) -> String {
    trail.add("handler");
    greeting.name
}

#[tokio::test]
async fn middlewares_stand_where_they_were_put() {
    let trail = Trail::default();
    let step = |name| Step(name, trail.clone());
    let server = Server::builder("test", "1")
        .state(trail.clone())
        .layer(step("first"))
        .layer(step("second"))
        .layer_after_validation(step("audit"))
        .tool_with::<greet>(|tool| {
            tool.layer(step("own"))
                .layer_after_validation(step("own audit"))
        })
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    client.call("greet", json!({"name": "Ada"})).await;
    assert_eq!(
        trail.take(),
        [
            "first",
            "second",
            "own",
            "audit knows Ada",
            "own audit knows Ada",
            "handler",
            "after own audit",
            "after audit",
            "after own",
            "after second",
            "after first",
        ]
    );
    // A layer after validation never sees a call that breaks the rules.
    assert!(client.call("greet", json!({"name": ""})).await.is_error());
    assert_eq!(
        trail.take(),
        [
            "first",
            "second",
            "own",
            "after own",
            "after second",
            "after first"
        ]
    );
}

#[derive(Clone, Debug, PartialEq)]
struct Tenant(String);

struct FindTenant;

#[mcp_kit::async_trait]
impl Middleware for FindTenant {
    async fn handle(&self, mut call: Call, next: Next<'_>) -> Result<Reply, ToolError> {
        let tenant = Tenant(format!("the tenant of {}", call.principal().name()));
        call.insert_extension(tenant);
        next.run(call).await
    }
}

/// Names the tenant.
#[tool]
async fn tenant(Extension(Tenant(name)): Extension<Tenant>) -> String {
    name
}

#[tokio::test]
async fn a_middleware_may_attach_a_value_for_the_handler() {
    let server = Server::builder("test", "1")
        .layer(FindTenant)
        .tool::<tenant>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    assert_eq!(
        client.call("tenant", json!({})).await.text(),
        "the tenant of local"
    );

    let log = Log::capture();
    let server = Server::builder("test", "1")
        .tool::<tenant>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let text = client.call("tenant", json!({})).await.text();
    assert!(text.starts_with("An internal error occurred"), "{text}");
    assert!(log.call("tenant").get("error").contains("Tenant"));
}

struct Closed;

#[mcp_kit::async_trait]
impl Middleware for Closed {
    async fn handle(&self, _: Call, _: Next<'_>) -> Result<Reply, ToolError> {
        Err(ToolError::user("Closed today."))
    }
}

struct Panics;

#[mcp_kit::async_trait]
impl Middleware for Panics {
    async fn handle(&self, _: Call, _: Next<'_>) -> Result<Reply, ToolError> {
        panic!("a secret")
    }
}

#[tokio::test]
async fn a_middleware_may_answer_itself_and_its_panic_is_contained() {
    let trail = Trail::default();
    let server = Server::builder("test", "1")
        .state(trail.clone())
        .tool_with::<greet>(|tool| tool.layer(Closed))
        .tool_with::<tenant>(|tool| tool.layer(Panics))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let result = client.call("greet", json!({"name": "Ada"})).await;
    assert!(result.is_error());
    assert_eq!(result.text(), "Closed today.");
    assert!(trail.take().is_empty());
    let text = client.call("tenant", json!({})).await.text();
    assert!(text.starts_with("An internal error occurred"), "{text}");
}

/// Deletes everything.
#[tool(scope = "write", destructive)]
async fn delete() -> &'static str {
    "deleted"
}

/// Reads.
#[tool(scope = "read", read_only)]
async fn read() -> &'static str {
    "text"
}

/// Anybody may.
#[tool]
async fn ping() -> &'static str {
    "pong"
}

#[tokio::test]
async fn a_scope_is_needed_to_see_a_tool_and_to_call_it() {
    let server = Server::builder("test", "1")
        .local_scopes(["read"])
        .tool::<delete>()
        .tool::<read>()
        .tool::<ping>()
        .build()
        .unwrap();
    async fn names(client: &TestClient) -> Vec<String> {
        let tools = client.list_tools().await;
        tools
            .iter()
            .filter_map(|tool| tool["name"].as_str().map(str::to_owned))
            .collect()
    }
    for client in [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ] {
        assert_eq!(names(&client).await, ["read", "ping"]);
        assert_eq!(client.call("read", json!({})).await.text(), "text");
        let of = async |name: &str| client.call(name, json!({})).outcome().await.unwrap_err();
        let refused = of("delete").await.to_string();
        assert_eq!(refused, "Unknown tool: delete (-32602)");
        assert_eq!(
            refused,
            of("no").await.to_string().replace(" no ", " delete ")
        );
    }
    let writer = TestClient::builder(&server)
        .principal(Principal::new("ada", ["write"]))
        .connect()
        .await;
    assert_eq!(names(&writer).await, ["delete", "ping"]);
    assert_eq!(writer.call("delete", json!({})).await.text(), "deleted");
}
