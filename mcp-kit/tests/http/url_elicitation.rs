//! The end of interactions at URLs, as clients are notified of it: on a connection, in a
//! session, on the one stream of 2024-11-05, and in 2026-07-28.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mcp_kit::extract::{Elicited, UrlElicitation};
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::{Answer, TestClient};
use serde_json::{Value, json};

const COMPLETE: &str = "notifications/elicitation/complete";

/// The open interactions, as the web pages of a server find them.
#[derive(Clone, Default)]
struct Visits(Arc<Mutex<HashMap<String, UrlElicitation>>>);

impl Visits {
    fn get(&self, id: &str) -> UrlElicitation {
        self.0.lock().unwrap()[id].clone()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Connects an account.
#[tool]
async fn connect(client: Client, State(visits): State<Visits>) -> Result<String, ToolError> {
    let visit = UrlElicitation::new(&client)?;
    let other = UrlElicitation::new(&client)?;
    assert_ne!(visit.id(), other.id());
    let url = format!("https://example.com/connect/{}", visit.id());
    let id = visit.id().to_owned();
    visits.0.lock().unwrap().insert(id, visit.clone());
    match client.elicit_url_for(&visit, "Connect.", &url).await? {
        Elicited::Accepted(()) => Ok(visit.id().to_owned()),
        other => Ok(format!("{other:?}")),
    }
}

fn server(visits: &Visits) -> Server {
    let builder = Server::builder("accounts", "1.0.0")
        .state(visits.clone())
        .tool::<connect>()
        .http(|http| {
            let http = http.allow_unauthenticated().call_rate(None);
            #[cfg(feature = "sse")]
            let http = http.sse();
            http
        });
    builder.build().unwrap()
}

fn capabilities() -> Value {
    json!({"elicitation": {"url": {}}})
}

/// A client on each transport of the legacy era.
async fn legacy(server: &Server) -> Vec<TestClient> {
    let http = TestClient::http(server).capabilities(capabilities());
    vec![
        http.clone().connect().await.unwrap(),
        #[cfg(feature = "sse")]
        http.connect_sse().await.unwrap(),
    ]
}

/// Calls the tool and agrees to open its URL. Returns the id of the interaction.
async fn visit(client: &TestClient) -> String {
    let call = client.call("connect", json!({}));
    let asked = client.next_message().await.unwrap();
    let params = &asked["params"];
    let id = params["elicitationId"].as_str().unwrap().to_owned();
    assert_eq!(params["mode"], "url");
    assert_eq!(params["url"], format!("https://example.com/connect/{id}"));
    let accept = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}});
    client.send_line(accept.to_string());
    assert_eq!(call.await.text(), id);
    id
}

/// Returns what the client receives before the answer to a ping.
async fn received(client: &TestClient) -> Vec<Value> {
    // Over HTTP the answer comes on another stream, so it is waited for first.
    let ping = client.request("ping", json!({})).await;
    ping.unwrap();
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"ping"}"#);
    let mut all = Vec::new();
    loop {
        let message = client.next_message().await.unwrap();
        if message["id"] == "end" {
            return all;
        }
        all.push(message);
    }
}

#[tokio::test]
async fn only_the_client_that_was_asked_is_notified_once() {
    let visits = Visits::default();
    let server = server(&visits);
    let (asked, others) = (legacy(&server).await, legacy(&server).await);
    for client in &asked {
        let ids = [visit(client).await, visit(client).await];
        for id in &ids {
            // From a web page, which knows only the id.
            visits.get(id).complete();
            let message = client.next_message().await.unwrap();
            assert_eq!(message["method"], COMPLETE);
            assert_eq!(message["params"], json!({"elicitationId": id}));
            assert!(message.get("id").is_none());
            visits.get(id).complete();
        }
    }
    for client in asked.iter().chain(&others) {
        let more = received(client).await;
        assert!(more.is_empty(), "{more:?}");
    }
}

#[tokio::test]
async fn connection_is_notified_also_during_the_call() {
    let visits = Visits::default();
    let server = server(&visits);
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2025_11_25)
        .answers([Answer::open()])
        .connect()
        .await;
    let result = client.call("connect", json!({})).await;
    visits.get(&result.text()).complete();
    let message = client.next_message().await.unwrap();
    assert_eq!(message["method"], COMPLETE);
    assert_eq!(message["params"]["elicitationId"], result.text());
    // One that was never asked about has no id that the client knows.
    assert_eq!(client.asked().len(), 1);
}

#[tokio::test]
async fn modern_rounds_share_the_id_and_end_without_a_notification() {
    let visits = Visits::default();
    let server = server(&visits);
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .answers([Answer::open(), Answer::open()])
        .connect()
        .await;
    // The URL of the second round is that of the first, or it would be asked again.
    let first = client.call("connect", json!({})).await;
    assert_eq!(client.asked().len(), 1);
    assert_eq!(client.asked()[0].params().get("elicitationId"), None);
    let second = client.call("connect", json!({})).await;
    assert_ne!(first.text(), second.text());
    assert_eq!(visits.count(), 2);
    for id in [first.text(), second.text()] {
        visits.get(&id).complete();
    }
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
    assert_eq!(client.next_message().await.unwrap()["id"], "end");
}

#[tokio::test]
async fn notification_that_a_broken_stream_took_is_sent_again() {
    let visits = Visits::default();
    let server = server(&visits);
    let http = TestClient::http(&server).capabilities(capabilities());
    let session = http.open_session().await.unwrap();
    let mut stream = session.get().await;
    let id = {
        let call = json!({
            "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "connect"}
        });
        let mut events = session.post(&call).await;
        let asked = loop {
            let event = events.next_event().await.unwrap();
            if !event.data.is_empty() {
                break serde_json::from_str::<Value>(&event.data).unwrap();
            }
        };
        let accept = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept"}});
        session.post(&accept).await;
        asked["params"]["elicitationId"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    visits.get(&id).complete();
    for _ in 0..2 {
        let data = loop {
            let event = stream.next_event().await.unwrap();
            if !event.data.is_empty() {
                break event.data;
            }
        };
        assert!(data.contains(COMPLETE) && data.contains(&id), "{data}");
        drop(stream);
        stream = session.get().await;
    }
}
