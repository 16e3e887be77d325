//! Questions to clients of the legacy era, through the public interface: in sessions, on
//! the one stream of 2024-11-05, and where there is no way to ask.

use std::time::Duration;

use mcp_kit::extract::{Elicited, SampleRequest};
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::{TestClient, TestHttpClient, tick_on_timers};
use serde_json::{Value, json};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ElicitForm)]
struct Seat {
    /// Counted from the front.
    #[garde(range(min = 1, max = 30))]
    row: u8,
}

/// Asks everything, one after the other.
#[tool(timeout = "500ms")]
async fn book(client: Client) -> Result<String, ToolError> {
    let row = match client.elicit::<Seat>("Which seat?").await? {
        Elicited::Accepted(Seat { row }) => row,
        Elicited::Declined => return Ok("declined".to_owned()),
        Elicited::Cancelled => return Ok("cancelled".to_owned()),
    };
    let roots = client.roots().await?;
    let words = client.sample(SampleRequest::new("Say it.", 10)).await?;
    Ok(format!("row {row}, {} root, {}", roots.len(), words.text()))
}

/// Asks for a seat, one call at a time.
#[tool(concurrency = 1)]
async fn seat(client: Client) -> Result<String, ToolError> {
    let seat = client.elicit::<Seat>("Which seat?").await?;
    Ok(format!("{seat:?}"))
}

fn server() -> Server {
    let builder = Server::builder("booking", "1.0.0")
        .tool::<book>()
        .tool::<seat>();
    let builder = builder.http(|http| http.sse().allow_unauthenticated());
    builder.build().unwrap()
}

fn sse(http: TestHttpClient) -> TestHttpClient {
    http.version(ProtocolVersion::V2024_11_05)
}

/// A client in a session, and one on the one stream.
async fn both(http: TestHttpClient) -> [TestClient; 2] {
    [
        http.clone().connect().await.unwrap(),
        sse(http).connect_sse().await.unwrap(),
    ]
}

fn every_capability() -> Value {
    json!({"elicitation": {}, "sampling": {}, "roots": {}})
}

/// Answers the next question with the members of a response.
async fn answer(client: &TestClient, method: &str, mut response: Value) {
    let asked = client.next_message().await.unwrap();
    assert_eq!(asked["method"], method, "{asked}");
    response["jsonrpc"] = json!("2.0");
    response["id"] = asked["id"].clone();
    client.send_line(response.to_string());
}

#[tokio::test]
async fn every_kind_of_question_is_answered() {
    let server = server();
    let http = TestClient::http(&server).capabilities(every_capability());
    for client in both(http).await {
        let call = client.call("book", json!({}));
        let seat = json!({"action": "accept", "content": {"row": 7}});
        answer(&client, "elicitation/create", json!({"result": seat})).await;
        let roots = json!({"roots": [{"uri": "file:///tmp"}]});
        answer(&client, "roots/list", json!({"result": roots})).await;
        let words =
            json!({"role": "assistant", "content": {"type": "text", "text": "said"}, "model": "m"});
        answer(&client, "sampling/createMessage", json!({"result": words})).await;
        assert_eq!(call.await.text(), "row 7, 1 root, said");

        let wrong = json!({"action": "accept", "content": {"row": 31}});
        let refused = json!({"code": -32603, "message": "no screen"});
        for (response, text) in [
            (json!({"result": {"action": "decline"}}), "declined"),
            (json!({"result": {"action": "cancel"}}), "cancelled"),
            (json!({"error": refused}), r#"error -32603, "no screen""#),
            (json!({"result": wrong}), "row: must be at most 30"),
            (json!({"result": {}}), "not a valid result"),
        ] {
            let call = client.call("book", json!({}));
            answer(&client, "elicitation/create", response).await;
            let result = call.await;
            assert!(result.text().contains(text), "{}", result.text());
        }
    }
}

#[tokio::test]
async fn client_without_the_capability_is_never_asked() {
    let http = TestClient::http(&server());
    for client in both(http.clone()).await {
        let result = client.call("book", json!({})).await;
        assert!(result.is_error());
        let text = result.text();
        assert!(
            text.contains(r#"not declared the capability "elicitation""#),
            "{text}"
        );
        // Nothing but the answer was sent.
        client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"ping"}"#);
        assert_eq!(client.next_message().await.unwrap()["id"], "end");
    }
    let sampling = http.capabilities(json!({"sampling": {}}));
    for client in both(sampling).await {
        assert!(client.call("book", json!({})).await.is_error());
    }
}

#[tokio::test]
async fn server_without_sessions_has_no_way_to_ask() {
    let builder = Server::builder("booking", "1.0.0").tool::<book>();
    let server = builder.http(|http| http.without_sessions()).build();
    let http = TestClient::http(&server.unwrap());
    let client = http
        .capabilities(every_capability())
        .connect()
        .await
        .unwrap();
    let result = client.call("book", json!({})).await;
    assert!(result.is_error());
    assert!(
        result.text().starts_with("This tool must ask"),
        "{}",
        result.text()
    );
}

#[tokio::test(start_paused = true)]
async fn user_may_take_longer_than_the_call() {
    let server = server();
    tick_on_timers(&server);
    let http = TestClient::http(&server).capabilities(every_capability());
    for client in both(http).await {
        let call = client.call("book", json!({}));
        let asked = client.next_message().await.unwrap();
        assert_eq!(asked["params"]["message"], "Which seat?");
        tokio::time::sleep(Duration::from_secs(300)).await;
        let response =
            json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}});
        client.send_line(response.to_string());
        assert_eq!(call.await.text(), "declined");
    }
}

#[tokio::test]
async fn permit_of_a_concurrency_limit_is_lent_while_a_question_is_open() {
    let server = server();
    let http = TestClient::http(&server).capabilities(every_capability());
    for client in both(http).await {
        let calls = [(); 3].map(|()| client.call("seat", json!({})));
        let mut asked = Vec::new();
        for _ in &calls {
            asked.push(client.next_message().await.unwrap()["id"].clone());
        }
        for id in asked {
            let response = json!({"jsonrpc": "2.0", "id": id, "result": {"action": "cancel"}});
            client.send_line(response.to_string());
        }
        for call in calls {
            assert_eq!(call.await.text(), "Cancelled");
        }
    }
}
