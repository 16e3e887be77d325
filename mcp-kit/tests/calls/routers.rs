//! Routers: their layers, scopes and prefixes, merged and nested.

use std::sync::{Arc, Mutex};

use mcp_kit::call::{Call, Error, Reply};
use mcp_kit::caller::Principal;
use mcp_kit::middleware::{Middleware, Next};
use mcp_kit::primitive::Kind;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::{ToolDefinition, from_fn};
use mcp_kit::{Router, Server, ToolError, tool};
use serde_json::json;

/// A middleware that writes its name down.
struct Notes(&'static str, Arc<Mutex<Vec<&'static str>>>);

#[mcp_kit::async_trait]
impl Middleware for Notes {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        self.1.lock().unwrap().push(self.0);
        next.run(call).await
    }

    fn name(&self) -> std::borrow::Cow<'static, str> {
        self.0.into()
    }
}

/// Says hello.
#[tool]
async fn hello() -> &'static str {
    "Hello!"
}

/// Says goodbye.
#[tool(scope = "leave")]
async fn goodbye() -> &'static str {
    "Goodbye!"
}

fn names(server: &Server) -> Vec<String> {
    let tools = server.tools();
    tools.iter().map(|tool| tool.name().to_owned()).collect()
}

fn layers(server: &Server, tool: &str) -> Vec<String> {
    let policies = server.policies(Kind::Tool);
    let policy = policies.iter().find(|policy| policy.info().name() == tool);
    policy.unwrap().layers().map(Into::into).collect()
}

#[tokio::test]
async fn layers_of_nested_routers_run_from_the_outside_to_the_inside() {
    let seen = Arc::default();
    let notes = |name| Notes(name, Arc::clone(&seen));
    let inner = Router::new()
        .tool_with::<hello>(|tool| tool.layer(notes("tool")))
        .layer(notes("inner"))
        .layer_after_validation(notes("inner after"));
    let outer = Router::new()
        .layer(notes("outer"))
        .layer_after_validation(notes("outer after"))
        .merge(inner)
        .tool::<goodbye>();
    let server = Server::builder("test", "1")
        .merge(outer)
        .layer(notes("server"))
        .build()
        .unwrap();
    let expected = [
        "server",
        "outer",
        "inner",
        "tool",
        "Validate",
        "outer after",
        "inner after",
    ];
    assert_eq!(layers(&server, "hello")[1..], expected);
    let beside = ["server", "outer", "Validate", "outer after"];
    assert_eq!(layers(&server, "goodbye")[2..], beside);

    TestClient::new(&server)
        .await
        .call("hello", json!({}))
        .await;
    let without_validate: Vec<_> = expected
        .into_iter()
        .filter(|name| *name != "Validate")
        .collect();
    assert_eq!(*seen.lock().unwrap(), without_validate);
}

#[tokio::test]
async fn prefixes_of_nested_routers_add_up() {
    let greetings = || Router::new().tool::<hello>().prefix("say_");
    let server = Server::builder("test", "1")
        .tool::<hello>()
        .merge(greetings())
        .nest(
            "desk-",
            Router::new().nest("front_", greetings()).tool::<goodbye>(),
        )
        .build()
        .unwrap();
    let expected = ["hello", "say_hello", "desk-front_say_hello", "desk-goodbye"];
    assert_eq!(names(&server), expected);
    let client = TestClient::new(&server).await;
    let result = client.call("desk-front_say_hello", json!({})).await;
    assert_eq!(result.text(), "Hello!");
    let listed = client.list_tools().await;
    assert_eq!(listed[2]["name"], "desk-front_say_hello");

    let doubled = Server::builder("test", "1")
        .merge(greetings())
        .merge(greetings());
    let error = doubled.build().unwrap_err().to_string();
    assert!(
        error.contains("two tools are named \"say_hello\""),
        "{error}"
    );
    let endless = Router::new().tool::<hello>().prefix("a".repeat(64));
    let error = Server::builder("test", "1")
        .merge(endless)
        .build()
        .unwrap_err();
    assert!(
        error.to_string().contains("not a valid tool name"),
        "{error}"
    );
}

#[tokio::test]
async fn scopes_of_routers_are_required_beside_those_of_the_tools() {
    let server = Server::builder("test", "1")
        .merge(
            Router::new()
                .tool::<hello>()
                .tool::<goodbye>()
                .scope("talk"),
        )
        .build()
        .unwrap();
    for (scopes, seen) in [
        (&["talk", "leave"][..], &["hello", "goodbye"][..]),
        (&["talk"], &["hello"]),
        (&["leave"], &[]),
    ] {
        let caller = Principal::new("caller", scopes.iter().copied());
        let client = TestClient::builder(&server)
            .principal(caller)
            .connect()
            .await;
        let listed = client.list_tools().await;
        let listed: Vec<_> = listed
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        assert_eq!(listed, seen);
        for name in ["hello", "goodbye"] {
            let outcome = client.call(name, json!({})).outcome().await;
            assert_eq!(outcome.is_ok(), seen.contains(&name), "{name}: {scopes:?}");
        }
    }
}

#[test]
fn router_has_tools_that_are_known_only_at_run_time() {
    let definition = ToolDefinition::new("motd", "The message of the day.");
    let motd = from_fn(definition, async |_: Call| {
        Ok::<_, ToolError>("All is well.")
    });
    let router = Router::new().add(motd).prefix("status_");
    let server = Server::builder("test", "1").merge(router).build().unwrap();
    assert_eq!(names(&server), ["status_motd"]);
}
