//! Questions and log messages to the client, as the client notices them.

use std::time::Duration;

use mcp_kit::extract::{LogLevel, SampleRequest};
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::{Answer, Asked, TestClient};
use serde_json::{Value, json};

/// Logs at every level.
#[tool]
async fn log_all(client: Client) -> &'static str {
    for level in LogLevel::ALL {
        client.log(level, json!({"at": level.as_str()}));
    }
    "logged"
}

/// Logs one text.
#[tool]
async fn log_text(args: Bytes, client: Client) -> &'static str {
    client.log(LogLevel::Emergency, "x".repeat(args.bytes));
    "logged"
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Bytes {
    #[garde(skip)]
    bytes: usize,
}

/// Logs in a task that outlives the call.
#[tool]
async fn log_late(client: Client) -> &'static str {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.log(LogLevel::Emergency, "too late");
    });
    "answered"
}

/// Neither asks nor logs.
#[tool]
async fn plain() -> &'static str {
    "plain"
}

fn server() -> Server {
    Server::builder("logging", "1.0.0")
        .tool::<log_all>()
        .tool::<log_text>()
        .tool::<log_late>()
        .build()
        .unwrap()
}

/// Calls the tool; returns the levels of the messages that came before the answer.
async fn levels(client: &TestClient, meta: Value) -> Vec<String> {
    let params = json!({"name": "log_all", "arguments": {}, "_meta": meta});
    let answer = client.request("tools/call", params).await.unwrap();
    assert_eq!(answer["content"][0]["text"], "logged");
    // A message that is none ends what there is to read.
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
    let mut levels = Vec::new();
    loop {
        let message = client.next_message().await.unwrap();
        if message["id"] == "end" {
            return levels;
        }
        assert_eq!(message["method"], "notifications/message", "{message}");
        let params = &message["params"];
        assert_eq!(params["logger"], "log_all");
        assert_eq!(params["data"], json!({"at": params["level"]}));
        levels.push(params["level"].as_str().unwrap().to_owned());
    }
}

const ALL: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

#[tokio::test]
async fn modern_call_logs_from_the_level_of_its_own_request() {
    let server = server();
    let client = TestClient::modern(&server).await;
    for (at, level) in ALL.iter().enumerate() {
        let meta = json!({"io.modelcontextprotocol/logLevel": level});
        assert_eq!(levels(&client, meta).await, ALL[at..]);
    }
    // Nothing without a level, also after requests with one.
    assert!(levels(&client, json!({})).await.is_empty());
    let wrong = json!({"name": "log_all", "_meta": {"io.modelcontextprotocol/logLevel": "loud"}});
    let refused = client.request("tools/call", wrong).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
}

#[tokio::test]
async fn legacy_client_sets_the_level_for_its_connection() {
    let server = server();
    let client = TestClient::new(&server).await;
    let other = TestClient::new(&server).await;
    assert_eq!(levels(&client, json!({})).await, ALL[1..]);
    for (at, level) in ALL.iter().enumerate() {
        let set = client.request("logging/setLevel", json!({"level": level}));
        assert_eq!(set.await.unwrap(), json!({}));
        assert_eq!(levels(&client, json!({})).await, ALL[at..]);
    }
    assert_eq!(levels(&other, json!({})).await, ALL[1..]);
    for wrong in [json!({"level": "loud"}), json!({"level": 3}), json!({})] {
        let refused = client.request("logging/setLevel", wrong).await;
        assert_eq!(refused.unwrap_err().code(), Some(-32602));
    }
    // Refused levels change nothing.
    assert_eq!(levels(&client, json!({})).await, ["emergency"]);
}

#[tokio::test]
async fn set_level_does_not_exist_in_the_modern_era() {
    let client = TestClient::modern(&server()).await;
    let refused = client.request("logging/setLevel", json!({"level": "info"}));
    assert_eq!(refused.await.unwrap_err().code(), Some(-32601));
}

#[tokio::test]
async fn logging_is_declared_if_a_tool_can_log() {
    let quiet = Server::builder("quiet", "1.0.0")
        .tool::<plain>()
        .build()
        .unwrap();
    let quiet = TestClient::modern(&quiet).await;
    let client = TestClient::modern(&server()).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert_eq!(discovered["capabilities"]["logging"], json!({}));
    let discovered = quiet.request("server/discover", json!({})).await.unwrap();
    assert_eq!(discovered["capabilities"].get("logging"), None);
}

#[tokio::test]
async fn large_log_message_is_dropped() {
    let client = TestClient::new(&server()).await;
    for (bytes, is_sent) in [(60_000, true), (70_000, false)] {
        client.call("log_text", json!({"bytes": bytes})).await;
        client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
        let first = client.next_message().await.unwrap();
        assert_eq!(first["method"] == "notifications/message", is_sent);
        if is_sent {
            client.next_message().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ended_call_sends_no_log_message() {
    let client = TestClient::new(&server()).await;
    assert_eq!(client.call("log_late", json!({})).await.text(), "answered");
    tokio::time::sleep(Duration::from_secs(2)).await;
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"no/such"}"#);
    assert_eq!(client.next_message().await.unwrap()["id"], "end");
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ElicitForm)]
struct Seat {
    /// Counted from the front.
    #[garde(range(min = 1, max = 30))]
    row: u8,
    #[serde(default)]
    #[garde(length(max = 2))]
    meals: Vec<Meal>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, ToolArgs)]
enum Meal {
    Soup,
    Salad,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
struct Kind {
    #[garde(skip)]
    kind: String,
}

/// Asks the questions of its arguments.
#[tool]
async fn ask(args: Kind, client: Client) -> Result<String, ToolError> {
    Ok(match &*args.kind {
        "form" => format!("{:?}", client.elicit::<Seat>("Which seat?").await?),
        "url" => format!(
            "{:?}",
            client
                .elicit_url("Log in.", "https://example.com/17")
                .await?
        ),
        "sample" => client.sample(SampleRequest::new("Hello", 10)).await?.text(),
        _ => {
            let roots = client.roots().await?;
            roots
                .into_iter()
                .map(|root| root.uri)
                .collect::<Vec<_>>()
                .join(" ")
        }
    })
}

/// Calls `ask` as a modern client that answers in order; returns the text and
/// what the client was asked. The questions of the legacy era are tested in
/// `server/asking.rs`.
async fn ask_of(kind: &str, answers: Vec<Answer>) -> (String, Vec<Asked>) {
    let server = Server::builder("asking", "1.0.0").tool::<ask>();
    let server = server.build().unwrap();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .answers(answers)
        .connect()
        .await;
    let result = client.call("ask", json!({"kind": kind})).await;
    (result.text().to_owned(), client.asked())
}

#[tokio::test]
async fn form_is_answered() {
    let accepted = json!({"row": 4, "meals": ["Soup", "Salad"]});
    for (answer, text) in [
        (
            Answer::accept(accepted),
            "Accepted(Seat { row: 4, meals: [Soup, Salad] })",
        ),
        (
            Answer::accept(json!({"row": 4})),
            "Accepted(Seat { row: 4, meals: [] })",
        ),
        (Answer::decline(), "Declined"),
        (Answer::cancel(), "Cancelled"),
    ] {
        let (answered, asked) = ask_of("form", vec![answer]).await;
        assert_eq!(answered, text);
        let [asked] = &*asked else {
            panic!("{asked:?}");
        };
        assert_eq!(asked.method(), "elicitation/create");
        assert_eq!(asked.message(), "Which seat?");
        assert_eq!(asked.params()["mode"], "form");
        let row = &asked.params()["requestedSchema"]["properties"]["row"];
        assert_eq!(row["maximum"], 30);
    }
}

#[tokio::test]
async fn form_is_asked_in_the_order_of_the_structs_fields() {
    let server = Server::builder("asking", "1.0.0").tool::<ask>();
    let server = server.build().unwrap();
    for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
        let client = TestClient::builder(&server).version(version);
        let client = client.answers([Answer::decline()]).connect().await;
        client.call("ask", json!({"kind": "form"})).await;
        assert_eq!(client.asked()[0].fields(), ["row", "meals"], "{version}");
    }
}

#[tokio::test]
async fn wrong_answer_is_asked_again_with_the_report() {
    let answers = [31, 30].map(|row| Answer::accept(json!({"row": row})));
    let (text, asked) = ask_of("form", answers.into()).await;
    assert_eq!(text, "Accepted(Seat { row: 30, meals: [] })");
    let messages: Vec<_> = asked.iter().map(Asked::message).collect();
    let again = "Which seat?\n\nThe last answer was refused: row: must be at most 30.";
    assert_eq!(messages, ["Which seat?", again]);
}

#[tokio::test]
async fn url_is_opened() {
    let (text, asked) = ask_of("url", vec![Answer::open()]).await;
    assert_eq!(text, "Accepted(())");
    let params = asked[0].params();
    assert_eq!(params["mode"], "url");
    assert_eq!(params["url"], "https://example.com/17");
    // Only the versions with a completion notification have one.
    assert_eq!(params.get("elicitationId"), None);
}

#[tokio::test]
async fn model_and_roots_are_asked() {
    let (text, asked) = ask_of("sample", vec![Answer::sample("Hi")]).await;
    assert_eq!(text, "Hi");
    assert_eq!(asked[0].method(), "sampling/createMessage");
    assert_eq!(asked[0].params()["maxTokens"], 10);
    let roots = vec![Answer::roots(["file:///a", "file:///b"])];
    let (text, asked) = ask_of("roots", roots).await;
    assert_eq!(text, "file:///a file:///b");
    assert_eq!(asked[0].method(), "roots/list");
}
