//! Changes of the registry, as clients over HTTP are notified of them: on the
//! streams of sessions, on that of 2024-11-05, and on `subscriptions/listen`.

use std::time::Duration;

use mcp_kit::auth::ApiKeys;
use mcp_kit::call::Call;
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::registry::Registration;
use mcp_kit::testing::{
    Subscription, SubscriptionFilter, TestClient, TestHttpClient, tick_on_timers,
};
use mcp_kit::tool::{Tool, ToolDefinition, from_fn};
use serde_json::json;
use tokio::time::timeout;

const CHANGED: &str = "notifications/tools/list_changed";
const ADMIN: &str = "key-of-alice-0001";
const OTHER: &str = "key-of-bob-000002";

fn says(name: &'static str) -> impl Tool {
    let definition = ToolDefinition::new(name, "Answers its name.");
    from_fn(definition, move |_: Call| async move {
        Ok::<_, ToolError>(name)
    })
}

/// Needs the scope `admin`.
#[tool(name = "secret", scope = "admin")]
async fn secret() -> &'static str {
    "secret"
}

fn server() -> (Server, TestHttpClient) {
    let keys = ApiKeys::from_list(&format!("alice:{ADMIN}:admin,bob:{OTHER}")).unwrap();
    let server = Server::builder("test", "1")
        .add(says("a"))
        .without_call_log()
        .http(|http| {
            let http = http.authenticate(keys);
            #[cfg(feature = "sse")]
            let http = http.sse();
            http
        })
        .build()
        .unwrap();
    tick_on_timers(&server);
    let http = TestClient::http(&server);
    (server, http)
}

/// The client of one caller on each transport.
async fn clients(http: &TestHttpClient, key: &str) -> Vec<TestClient> {
    let http = http.clone().key(key);
    vec![
        http.clone().modern().connect().await.unwrap(),
        http.clone().connect().await.unwrap(),
        #[cfg(feature = "sse")]
        http.connect_sse().await.unwrap(),
    ]
}

async fn follow(clients: &[TestClient]) -> Vec<Subscription> {
    let mut all = Vec::new();
    for client in clients {
        let filter = SubscriptionFilter::new().tools();
        all.push(client.subscribe(filter).await.unwrap());
    }
    all
}

async fn assert_silent(all: &mut [Subscription]) {
    for changes in all {
        let more = timeout(Duration::from_secs(5), changes.next()).await;
        assert!(more.is_err(), "{more:?}");
    }
}

async fn assert_changed(all: &mut [Subscription]) {
    for changes in &mut *all {
        let change = timeout(Duration::from_secs(5), changes.next()).await;
        assert_eq!(change.unwrap().unwrap()["method"], CHANGED);
    }
    assert_silent(all).await;
}

#[tokio::test(start_paused = true)]
async fn changes_reach_callers_whose_list_changed_on_every_transport() {
    let (server, http) = server();
    let (admins, others) = (clients(&http, ADMIN).await, clients(&http, OTHER).await);
    let (mut admins, mut others) = (follow(&admins).await, follow(&others).await);
    assert_silent(&mut admins).await;
    let registry = server.registry();

    registry.add(says("b")).unwrap();
    assert_changed(&mut admins).await;
    assert_changed(&mut others).await;
    registry.add(Registration::tool::<secret>()).unwrap();
    assert_changed(&mut admins).await;
    assert_silent(&mut others).await;
    registry.remove(Kind::Tool, "secret").unwrap();
    assert_changed(&mut admins).await;
    assert_silent(&mut others).await;
}

/// Never the same.
#[resource(uri = "watched://counter")]
async fn counter() -> &'static str {
    "1"
}

#[tokio::test(start_paused = true)]
async fn updates_of_resources_reach_every_transport() {
    const COUNTER: &str = "watched://counter";
    let (server, http) = server();
    server
        .registry()
        .add(Registration::resource::<counter>())
        .unwrap();
    for client in clients(&http, ADMIN).await {
        let filter = SubscriptionFilter::new().resource(COUNTER);
        let mut changes = client.subscribe(filter).await.unwrap();
        for _ in 0..10_000 {
            server.updates().notify(COUNTER);
        }
        let update = timeout(Duration::from_secs(5), changes.next()).await;
        let update = update.unwrap().unwrap();
        assert_eq!(update["method"], "notifications/resources/updated");
        assert_eq!(update["params"]["uri"], COUNTER);
        assert_silent(std::slice::from_mut(&mut changes)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn drain_ends_a_subscription_with_its_result() {
    let (server, http) = server();
    let client = http.key(ADMIN).modern().connect().await.unwrap();
    let mut changes = follow(std::slice::from_ref(&client)).await.remove(0);
    server.registry().add(says("b")).unwrap();
    server.drain_handle().begin();
    assert_eq!(changes.next().await.unwrap()["method"], CHANGED);
    assert_eq!(changes.ended().await.unwrap()["resultType"], "complete");
}

#[tokio::test(start_paused = true)]
async fn subscription_that_is_cancelled_makes_room_for_another() {
    let (_server, http) = server();
    let client = http.key(ADMIN).modern().connect().await.unwrap();
    let mut open = Vec::new();
    for _ in 0..100 {
        let filter = SubscriptionFilter::new().tools();
        open.push(client.subscribe(filter).await.unwrap());
    }
    let filter = SubscriptionFilter::new().tools();
    let refused = client.subscribe(filter.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("429"), "{refused}");
    open.pop().unwrap().cancel().await;
    client.subscribe(filter).await.unwrap();
}

/// A session's changes wait for its stream, as one notification.
#[tokio::test(start_paused = true)]
async fn changes_wait_for_a_client_that_does_not_read() {
    let (server, http) = server();
    let http = http.key(ADMIN);
    let modern = http.clone().modern();
    let session = http.open_session().await.unwrap();
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
    let mut listening = modern.post(&listen).await;
    let first = listening.next_event().await.unwrap().json();
    assert_eq!(first["params"]["notifications"]["toolsListChanged"], true);
    let mut early = session.get().await;

    let registry = server.registry();
    for _ in 0..5_000 {
        registry.add(says("b")).unwrap();
        registry.remove(Kind::Tool, "b").unwrap();
    }
    drop(early.chunk().await); // the comment that opens the stream
    drop(early);
    let mut late = session.get().await;
    for stream in [&mut listening, &mut late] {
        let event = stream.next_event().await.unwrap().json();
        assert_eq!(event["method"], CHANGED);
        let more = timeout(Duration::from_secs(5), stream.next_event()).await;
        assert!(more.is_err(), "{more:?}");
    }
}

/// A stream can break off after the server has passed a notification on. The next
/// one has it again, until the client shows that it knows of the change.
#[tokio::test(start_paused = true)]
async fn change_on_a_stream_that_broke_off_is_sent_on_the_next() {
    let (server, http) = server();
    let registry = server.registry();
    registry.add(Registration::resource::<counter>()).unwrap();
    let session = http.key(ADMIN).open_session().await.unwrap();
    let request = |method: &str, params| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let uri = json!({"uri": "watched://counter"});
    let ask = async |method: &str, params| {
        let answer = session.post(&request(method, params)).await.json().await;
        assert!(answer["error"].is_null(), "{answer}");
    };
    ask("resources/subscribe", uri.clone()).await;
    registry.add(says("b")).unwrap();
    server.updates().notify("watched://counter");
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = session.get().await;
        for method in [CHANGED, "notifications/resources/updated"] {
            let event = stream.next_event().await.unwrap().json();
            assert_eq!(event["method"], method);
        }
        // Lost, or replaced by the next one.
        streams.push(stream);
        if streams.len() == 2 {
            streams.clear();
        }
    }
    let left = async || {
        let mut stream = session.get().await;
        let mut left = Vec::new();
        while let Ok(Some(event)) = timeout(Duration::from_secs(5), stream.next_event()).await {
            left.push(event.json()["method"].as_str().unwrap().to_owned());
        }
        left
    };
    ask("tools/list", json!({})).await;
    assert_eq!(left().await, ["notifications/resources/updated"]);
    ask("resources/read", uri).await;
    assert!(left().await.is_empty());
    // A change after that is another one.
    registry.remove(Kind::Tool, "b").unwrap();
    assert_eq!(left().await, [CHANGED]);
}

/// Without sessions a legacy client has no stream on which it could be notified.
#[tokio::test]
async fn server_without_sessions_promises_no_changes_to_legacy_clients() {
    let server = Server::builder("test", "1").http(|http| http.without_sessions());
    let http = TestClient::http(&server.build().unwrap());
    let request = |method: &str, meta| {
        json!({
            "jsonrpc": "2.0", "id": 1, "method": method,
            "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"}, "_meta": meta,
            },
        })
    };
    let legacy = http
        .post(&request("initialize", json!({})))
        .await
        .json()
        .await;
    assert_eq!(legacy["result"]["capabilities"]["tools"], json!({}));
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let modern = http
        .modern()
        .post(&request("server/discover", meta))
        .await
        .json()
        .await;
    let promised = &modern["result"]["capabilities"]["tools"];
    assert_eq!(*promised, json!({"listChanged": true}));
}
