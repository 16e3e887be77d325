//! Changes of the registry, as clients over a stream are notified of them. Over
//! HTTP: `tests/http/changes.rs`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mcp_kit::call::{Call, Error, Middleware, Next, Reply};
use mcp_kit::caller::Principal;
use mcp_kit::primitive::{Kind, PrimitiveInfo};
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::registry::{Registration, Registry};
use mcp_kit::resource::ResourceDefinition;
use mcp_kit::server::ResourceUpdates;
use mcp_kit::testing::{Subscription, SubscriptionFilter, TestClient, raw_stream, tick_on_timers};
use mcp_kit::tool::{Tool, ToolDefinition, from_fn};
use mcp_kit::{Router, Server, async_trait, resource, tool};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

mod watched;

const CHANGED: &str = "notifications/tools/list_changed";

fn says(name: &'static str) -> impl Tool {
    let definition = ToolDefinition::new(name, "Answers its name.");
    from_fn(
        definition,
        move |_: Call| async move { Ok::<_, Error>(name) },
    )
}

/// Needs the scope `admin`.
#[tool(name = "secret", scope = "admin")]
async fn secret() -> &'static str {
    "secret"
}

/// A server whose connections are driven by the tests' paused clock, so that
/// silence is known and not guessed.
fn server() -> Server {
    let server = Server::builder("test", "1").add(says("a"));
    let server = server.without_call_log().build().unwrap();
    tick_on_timers(&server);
    server
}

async fn connect(server: &Server, version: ProtocolVersion, scopes: &[&str]) -> TestClient {
    let principal = Principal::new("me", scopes.iter().copied());
    let builder = TestClient::builder(server).version(version);
    builder.principal(principal).connect().await
}

async fn follow(client: &TestClient) -> Subscription {
    client
        .subscribe(SubscriptionFilter::new().tools())
        .await
        .unwrap()
}

/// Nothing more arrives, however long the client waits.
async fn assert_silent(changes: &mut Subscription) {
    let more = timeout(Duration::from_secs(5), changes.next()).await;
    assert!(more.is_err(), "{more:?}");
}

async fn assert_changed(changes: &mut Subscription) {
    let change = timeout(Duration::from_secs(5), changes.next()).await;
    assert_eq!(change.unwrap().unwrap()["method"], CHANGED);
    assert_silent(changes).await;
}

const ERAS: [ProtocolVersion; 2] = [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28];

#[tokio::test(start_paused = true)]
async fn clients_that_follow_a_list_are_notified_of_its_changes() {
    for version in ERAS {
        let server = server();
        let client = connect(&server, version, &[]).await;
        let mut changes = follow(&client).await;
        assert_eq!(*changes.acknowledged(), json!({"toolsListChanged": true}));
        assert_silent(&mut changes).await;

        let registry = server.registry();
        registry.add(says("b")).unwrap();
        assert_changed(&mut changes).await;
        registry.remove(Kind::Tool, "b").unwrap();
        assert_changed(&mut changes).await;
        registry.hide(Kind::Tool, "a").unwrap();
        assert_changed(&mut changes).await;
        registry.show(Kind::Tool, "a").unwrap();
        assert_changed(&mut changes).await;
        // A change of several tools is one change.
        let added = registry.update(|changes| {
            changes.add(says("c"));
            changes.add(says("d"));
        });
        added.unwrap();
        assert_changed(&mut changes).await;
    }
}

#[tokio::test(start_paused = true)]
async fn change_that_leaves_the_list_as_it_was_is_not_announced() {
    for version in ERAS {
        let server = server();
        let client = connect(&server, version, &[]).await;
        let mut changes = follow(&client).await;
        let registry = server.registry();
        registry.show(Kind::Tool, "a").unwrap();
        // Another handler, and the same words in the list.
        registry.replace(says("a")).unwrap();
        assert!(registry.remove(Kind::Tool, "b").is_err());
        let nothing = registry.update(|changes| {
            changes.add(says("b"));
            changes.remove(Kind::Tool, "b");
        });
        nothing.unwrap();
        assert_silent(&mut changes).await;
        let other = ToolDefinition::new("a", "Answers something else.");
        let other = from_fn(other, async |_: Call| Ok::<_, Error>("else"));
        registry.replace(other).unwrap();
        assert_changed(&mut changes).await;
    }
}

#[tokio::test(start_paused = true)]
async fn change_is_announced_only_to_callers_that_see_it() {
    for version in ERAS {
        let server = server();
        let outsider = connect(&server, version, &["other"]).await;
        let admin = connect(&server, version, &["admin"]).await;
        let (mut outside, mut inside) = (follow(&outsider).await, follow(&admin).await);
        let registry = server.registry();

        registry.add(Registration::tool::<secret>()).unwrap();
        assert_changed(&mut inside).await;
        assert_silent(&mut outside).await;
        registry.hide(Kind::Tool, "secret").unwrap();
        assert_changed(&mut inside).await;
        registry.remove(Kind::Tool, "secret").unwrap();
        // The hidden tool was in no list.
        assert_silent(&mut inside).await;
        assert_silent(&mut outside).await;

        // The tool of one scope becomes one for everybody, and the reverse.
        registry.add(Registration::tool::<secret>()).unwrap();
        assert_changed(&mut inside).await;
        registry.replace(says("secret")).unwrap();
        assert_changed(&mut outside).await;
        assert_changed(&mut inside).await;
        registry.replace(Registration::tool::<secret>()).unwrap();
        assert_changed(&mut outside).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_did_not_request_is_not_sent() {
    let server = server();
    let client = connect(&server, ProtocolVersion::V2026_07_28, &[]).await;
    let nothing = SubscriptionFilter::new().prompts().resources();
    let mut nothing = client.subscribe(nothing).await.unwrap();
    // The server has neither.
    assert_eq!(*nothing.acknowledged(), json!({}));
    let mut tools = follow(&client).await;
    server.registry().add(says("b")).unwrap();
    assert_changed(&mut tools).await;
    assert_silent(&mut nothing).await;

    // A legacy client is notified only once its handshake is complete.
    let legacy = TestClient::builder(&server).connect_silently();
    let handshake = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    let agreed = legacy.request("initialize", handshake).await.unwrap();
    assert_eq!(
        agreed["capabilities"]["tools"],
        json!({"listChanged": true})
    );
    let mut early = follow(&legacy).await;
    server.registry().add(says("c")).unwrap();
    assert_silent(&mut early).await;
    legacy.notify("notifications/initialized", json!({}));
    legacy.request("ping", json!({})).await.unwrap();
    server.registry().add(says("d")).unwrap();
    assert_changed(&mut early).await;
}

#[tokio::test(start_paused = true)]
async fn each_subscription_has_its_own_id_and_its_own_end() {
    const ID: &str = "io.modelcontextprotocol/subscriptionId";
    let server = server();
    let client = connect(&server, ProtocolVersion::V2026_07_28, &[]).await;
    let (mut one, mut two) = (follow(&client).await, follow(&client).await);
    server.registry().add(says("b")).unwrap();
    let of = |message: Value| message["params"]["_meta"][ID].as_u64().unwrap();
    let (first, second) = (one.next().await.unwrap(), two.next().await.unwrap());
    assert_ne!(of(first), of(second));

    one.cancel().await;
    server.registry().add(says("c")).unwrap();
    assert_changed(&mut two).await;
    // What is due leaves before the end.
    server.registry().add(says("d")).unwrap();
    server.drain_handle().begin();
    assert_eq!(two.next().await.unwrap()["method"], CHANGED);
    let end = two.ended().await.unwrap();
    assert_eq!(end["resultType"], "complete");
    assert!(end["_meta"][ID].is_u64(), "{end}");
    assert_eq!(client.next_message().await, None);
}

#[tokio::test(start_paused = true)]
async fn filter_of_a_wrong_form_is_refused() {
    let server = server();
    let client = connect(&server, ProtocolVersion::V2026_07_28, &[]).await;
    for filter in [
        json!(null),
        json!([]),
        json!({"toolsListChanged": "yes"}),
        json!({"promptsListChanged": 1}),
        json!({"resourcesListChanged": []}),
    ] {
        let params = json!({ "notifications": filter });
        let refused = client.request("subscriptions/listen", params).await;
        assert_eq!(refused.unwrap_err().code(), Some(-32602), "{filter}");
    }
    assert_eq!(client.list_tools().await.len(), 1);
}

/// What is kept for a client that does not read is one flag: it receives as
/// many notifications as fit into the pipe, and then the last.
#[tokio::test]
async fn slow_reader_receives_the_last_change_and_not_every_one() {
    const CHANGES: usize = 10_000;
    const PIPE: usize = 64 * 1024;
    let server = Server::builder("test", "1").build().unwrap();
    let mut stream = BufReader::new(raw_stream(&server));
    let listen = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": {
            "notifications": {"toolsListChanged": true},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    });
    let listen = format!("{listen}\n");
    stream.write_all(listen.as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.contains("acknowledged"), "{line}");

    let registry = server.registry();
    for _ in 0..CHANGES / 2 {
        registry.add(says("b")).unwrap();
        tokio::task::yield_now().await;
        registry.remove(Kind::Tool, "b").unwrap();
        tokio::task::yield_now().await;
    }
    server.drain_handle().begin();
    let (mut bytes, mut last) = (0, String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        if line.contains("resultType") {
            break;
        }
        assert!(line.contains(CHANGED), "{line}");
        bytes += line.len();
        last.clone_from(&line);
    }
    assert!(!last.is_empty());
    // The pipe, what was being written, and one more.
    assert!(bytes <= PIPE + 3 * last.len(), "{bytes}");
}

/// A middleware that changes the registry when it is asked whether it applies.
struct Meddles(Arc<OnceLock<Registry>>);

#[async_trait]
impl Middleware for Meddles {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, Error> {
        next.run(call).await
    }

    fn applies(&self, to: &PrimitiveInfo) -> bool {
        if let Some(registry) = self.0.get()
            && to.name() == "b"
        {
            registry.add(says("beside_b")).unwrap();
        }
        true
    }
}

/// A value that changes the registry when it is dropped.
struct LeavesMark(Registry, &'static str);

impl Drop for LeavesMark {
    fn drop(&mut self) {
        self.0.add(says(self.1)).unwrap();
    }
}

/// A deadlock would hang the test.
#[tokio::test]
async fn code_of_users_may_change_the_registry_while_it_changes() {
    let registry = Arc::new(OnceLock::new());
    let server = Server::builder("test", "1").layer(Meddles(Arc::clone(&registry)));
    let server = server.build().unwrap();
    let _ = registry.set(server.registry());
    let registry = server.registry();
    let names = || -> Vec<String> {
        let tools = server.tools();
        tools.iter().map(|tool| tool.name().to_owned()).collect()
    };

    registry.add(says("b")).unwrap();
    assert_eq!(names(), ["beside_b", "b"]);

    let marked = |name: &'static str, mark: &'static str| {
        let mark = Arc::new(LeavesMark(server.registry(), mark));
        let definition = ToolDefinition::new(name, "Is replaced or removed.");
        from_fn(definition, move |_: Call| {
            let mark = Arc::clone(&mark);
            async move { Ok::<_, Error>(mark.1) }
        })
    };
    registry.add(marked("c", "removed")).unwrap();
    registry.remove(Kind::Tool, "c").unwrap();
    registry.add(marked("d", "replaced")).unwrap();
    registry.replace(says("d")).unwrap();
    // One that was never in force.
    let both = registry.update(|changes| {
        changes.add(marked("e", "never_listed"));
        changes.remove(Kind::Tool, "e");
    });
    both.unwrap();
    // One that was refused.
    assert!(registry.add(marked("b", "refused")).is_err());
    let all = names();
    for mark in ["removed", "replaced", "never_listed", "refused"] {
        assert!(all.iter().any(|name| name == mark), "{mark}: {all:?}");
    }
}

#[test]
fn changes_add_tools_with_settings_and_routers_with_a_prefix() {
    let server = server();
    let desk = Router::new().add(says("open")).scope("desk");
    let changed = server.registry().update(|changes| {
        changes.tool_with::<secret>(|tool| tool.concurrency(3));
        changes.nest("desk_", desk);
    });
    changed.unwrap();
    let policies = server.policies(Kind::Tool);
    let names: Vec<_> = policies.iter().map(|one| one.info().name()).collect();
    assert_eq!(names, ["a", "secret", "desk_open"]);
    assert!(
        policies[1]
            .layers()
            .any(|layer| layer == "ConcurrencyLimit(3)")
    );
    assert!(policies[2].scopes().eq(["desk"]));
}
