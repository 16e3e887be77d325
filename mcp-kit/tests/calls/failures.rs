//! What of a failure the client sees, and what the log has.

use std::error::Error;
use std::fmt;

use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::Level;

use crate::log::{Log, panic_at};

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot open the vault")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("password hunter2 was refused")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Inner {}

/// Fails with an error of its own.
#[tool]
async fn fails() -> Result<String, ToolError> {
    Err(Outer(Inner))?
}

/// Fails with a message in place of the error.
#[tool]
async fn fails_politely() -> Result<String, ToolError> {
    Err(Outer(Inner)).or_user("The vault is closed. Try again tomorrow.")
}

/// Refuses.
#[tool]
async fn refuses() -> Result<String, ToolError> {
    let left = 3;
    Err(user_error!("Only {left} are left."))
}

/// Panics.
#[tool]
async fn panics() -> String {
    panic!("the password is hunter2")
}

/// Panics on the blocking pool.
#[tool(blocking)]
fn panics_blocking() -> String {
    panic!("the password is hunter2")
}

fn server() -> Server {
    Server::builder("test", "1")
        .tool::<fails>()
        .tool::<fails_politely>()
        .tool::<refuses>()
        .tool::<panics>()
        .tool::<panics_blocking>()
        .build()
        .unwrap()
}

/// The reference in an answer that shows nothing else.
#[track_caller]
fn reference(text: &str) -> &str {
    text.strip_prefix("An internal error occurred (reference ")
        .and_then(|rest| rest.strip_suffix("). The issue has been logged."))
        .unwrap_or_else(|| panic!("{text}"))
}

#[tokio::test]
async fn an_internal_error_is_a_reference_to_the_client_and_a_chain_in_the_log() {
    let log = Log::capture();
    let client = TestClient::new(&server()).await;
    let result = client.call("fails", json!({})).await;
    assert!(result.is_error());
    let text = result.text();
    let line = log.call("fails");
    assert_eq!(line.level, Level::ERROR);
    assert_eq!(line.get("outcome"), "internal_error");
    assert_eq!(line.get("principal"), "local");
    assert_eq!(line.get("reference"), reference(&text));
    assert_eq!(
        line.get("error"),
        "cannot open the vault: password hunter2 was refused"
    );
    let again = client.call("fails", json!({})).await;
    assert_ne!(reference(&again.text()), reference(&text));
}

#[tokio::test]
async fn a_message_by_hand_replaces_the_error_and_the_log_keeps_it() {
    let log = Log::capture();
    let client = TestClient::new(&server()).await;
    let result = client.call("fails_politely", json!({})).await;
    assert!(result.is_error());
    assert_eq!(result.text(), "The vault is closed. Try again tomorrow.");
    let line = log.call("fails_politely");
    assert_eq!(line.get("outcome"), "user_error");
    assert!(line.get("error").contains("hunter2"));

    let result = client.call("refuses", json!({})).await;
    assert!(result.is_error());
    assert_eq!(result.text(), "Only 3 are left.");
    assert_eq!(log.call("refuses").level, Level::INFO);
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let log = Log::capture();
    let client = TestClient::new(&server()).await;
    for tool in ["panics", "panics_blocking"] {
        let result = client.call(tool, json!({})).await;
        assert!(result.is_error());
        let text = result.text();
        let line = log.call(tool);
        assert_eq!(line.level, Level::ERROR);
        assert_eq!(line.get("outcome"), "panic");
        assert_eq!(line.get("reference"), reference(&text));
        assert!(
            line.get("error").contains("the password is hunter2"),
            "{line:?}"
        );
    }
    assert_eq!(
        client.call("refuses", json!({})).await.text(),
        "Only 3 are left."
    );
}

#[tokio::test]
async fn without_the_call_log_a_reference_still_has_its_line() {
    let log = Log::capture();
    let server = Server::builder("test", "1")
        .without_call_log()
        .tool::<fails>()
        .tool::<refuses>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let text = client.call("fails", json!({})).await.text();
    assert_eq!(log.call("fails").get("reference"), reference(&text));
    client.call("refuses", json!({})).await;
    assert!(log.calls("refuses").is_empty());
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Credentials {
    /// Whose.
    #[garde(length(chars, max = 20))]
    user: String,
    /// How often.
    #[serde(default)]
    #[garde(range(max = 3))]
    attempts: u8,
    /// In what way.
    #[serde(default)]
    #[garde(dive)]
    how: Option<How>,
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct How {
    /// The key.
    #[garde(ascii)]
    key: String,
}

/// Logs in.
#[tool]
async fn log_in(credentials: Credentials) -> String {
    let Credentials {
        user,
        attempts,
        how,
    } = credentials;
    let length = user.len() + usize::from(attempts) + how.map_or(0, |how| how.key.len());
    length.to_string()
}

#[tokio::test]
async fn no_value_of_an_argument_is_logged_at_any_level_or_repeated_in_a_refusal() {
    const SECRET: &str = "hunter2";
    let log = Log::capture();
    let server = Server::builder("test", "1")
        .tool::<log_in>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let good = client
        .call("log_in", json!({"user": SECRET, "how": {"key": SECRET}}))
        .await;
    assert!(!good.is_error());
    let refused = [
        json!({"user": format!("{SECRET} {}", "x".repeat(30))}),
        json!({"user": SECRET, "attempts": SECRET}),
        json!({"user": {"name": SECRET}}),
        json!({"user": [SECRET], "attempts": 9}),
        json!({"user": SECRET, "how": SECRET}),
        json!({"user": SECRET, "how": {"key": format!("{SECRET}é")}}),
        json!({"user": SECRET, "how": {"key": SECRET, "more": SECRET}}),
        json!({"user": SECRET, "password": SECRET}),
    ];
    for arguments in refused {
        let result = client.call("log_in", arguments.clone()).await;
        assert!(result.is_error(), "{arguments}");
        assert!(
            !result.json().to_string().contains(SECRET),
            "{arguments}: {}",
            result.json()
        );
    }
    for line in [
        format!(
            r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{{"name":"log_in","arguments":"{SECRET}"}}}}"#
        ),
        format!(r#"{{"jsonrpc":"2.0","id":"b","method":"tools/call","params":["{SECRET}"]}}"#),
        format!(
            r#"{{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{{"name":"log_in","arguments":{{"user":"{SECRET}"#
        ),
    ] {
        client.send_line(line.clone());
        let answer = client.next_message().await.unwrap();
        assert!(answer["error"]["code"].is_i64(), "{answer}");
        assert!(!answer.to_string().contains(SECRET), "{line}: {answer}");
    }
    // A name that the client made up is in its answer, and only counted in the log.
    let result = client.call("log_in", json!({"user": "x", SECRET: 1})).await;
    assert!(result.text().contains(SECRET), "{}", result.text());
    client.close().await;

    let lines = log.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.get("unknown_arguments") == "1"),
        "{lines:#?}"
    );
    for line in lines {
        assert!(!format!("{line:?}").contains(SECRET), "{line:#?}");
    }
}

#[tokio::test]
async fn a_line_names_what_an_operator_asks_for() {
    let log = Log::capture();
    let server = Server::builder("test", "1")
        .tool::<log_in>()
        .build()
        .unwrap();
    let client = TestClient::builder(&server)
        .principal(Principal::unrestricted("ada"))
        .connect()
        .await;
    client
        .call("log_in", json!({"attempts": 1, "user": "x"}))
        .await;
    let line = log.call("log_in");
    assert_eq!(line.level, Level::INFO);
    assert_eq!(line.target, "mcp_kit::call");
    assert_eq!(line.get("principal"), "ada");
    assert_eq!(line.get("outcome"), "ok");
    assert_eq!(line.get("arguments"), "attempts,user");
    assert!(line.get("duration_ms").parse::<f64>().unwrap() >= 0.0);
    assert!(!line.fields.contains_key("reference"));
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_a_protocol_error() {
    let client = TestClient::new(&server()).await;
    let error = client
        .call("fail", Value::Null)
        .outcome()
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "Unknown tool: fail (-32602)");
}

/// Panics, is cancelled or ends well, whatever the subscriber does.
#[tokio::test]
async fn a_subscriber_that_panics_keeps_no_client_from_an_answer() {
    let _log = Log::capture();
    for at in ["new_span", "enter", "exit", "close", "event", "anything"] {
        let client = TestClient::new(&server()).await;
        panic_at(at);
        for tool in ["fails", "panics", "panics_blocking", "fails_politely"] {
            let result = client.call(tool, json!({})).await;
            assert!(result.is_error(), "{at}: {tool}: {}", result.text());
            assert!(
                !result.text().contains("hunter2"),
                "{at}: {}",
                result.text()
            );
        }
        let refused = client.call("refuses", json!({"unknown": 1})).await;
        assert!(refused.is_error(), "{at}");
        panic_at("");
        let result = client.call("refuses", json!({})).await;
        assert_eq!(result.text(), "Only 3 are left.", "{at}");
    }
}
