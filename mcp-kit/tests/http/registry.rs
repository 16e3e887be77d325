//! The registry over HTTP: it is the server's, its changes reach every service, and
//! calls over HTTP have a chain of their own.

use mcp_kit::auth::{AuthError, Authenticator, Credentials};
use mcp_kit::call::Call;
use mcp_kit::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::registry::Registration;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::{Tool, ToolDefinition, from_fn};
use mcp_kit::{Error, ToolError, async_trait};
use serde_json::json;

use crate::client::Ask as _;

fn done(name: &'static str) -> impl Tool {
    let definition = ToolDefinition::new(name, "Does nothing.");
    from_fn(definition, async |_: Call| Ok::<_, ToolError>("done"))
}

#[tokio::test(start_paused = true)]
async fn rate_by_default_of_http_is_for_tools_without_a_rate() {
    let server = Server::builder("test", "1")
        .http(|http| http.allow_unauthenticated().call_rate(Rate::per_minute(1)))
        .add(done("plain"))
        .add(Registration::of_tool(done("rated")).rate_limit(Rate::per_minute(3)))
        .build()
        .unwrap();
    server.registry().add(done("added")).unwrap();
    let policies = server.policies(Kind::Tool);
    let local: Vec<Vec<_>> = policies
        .iter()
        .map(|policy| policy.layers().collect())
        .collect();
    let network: Vec<Vec<_>> = policies
        .iter()
        .map(|policy| policy.http_layers().collect())
        .collect();
    let rated = ["RateLimit(3/min)", "Timeout(30 s)", "Validate"];
    let limited = ["RateLimit(1/min)", "Timeout(30 s)", "Validate"];
    assert_eq!(local, [&limited[1..], &rated[..], &limited[1..]]);
    assert_eq!(network, [limited, rated, limited]);

    let stdio = TestClient::new(&server).await;
    let http = TestClient::http(&server).connect().await.unwrap();
    let modern = TestClient::http(&server).modern().connect().await.unwrap();
    for name in ["plain", "added"] {
        assert!(!http.call(name, json!({})).await.is_error());
        // One budget for all services of the server.
        let refused = modern.call(name, json!({})).await;
        assert!(
            refused.text().contains("Rate limit of 1/min"),
            "{refused:?}"
        );
        for _ in 0..10 {
            assert!(!stdio.call(name, json!({})).await.is_error());
        }
    }
}

#[tokio::test]
async fn changes_reach_services_that_run() {
    let server = Server::builder("test", "1").add(done("a")).build().unwrap();
    let legacy = TestClient::http(&server).connect().await.unwrap();
    let modern = TestClient::http(&server).modern().connect().await.unwrap();
    server
        .registry()
        .update(|changes| {
            changes.remove(Kind::Tool, "a");
            changes.add(done("b"));
        })
        .unwrap();
    for client in [&legacy, &modern] {
        let tools = client.list_tools().await;
        assert_eq!((tools.len(), &tools[0]["name"]), (1, &json!("b")));
        assert_eq!(client.call("b", json!({})).await.text(), "done");
        assert!(client.call("a", json!({})).outcome().await.is_err());
    }
}

#[tokio::test]
async fn headers_of_arguments_follow_the_registry() {
    let server = Server::builder("test", "1").build().unwrap();
    let client = TestClient::http(&server).modern().connect().await.unwrap();
    let definition = |header: &str| {
        ToolDefinition::new("list", "Lists a region.").with_input_schema(json!({
            "type": "object",
            "properties": {"region": {"type": "string", "x-mcp-header": header}},
        }))
    };
    let tool = |header: &str| from_fn(definition(header), async |_: Call| "listed");
    let wrong = server.registry().add(tool("no token")).unwrap_err();
    assert!(wrong.to_string().contains("x-mcp-header"), "{wrong}");

    // The client repeats what the tool's schema asks for at that moment.
    server.registry().add(tool("Region")).unwrap();
    let arguments = json!({"region": "eu"});
    assert_eq!(
        client.call("list", arguments.clone()).await.text(),
        "listed"
    );
    server.registry().replace(tool("Zone")).unwrap();
    assert_eq!(client.call("list", arguments).await.text(), "listed");
    let refused = TestClient::http(&server)
        .header("mcp-param-zone", "us")
        .modern()
        .connect()
        .await
        .unwrap();
    let refused = refused.call("list", json!({})).outcome().await.unwrap_err();
    assert!(refused.to_string().contains("Mcp-Param-Zone"), "{refused}");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[async_trait]
impl Authenticator for Bomb {
    async fn authenticate(&self, _: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        Ok(Some(Principal::new("alice", ["user"])))
    }
}

#[async_trait]
impl MessageMiddleware for Bomb {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        next.run(message).await
    }
}

/// An authenticator, a check of readiness or a message middleware may panic when it is
/// dropped: with the service, or with the server.
#[tokio::test]
async fn panic_in_the_drop_of_an_option_ends_nothing_else() {
    let (first, second) = (Bomb, Bomb);
    let server = Server::builder("test", "1")
        .message_layer(Bomb)
        .message_layer(Bomb)
        .http(|http| {
            http.authenticate(Bomb)
                .authenticate(Bomb)
                .ready_check("first", move || {
                    let _ = &first;
                    async { true }
                })
                .ready_check("second", move || {
                    let _ = &second;
                    async { true }
                })
        })
        .build()
        .unwrap();
    let client = TestClient::http(&server);
    let probe = client.bare("GET", "/readyz", &[], "").await;
    assert_eq!(probe.status(), 200);
    let session = client.clone().open_session().await.unwrap();
    drop((session, client));
    drop(server);
}
