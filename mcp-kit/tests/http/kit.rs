//! `testing::TestClient` over HTTP: the same calls as over stdio, and what only HTTP has.

use std::sync::{Arc, Mutex};

use mcp_kit::auth::{AuthError, Authenticator, Credentials, ProtectedResource};
use mcp_kit::call::{CallInfo, Ending, Observer};
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{RequestError, TestClient, TestHttpClient};
use mcp_kit::{RequestInfo, async_trait};
use serde_json::json;

use crate::gate::{Gate, gate, gated};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Place {
    /// Where to look.
    #[garde(skip)]
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

/// Look at a region.
#[tool]
async fn look(args: Place, request: RequestInfo) -> String {
    format!("{} {:?}", args.region, request.header("Mcp-Param-Region"))
}

/// Where the request comes from.
#[tool]
async fn whence(request: RequestInfo) -> String {
    format!(
        "{:?} {}",
        request.address(),
        request.protocol_version().as_str()
    )
}

/// Needs a scope.
#[tool(scope = "secrets")]
async fn secret() -> &'static str {
    "secret"
}

fn server(gate: &Gate) -> ServerBuilder {
    Server::builder("test", "1")
        .state(gate.clone())
        .tool::<gated>()
        .tool::<look>()
        .tool::<whence>()
        .tool::<secret>()
        .without_call_log()
        .http(|http| http.expose_header("Mcp-Param-Region"))
}

fn http() -> TestHttpClient {
    TestClient::http(&server(&gate().0).build().unwrap())
}

#[tokio::test]
async fn every_version_is_spoken() {
    let http = http();
    for version in ProtocolVersion::ALL {
        let client = http.clone().version(*version).connect().await.unwrap();
        // `secret` is hidden: its scope is missing.
        assert_eq!(client.list_tools().await.len(), 3);
        let result = client.call("whence", json!({})).await;
        assert_eq!(result.text(), format!("Some(127.0.0.1) {version}"));
        let sent = client.http_client().unwrap();
        assert_eq!(sent.protocol_version(), *version);
        let has_session = *version != ProtocolVersion::V2026_07_28;
        assert_eq!(sent.session_id().is_some(), has_session);
        let unknown = client.request("no/such", json!({})).await.unwrap_err();
        assert_eq!(unknown.code(), Some(-32601));
    }
}

#[tokio::test]
async fn progress_arrives_while_the_call_runs() {
    let (gate, _entered) = gate();
    let http = TestClient::http(&server(&gate).build().unwrap());
    for http in [http.clone(), http.modern()] {
        let client = http.connect().await.unwrap();
        let mut call = client.call("gated", json!({}));
        let report = call.next_progress().await.unwrap();
        assert_eq!(report["message"], "waiting");
        gate.open.add_permits(1);
        assert_eq!(call.next_progress().await, None);
        let result = call.await;
        assert_eq!(
            (result.text(), result.progress().len()),
            ("through".into(), 1)
        );
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_in_both_eras() {
    let (gate, mut entered) = gate();
    let http = TestClient::http(&server(&gate).build().unwrap());
    for http in [http.clone(), http.modern()] {
        let client = http.connect().await.unwrap();
        let call = client.call("gated", json!({}));
        entered.recv().await.unwrap();
        call.cancel();
        assert_eq!(call.outcome().await, Err(RequestError::Cancelled));
        gate.dropped.notified().await;
    }
}

#[tokio::test]
async fn a_dropped_client_cancels_a_modern_call_and_no_call_of_a_session() {
    let (gate, mut entered) = gate();
    let http = TestClient::http(&server(&gate).build().unwrap());
    let client = http.clone().modern().connect().await.unwrap();
    let call = client.call("gated", json!({}));
    entered.recv().await.unwrap();
    drop(client);
    assert_eq!(call.outcome().await, Err(RequestError::NoAnswer));
    gate.dropped.notified().await;

    let client = http.connect().await.unwrap();
    let session = client.http_client().unwrap().clone();
    let call = client.call("gated", json!({}));
    let ping = json!({"jsonrpc": "2.0", "id": call.id(), "method": "ping"});
    entered.recv().await.unwrap();
    drop(client);
    assert_eq!(call.outcome().await, Err(RequestError::NoAnswer));
    assert_eq!(session.post(&ping).await.status(), 400, "its id is in use");
    gate.open.add_permits(1);
    gate.dropped.notified().await;
}

#[tokio::test]
async fn closing_waits_for_the_answers_and_ends_the_session() {
    let (gate, mut entered) = gate();
    let http = TestClient::http(&server(&gate).build().unwrap());
    let client = http.connect().await.unwrap();
    let session = client.http_client().unwrap().clone();
    let call = client.call("gated", json!({}));
    entered.recv().await.unwrap();
    gate.open.add_permits(1);
    client.close().await;
    assert_eq!(call.await.text(), "through");
    assert_eq!(client.next_message().await, None);
    assert_eq!(session.delete().await.status(), 404);
    let late = client.request("ping", json!({})).await;
    assert_eq!(late, Err(RequestError::NoAnswer));
}

#[tokio::test]
async fn marked_arguments_are_repeated_in_headers() {
    let client = http().modern().connect().await.unwrap();
    for region in ["north", "Grünau ", "=?base64?"] {
        let result = client.call("look", json!({"region": region})).await;
        assert!(
            result.text().starts_with(&format!("{region} Some(")),
            "{result:?}"
        );
    }
    // The server checks them: without the header it refuses the call.
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "look", "arguments": {"region": "north"},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    let http = http().header("mcp-param-region", "south");
    let mut refused = http.post(&message).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.contains("Mcp-Param-Region"));
}

#[tokio::test]
async fn callers_have_the_address_and_the_headers_that_the_test_gives_them() {
    let server = server(&gate().0).http(|http| http.allow_unauthenticated());
    let http = TestClient::http(&server.build().unwrap());
    let address: std::net::SocketAddr = "192.0.2.7:4000".parse().unwrap();
    for (peer, shown) in [(Some(address), "Some(192.0.2.7)"), (None, "None")] {
        let client = http.clone().peer(peer).connect().await.unwrap();
        let result = client.call("whence", json!({})).await;
        assert!(result.text().starts_with(shown), "{result:?}");
    }
    let refused = http.clone().header("host", "evil.example").get().await;
    assert_eq!(refused.status(), 403);
    let refused = http.without_header("host").get().await;
    assert_eq!(refused.status(), 400);
}

/// Knows one token, which has no scope.
pub struct Tokens(pub ProtectedResource);

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        let is_known = of.bearer() == Some("the-token");
        Ok(is_known.then(|| Principal::new("alice", [""; 0])))
    }

    fn challenge(&self) -> Option<String> {
        Some(self.0.challenge())
    }

    fn protected_resource(&self) -> Option<&ProtectedResource> {
        Some(&self.0)
    }
}

/// Writes down what was called, and how it ended.
struct Audit(Arc<Mutex<Vec<String>>>);

impl Observer for Audit {
    fn ended(&self, call: &CallInfo<'_>, how: &Ending<'_>) {
        let entry = format!("{} {}", call.name(), how.outcome().as_str());
        self.0.lock().unwrap().push(entry);
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_refused_with_403_and_the_scope_to_ask_for() {
    let resource = ProtectedResource::new("https://mcp.example.com/mcp").unwrap();
    let entries = Arc::default();
    let server = server(&gate().0)
        .observer(Audit(Arc::clone(&entries)))
        .http(|http| http.authenticate(Tokens(resource)))
        .build()
        .unwrap();
    for http in [
        TestClient::http(&server),
        TestClient::http(&server).modern(),
    ] {
        let client = http.bearer("the-token").connect().await.unwrap();
        let outcome = client.call("secret", json!({})).outcome().await;
        let Err(RequestError::Refused(refusal)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(refusal.status(), 403);
        assert!(refusal.message().contains("\"secrets\""), "{refusal}");
        let challenge = refusal.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("insufficient_scope") && challenge.contains("scope=\"secrets\""),
            "{challenge}"
        );
    }
    assert_eq!(*entries.lock().unwrap(), ["secret forbidden"; 2]);
    // An unknown one is refused at the handshake, and in the modern era at the first request.
    let http = TestClient::http(&server).bearer("another");
    let refusal = http.clone().connect().await.unwrap_err();
    assert!(refusal.to_string().starts_with("HTTP 401"), "{refusal}");
    let client = http.modern().connect().await.unwrap();
    let refused = client.request("tools/list", json!({})).await.unwrap_err();
    assert!(refused.to_string().starts_with("HTTP 401"), "{refused}");
}

#[tokio::test]
async fn a_server_without_sessions_needs_none() {
    let server = server(&gate().0).http(|http| http.without_sessions());
    let client = TestClient::http(&server.build().unwrap()).connect().await;
    let client = client.unwrap();
    assert_eq!(client.http_client().unwrap().session_id(), None);
    let result = client.call("whence", json!({})).await;
    assert!(!result.is_error(), "{result:?}");
    client.close().await;
}

#[tokio::test]
async fn lines_that_are_no_messages_are_sent_as_they_are() {
    let client = http().connect().await.unwrap();
    client.send_line("{");
    let answer = client.next_message().await.unwrap();
    assert_eq!(answer["error"]["code"], -32700);
    client.send_line(r#"{"jsonrpc": "2.0", "id": "mine", "method": "ping"}"#);
    assert_eq!(client.next_message().await.unwrap()["id"], "mine");
}

/// What a server sends beside its answers is the client's next message.
#[tokio::test]
async fn notifications_arrive_on_the_stream_of_a_subscription() {
    let server = server(&gate().0).build().unwrap();
    let client = TestClient::http(&server).modern().connect().await.unwrap();
    let filter = json!({"notifications": {"toolsListChanged": true}});
    let listening = client.request("subscriptions/listen", filter);
    let first = client.next_message().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    // Other requests are served meanwhile.
    assert_eq!(client.list_tools().await.len(), 3);
    server.drain_handle().begin();
    assert_eq!(listening.await.unwrap()["resultType"], "complete");
    let refused = client.request("tools/list", json!({})).await.unwrap_err();
    assert!(refused.to_string().starts_with("HTTP 503"), "{refused}");
}

#[tokio::test]
async fn a_subscription_without_a_filter_and_one_of_an_older_client_are_refused() {
    let http = http();
    let modern = http.clone().modern().connect().await.unwrap();
    for params in [
        json!({}),
        json!({"notifications": null}),
        json!({"notifications": []}),
        json!({"notifications": "all"}),
    ] {
        let refused = modern.request("subscriptions/listen", params.clone()).await;
        assert_eq!(refused.unwrap_err().code(), Some(-32602), "{params}");
    }
    let empty = modern.request("subscriptions/listen", json!({"notifications": {}}));
    let first = modern.next_message().await.unwrap();
    let id = &first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert_eq!(*id, empty.id());
    let honoured = first["params"]["notifications"].as_object().unwrap();
    assert!(
        honoured
            .values()
            .all(|value| value == false || value == &json!([]))
    );

    let legacy = http.connect().await.unwrap();
    let params = json!({"notifications": {}});
    let refused = legacy.request("subscriptions/listen", params).await;
    assert_eq!(refused.unwrap_err().code(), Some(-32601));
}

#[cfg(feature = "sse")]
#[tokio::test]
async fn the_transport_of_2024_has_the_same_client() {
    let (gate, mut entered) = gate();
    let server = server(&gate).http(|http| {
        let url = "https://mcp.example.com/tools/mcp";
        http.sse().public_url(url).allow_unauthenticated()
    });
    let server = server.build().unwrap();
    let http = TestClient::http(&server).version(ProtocolVersion::V2024_11_05);
    let client = http.clone().connect_sse().await.unwrap();
    assert_eq!(client.list_tools().await.len(), 3);
    let whence = client.call("whence", json!({})).await;
    assert_eq!(whence.text(), "Some(127.0.0.1) 2024-11-05");
    let unknown = client.request("no/such", json!({})).await.unwrap_err();
    assert_eq!(unknown.code(), Some(-32601));

    let mut call = client.call("gated", json!({}));
    assert_eq!(call.next_progress().await.unwrap()["message"], "waiting");
    entered.recv().await.unwrap();
    call.cancel();
    assert_eq!(call.outcome().await, Err(RequestError::Cancelled));
    gate.dropped.notified().await;

    let call = client.call("gated", json!({}));
    entered.recv().await.unwrap();
    gate.open.add_permits(1);
    client.close().await;
    assert_eq!(call.await.text(), "through");

    let client = http.clone().connect_sse().await.unwrap();
    let call = client.call("gated", json!({}));
    entered.recv().await.unwrap();
    drop(client);
    assert_eq!(call.outcome().await, Err(RequestError::NoAnswer));

    let plain = Server::builder("plain", "1").build().unwrap();
    let refused = TestClient::http(&plain).connect_sse().await.unwrap_err();
    assert!(refused.to_string().starts_with("HTTP 404"), "{refused}");
}
