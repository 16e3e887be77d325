//! What a server offers, changed while it runs.

use std::sync::Arc;

use mcp_kit::call::{Call, CallInfo, Ending, Error, Observer, Reply};
use mcp_kit::caller::Principal;
use mcp_kit::middleware::{Middleware, Next};
use mcp_kit::primitive::Kind;
use mcp_kit::registry::Registration;
use mcp_kit::server::CallError;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::{Tool, ToolDefinition, from_fn};
use mcp_kit::{Router, Server, State, ToolError, async_trait, tool};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

mod cursors;

fn says(name: &'static str, text: &'static str) -> impl Tool {
    let definition = ToolDefinition::new(name, "Says the same every time.");
    from_fn(definition, move |_: Call| async move {
        Ok::<_, ToolError>(text)
    })
}

fn server(names: &[&'static str]) -> Server {
    let mut builder = Server::builder("test", "1");
    for name in names {
        builder = builder.add(says(name, name));
    }
    builder.build().unwrap()
}

fn names(server: &Server) -> Vec<String> {
    let tools = server.tools();
    tools.iter().map(|tool| tool.name().to_owned()).collect()
}

async fn listed(client: &TestClient) -> Vec<String> {
    let tools = client.list_tools().await;
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

/// A tool that reports when it runs, and ends when it may.
fn waits(started: &Arc<Notify>, go_on: &Arc<Notify>) -> impl Tool {
    let (started, go_on) = (Arc::clone(started), Arc::clone(go_on));
    let definition = ToolDefinition::new("waits", "Waits for a signal.");
    from_fn(definition, move |_: Call| {
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        async move {
            started.notify_one();
            go_on.notified().await;
            Ok::<_, ToolError>("done")
        }
    })
}

async fn unknown(client: &TestClient, name: &str) -> String {
    client
        .call(name, json!({}))
        .outcome()
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn registry_adds_replaces_and_removes_tools_of_a_running_server() {
    let server = server(&["a", "b"]);
    let client = TestClient::new(&server).await;
    let registry = server.registry();

    registry.add(says("c", "third")).unwrap();
    assert_eq!(client.call("c", json!({})).await.text(), "third");
    registry.replace(says("a", "another")).unwrap();
    assert_eq!(client.call("a", json!({})).await.text(), "another");
    // It keeps its place.
    assert_eq!(listed(&client).await, ["a", "b", "c"]);

    registry.remove(Kind::Tool, "b").unwrap();
    assert_eq!(listed(&client).await, ["a", "c"]);
    let never = unknown(&client, "never").await;
    assert_eq!(unknown(&client, "b").await, never.replace("never", "b"));
    assert!(registry.contains(Kind::Tool, "a") && !registry.contains(Kind::Tool, "b"));

    // A name can come back: at the end.
    registry.add(says("b", "back")).unwrap();
    assert_eq!(names(&server), ["a", "c", "b"]);
    assert_eq!(client.call("b", json!({})).await.text(), "back");
}

#[tokio::test]
async fn hidden_tool_is_like_an_unknown_one() {
    let server = server(&["a", "b"]);
    let client = TestClient::new(&server).await;
    server.registry().hide(Kind::Tool, "a").unwrap();

    assert_eq!(listed(&client).await, ["b"]);
    assert_eq!(names(&server), ["b"]);
    let never = unknown(&client, "z").await;
    assert_eq!(unknown(&client, "a").await, never.replace('z', "a"));
    let from_code = server.call(&Principal::unrestricted("me"), "a", ()).await;
    assert!(matches!(from_code, Err(CallError::Unknown(Kind::Tool))));
    assert!(server.registry().is_hidden(Kind::Tool, "a"));
    // Its name is taken, and a tool in its place is hidden, too.
    assert!(server.registry().add(says("a", "a")).is_err());
    server.registry().replace(says("a", "new")).unwrap();
    assert_eq!(listed(&client).await, ["b"]);

    server.registry().show(Kind::Tool, "a").unwrap();
    assert_eq!(listed(&client).await, ["a", "b"]);
    assert_eq!(client.call("a", json!({})).await.text(), "new");
}

#[tokio::test]
async fn calls_in_flight_of_a_removed_tool_finish() {
    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let server = server(&[]);
    server.registry().add(waits(&started, &go_on)).unwrap();
    let client = TestClient::new(&server).await;
    let call = async { client.call("waits", json!({})).await };
    let change = async {
        started.notified().await;
        server.registry().remove(Kind::Tool, "waits").unwrap();
        assert!(listed(&client).await.is_empty());
        server.registry().add(says("waits", "at once")).unwrap();
        assert_eq!(client.call("waits", json!({})).await.text(), "at once");
        go_on.notify_one();
    };
    let (result, ()) = tokio::join!(call, change);
    assert_eq!(result.text(), "done");
}

#[tokio::test]
async fn update_makes_all_changes_or_none() {
    #[derive(Clone)]
    struct Missing;
    /// Takes what the server does not have.
    #[tool]
    async fn stateful(State(_): State<Missing>) -> &'static str {
        ""
    }

    let server = server(&["a", "b"]);
    let error = server
        .registry()
        .update(|changes| {
            changes.add(says("c", "c"));
            changes.add(says("a", "a"));
            changes.add(says("no name", ""));
            changes.tool::<stateful>();
            changes.remove(Kind::Tool, "b");
            changes.remove(Kind::Tool, "b");
            changes.hide(Kind::Tool, "z");
            changes.add(Registration::of_tool(says("d", "d")).concurrency(0));
            let broken = ToolDefinition::new("e", "Broken.").with_input_schema(json!({"type": 5}));
            changes.add(from_fn(broken, async |_: Call| ""));
        })
        .unwrap_err();
    assert_eq!(names(&server), ["a", "b"]);
    let problems = error.problems();
    for expected in [
        "two tools are named \"a\"",
        "\"no name\" is not a valid tool name",
        "tool \"stateful\" needs State<",
        "there is no tool \"b\" to remove",
        "there is no tool \"z\" to hide",
        "tool \"d\": its concurrency is 0",
        "tool \"e\": ",
    ] {
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{error}"
        );
    }
    assert_eq!(problems.len(), 7, "{error}");

    // The same name, removed and added in one change.
    let update = server.registry().update(|changes| {
        changes.remove(Kind::Tool, "a");
        changes.add(says("a", "new"));
        changes.add(says("c", "c"));
        changes.remove(Kind::Tool, "c");
        changes.hide(Kind::Tool, "b");
    });
    update.unwrap();
    assert_eq!(names(&server), ["a"]);
}

#[tokio::test]
async fn server_has_at_most_100_000_primitives() {
    let server = server(&["a"]);
    let add = |count: usize, server: &Server| {
        server.registry().update(|changes| {
            for number in 0..count {
                let definition = ToolDefinition::new(format!("t{number}"), "One of many.");
                changes.add(from_fn(definition, async |_: Call| ""));
            }
        })
    };
    let error = add(100_000, &server).unwrap_err().to_string();
    assert!(error.contains("100001 primitives"), "{error}");
    assert_eq!(names(&server), ["a"]);
    add(99_999, &server).unwrap();
    assert!(server.registry().add(says("b", "b")).is_err());
    server.registry().replace(says("a", "b")).unwrap();
}

/// Panics when it is dropped.
#[derive(Clone)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[async_trait]
impl Middleware for Bomb {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        next.run(call).await
    }
}

impl Observer for Bomb {
    fn ended(&self, _: &CallInfo<'_>, _: &Ending<'_>) {}
}

/// A handler, a middleware, an observer or a state of a server may panic when it is
/// dropped: with the registration, with the last call, or with the server.
#[tokio::test]
async fn panic_in_the_drop_of_what_is_registered_ends_nothing_else() {
    let gate = Arc::new((Notify::new(), Semaphore::new(0)));
    let waits = |name: &'static str| {
        let (gate, bomb) = (Arc::clone(&gate), Bomb);
        let definition = ToolDefinition::new(name, "Waits.");
        let tool = from_fn(definition, move |_: Call| {
            let _ = &bomb;
            let gate = Arc::clone(&gate);
            async move {
                gate.0.notify_one();
                gate.1.acquire().await.unwrap().forget();
                Ok::<_, Error>("through")
            }
        });
        Registration::of_tool(tool).layer(Bomb).layer(Bomb)
    };
    let server = Server::builder("test", "1")
        .state(Bomb)
        .layer(Bomb)
        .observer(Bomb)
        .observer(Bomb)
        .add(waits("removed"))
        .add(waits("idle"))
        .add(waits("left"))
        .build()
        .unwrap();
    let clients = [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ];
    let calls = clients
        .each_ref()
        .map(|client| client.call("removed", json!({})));
    gate.0.notified().await;
    gate.0.notified().await;
    server.registry().remove(Kind::Tool, "idle").unwrap();
    server.registry().replace(waits("left")).unwrap();
    server.registry().remove(Kind::Tool, "removed").unwrap();
    gate.1.add_permits(4);
    for call in calls {
        assert_eq!(call.await.text(), "through");
    }
    for client in clients {
        assert_eq!(client.call("left", json!({})).await.text(), "through");
        client.close().await;
    }
    drop(server);
}

#[tokio::test]
async fn added_tool_gets_the_policy_of_the_server() {
    use mcp_kit::middleware::{Next, from_fn as middleware};
    let server = Server::builder("test", "1")
        .layer(middleware(async |call: Call, next: Next<'static>| {
            if call.name() == "b" {
                return Err(ToolError::forbidden("Not this one."));
            }
            next.run(call).await
        }))
        .default_hints(|hints| hints.open_world = Some(false))
        .build()
        .unwrap();
    server.registry().add(says("b", "b")).unwrap();
    let result = TestClient::new(&server).await.call("b", json!({})).await;
    assert_eq!(result.text(), "Not this one.");
    assert_eq!(
        server.policies(Kind::Tool)[0].annotations().open_world,
        Some(false)
    );
    let warnings = server.warnings();
    assert!(warnings.iter().any(|warning| warning.tool() == Some("b")));
    server.registry().remove(Kind::Tool, "b").unwrap();
    assert!(
        server
            .warnings()
            .iter()
            .all(|warning| warning.tool().is_none())
    );
}

#[tokio::test]
async fn registry_changes_reach_a_connection_over_streams() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, duplex, split};

    let server = server(&["a"]);
    let (ours, theirs) = duplex(1 << 16);
    let (input, output) = split(theirs);
    let serving = {
        let server = server.clone();
        tokio::spawn(async move {
            server
                .serve_streams(Principal::unrestricted("me"), input, output)
                .await
        })
    };
    let (read, mut write) = split(ours);
    let mut lines = BufReader::new(read).lines();
    let mut ask = async |method: &str, mut params: serde_json::Value| {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        write
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
        let line = lines.next_line().await.unwrap().unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    };
    let discovered = ask("server/discover", json!({})).await;
    // A tool that is known only at run time may also log.
    let capabilities = json!({"tools": {"listChanged": true}, "logging": {}});
    assert_eq!(discovered["result"]["capabilities"], capabilities);
    server.registry().add(says("b", "new")).unwrap();
    let called = ask("tools/call", json!({"name": "b"})).await;
    assert_eq!(called["result"]["content"][0]["text"], "new");
    server.registry().remove(Kind::Tool, "a").unwrap();
    let list = ask("tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 1);
    let gone = ask("tools/call", json!({"name": "a"})).await;
    assert_eq!(gone["error"]["code"], -32602);
    drop((write, lines));
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn server_without_tools_declares_them_since_it_can_gain_some() {
    let server = server(&[]);
    let client = TestClient::modern(&server).await;
    assert!(listed(&client).await.is_empty());
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert_eq!(
        discovered["capabilities"],
        json!({"tools": {"listChanged": true}})
    );
}

#[tokio::test]
async fn routers_are_merged_by_a_running_server() {
    let server = server(&["a"]);
    let router = Router::new()
        .add(says("b", "b"))
        .prefix("more_")
        .scope("extra");
    server
        .registry()
        .update(|changes| changes.merge(router))
        .unwrap();
    assert_eq!(names(&server), ["a", "more_b"]);
    let scopes: Vec<_> = server.policies(Kind::Tool)[1]
        .scopes()
        .map(str::to_owned)
        .collect();
    assert_eq!(scopes, ["extra"]);
}
