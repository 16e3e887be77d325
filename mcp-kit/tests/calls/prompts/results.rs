//! What prompts return.

use super::*;

/// One message of the model.
#[prompt]
async fn prefilled() -> PromptMessage {
    PromptMessage::assistant("I begin.")
}

/// Two messages.
#[prompt]
async fn dialogue() -> Vec<PromptMessage> {
    vec![
        PromptMessage::user("Question?"),
        PromptMessage::assistant("Answer."),
    ]
}

/// A block.
#[prompt]
async fn block() -> Text {
    Text::new("a block")
}

/// Messages with a description, or a failure.
#[prompt]
async fn described() -> Result<PromptResult, Error> {
    Ok(PromptResult::new(vec![PromptMessage::user("text")]).with_description("described"))
}

/// Runs on the blocking pool.
#[prompt(blocking)]
fn on_a_thread(caller: Principal) -> String {
    format!("for {}", caller.name())
}

#[tokio::test]
async fn prompt_returns_texts_messages_and_results() {
    let server = Server::builder("test", "1")
        .prompt::<fixed>()
        .prompt::<prefilled>()
        .prompt::<dialogue>()
        .prompt::<block>()
        .prompt::<described>()
        .prompt::<on_a_thread>()
        .build()
        .unwrap();
    let client = TestClient::modern(&server).await;
    for (name, roles, text) in [
        ("fixed", &["user"][..], "fixed"),
        ("prefilled", &["assistant"], "I begin."),
        ("dialogue", &["user", "assistant"], "Question?\nAnswer."),
        ("block", &["user"], "a block"),
        ("described", &["user"], "text"),
        ("on_a_thread", &["user"], "for local"),
    ] {
        let result = client.get_prompt(name, Value::Null).await;
        let spoken: Vec<_> = result
            .messages()
            .iter()
            .map(|message| &message["role"])
            .collect();
        assert_eq!(spoken, roles, "{name}");
        assert_eq!(result.text(), text);
        assert_eq!(
            result.description(),
            (name == "described").then_some("described")
        );
        assert_eq!(result.json()["resultType"], "complete");
    }
}
