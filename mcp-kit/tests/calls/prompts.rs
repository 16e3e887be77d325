//! Prompts: listed, requested and refused like every other primitive.

use mcp_kit::call::Call;
use mcp_kit::content::{Audio, EmbeddedResource, Image, ResourceLink};
use mcp_kit::prompt::{
    Prompt, PromptArgument, PromptDefinition, PromptMessage, PromptResult, from_fn,
};
use mcp_kit::testing::Client;
use mcp_kit::{Error, Server};
use serde_json::{Value, json};

/// A prompt that is known only at run time, with one required argument.
fn translate() -> impl Prompt {
    let definition = PromptDefinition::new("translate", "Translates a text.")
        .with_title("Translation")
        .with_argument(
            PromptArgument::new("text")
                .with_description("The text.")
                .with_required(true),
        )
        .with_argument(PromptArgument::new("into"));
    from_fn(definition, async |call: Call| {
        let text = |name: &str| call.arguments().get(name).and_then(Value::as_str);
        let into = text("into").unwrap_or("English");
        format!(
            "Translate into {into}: {}",
            text("text").unwrap_or("nothing")
        )
    })
}

/// One client of each era.
async fn both(server: &Server) -> [Client; 2] {
    [Client::new(server).await, Client::modern(server).await]
}

#[tokio::test]
async fn prompt_known_at_run_time_is_listed_and_answers() {
    let server = Server::builder("test", "1")
        .add(translate())
        .build()
        .unwrap();
    for client in both(&server).await {
        let list = client.request("prompts/list", json!({})).await.unwrap();
        assert_eq!(
            list["prompts"],
            json!([{
                "name": "translate",
                "title": "Translation",
                "description": "Translates a text.",
                "arguments": [
                    {"name": "text", "description": "The text.", "required": true},
                    {"name": "into", "required": false},
                ],
            }])
        );
        let params = json!({"name": "translate", "arguments": {"text": "tea", "into": "Dutch"}});
        let result = client.request("prompts/get", params).await.unwrap();
        let text = json!({"type": "text", "text": "Translate into Dutch: tea"});
        assert_eq!(
            result["messages"],
            json!([{"role": "user", "content": text}])
        );
    }
}

#[tokio::test]
async fn messages_have_content_of_every_kind() {
    let definition = PromptDefinition::new("all", "Has everything.");
    let all = from_fn(definition, async |_: Call| {
        PromptResult::new(vec![
            PromptMessage::user("text"),
            PromptMessage::assistant("an answer"),
            PromptMessage::user(Image::new(b"\x00", "image/png")),
            PromptMessage::user(Audio::new(b"\x00", "audio/wav")),
            PromptMessage::user(ResourceLink::new("file:///a", "a")),
            PromptMessage::user(EmbeddedResource::from_text("file:///b", "b")),
        ])
        .with_description("Everything")
    });
    let server = Server::builder("test", "1").add(all).build().unwrap();
    for client in both(&server).await {
        let params = json!({"name": "all"});
        let result = client.request("prompts/get", params).await.unwrap();
        assert_eq!(result["description"], "Everything");
        assert_eq!(
            result["messages"],
            json!([
                {"role": "user", "content": {"type": "text", "text": "text"}},
                {"role": "assistant", "content": {"type": "text", "text": "an answer"}},
                {"role": "user", "content": {"type": "image", "data": "AA==", "mimeType": "image/png"}},
                {"role": "user", "content": {"type": "audio", "data": "AA==", "mimeType": "audio/wav"}},
                {"role": "user", "content": {"type": "resource_link", "uri": "file:///a", "name": "a"}},
                {"role": "user", "content": {"type": "resource", "resource": {"uri": "file:///b", "text": "b"}}},
            ])
        );
    }
}

#[tokio::test]
async fn prompts_are_declared_only_if_there_are_any() {
    let without = Server::builder("test", "1").build().unwrap();
    for client in both(&without).await {
        for (method, params) in [
            ("prompts/list", json!({})),
            ("prompts/get", json!({"name": "translate"})),
        ] {
            let refused = client.request(method, params).await.unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("Method not found: {method} (-32601)")
            );
        }
    }
    let capabilities = async |server: &Server| {
        let client = Client::modern(server).await;
        let discovered = client.request("server/discover", json!({})).await.unwrap();
        discovered["capabilities"].clone()
    };
    assert!(capabilities(&without).await.get("prompts").is_none());
    without.registry().add(translate()).unwrap();
    assert_eq!(capabilities(&without).await["prompts"], json!({}));
}

#[tokio::test]
async fn prompt_refuses_unknown_names_and_arguments_as_protocol_errors() {
    let fails = from_fn(
        PromptDefinition::new("fails", "Fails with a message."),
        async |_: Call| Err::<String, _>(Error::user("There is nothing to summarise.")),
    );
    let server = Server::builder("test", "1")
        .add(translate())
        .add(fails)
        .build()
        .unwrap();
    for client in both(&server).await {
        for (params, message) in [
            (json!({"name": "other"}), "Unknown prompt: other (-32602)"),
            (
                json!({"name": "translate"}),
                "Invalid arguments: text: is required (-32602)",
            ),
            (
                json!({"name": "translate", "arguments": {"text": 5, "tone": "formal"}}),
                "Invalid arguments: text: must be a string; unknown argument \"tone\" (-32602)",
            ),
            (
                json!({"name": "fails"}),
                "There is nothing to summarise. (-32603)",
            ),
        ] {
            let refused = client.request("prompts/get", params).await.unwrap_err();
            assert_eq!(refused.to_string(), message);
        }
    }
}
