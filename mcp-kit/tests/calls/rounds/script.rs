//! Clients with a script of answers, in both eras.

use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::Answer;

use super::super::log::Log;
use super::*;

/// Asks for a topic.
#[prompt]
async fn write_about(client: Client) -> Result<String, ToolError> {
    Ok(format!("Write about {}.", ask(&client, "topic").await?))
}

#[tokio::test]
async fn a_prompt_asks_like_a_tool_and_a_script_answers_in_both_eras() {
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::V2025_11_25] {
        let server = builder().add(in_sequence()).prompt::<write_about>().build();
        let server = server.unwrap();
        let client = TestClient::builder(&server)
            .version(version)
            .answers([1, 2, 3].map(|n| Answer::accept(json!({"n": n}))))
            .connect()
            .await;
        let prompt = client.request("prompts/get", json!({"name": "write_about"}));
        let prompt = prompt.await.unwrap();
        let text = &prompt["messages"][0]["content"]["text"];
        assert_eq!(text, "Write about 1.");
        let result = client.call("in_sequence", json!({})).await;
        assert_eq!(result.text(), "2 3");
        let asked = client.asked();
        let messages: Vec<_> = asked.iter().map(|asked| asked.message()).collect();
        assert_eq!(messages, ["topic", "one", "two"]);
        assert_eq!(asked[0].method(), "elicitation/create");
    }
}

#[tokio::test]
async fn a_prompt_without_the_capability_is_a_protocol_error() {
    let server = builder().prompt::<write_about>().build().unwrap();
    let client = TestClient::modern(&server).await;
    let prompt = client.request("prompts/get", json!({"name": "write_about"}));
    assert_eq!(prompt.await.unwrap_err().code(), Some(-32021));
}

#[tokio::test]
async fn an_answer_that_is_an_error_fails_the_call_before_2026_07_28() {
    let server = builder().add(in_sequence()).build().unwrap();
    let client = TestClient::builder(&server)
        .answer_with(|_| Answer::error(-32603, "no user is here"))
        .connect()
        .await;
    let result = client.call("in_sequence", json!({})).await;
    assert!(result.is_error(), "{}", result.text());
    assert_eq!(client.asked().len(), 1);
}

#[tokio::test]
async fn the_log_has_a_line_for_each_round_with_the_logical_call() {
    let log = Log::capture();
    let server = builder().add(in_sequence()).build().unwrap();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .answers([1, 2].map(|n| Answer::accept(json!({"n": n}))))
        .connect()
        .await;
    assert_eq!(client.call("in_sequence", json!({})).await.text(), "1 2");
    let lines = log.calls("in_sequence");
    let outcomes: Vec<_> = lines.iter().map(|line| line.get("outcome")).collect();
    assert_eq!(outcomes, ["input_required", "input_required", "ok"]);
    let id = lines[0].get("logical_call");
    assert!(id.len() >= 16, "{id:?}");
    assert!(lines.iter().all(|line| line.get("logical_call") == id));
}
