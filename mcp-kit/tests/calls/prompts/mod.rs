//! Prompts: listed, requested and refused like every other primitive.

use std::time::Duration;

use garde::Validate;
use mcp_kit::call::{Call, Reply};
use mcp_kit::content::{Audio, EmbeddedResource, Image, ResourceLink, Text};
use mcp_kit::limits::Rate;
use mcp_kit::middleware::{Next, from_fn as middleware};
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::prompt::{Prompt, PromptArgument, PromptDefinition, from_fn};
use mcp_kit::registry::{Registration, WarningCode};
use mcp_kit::server::BuildError;
use mcp_kit::testing::{RequestError, TestClient};
use mcp_kit::{Error, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::log::Log;

mod building;
mod failures;
mod results;

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
async fn both(server: &Server) -> [TestClient; 2] {
    [
        TestClient::new(server).await,
        TestClient::modern(server).await,
    ]
}

/// A plain text.
#[prompt]
async fn fixed() -> &'static str {
    "fixed"
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
        let client = TestClient::modern(server).await;
        let discovered = client.request("server/discover", json!({})).await.unwrap();
        discovered["capabilities"].clone()
    };
    assert!(capabilities(&without).await.get("prompts").is_none());
    without.registry().add(translate()).unwrap();
    let declared = json!({"listChanged": true});
    assert_eq!(capabilities(&without).await["prompts"], declared);
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

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
struct ReviewArgs {
    /// The file to review.
    #[garde(length(chars, min = 1, max = 20))]
    path: String,
    /// How strict the review is.
    #[garde(skip)]
    tone: Option<Tone>,
    /// The most remarks.
    #[serde(default = "ten")]
    #[garde(range(min = 1, max = 100))]
    max_remarks: u8,
    /// Whether to name files that are fine.
    #[serde(default)]
    #[garde(skip)]
    all: bool,
}

#[derive(Debug, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Kind,
    Strict,
}

fn ten() -> u8 {
    10
}

/// Reviews a file.
#[prompt(title = "Code review")]
async fn review(args: ReviewArgs) -> String {
    let ReviewArgs {
        path,
        tone,
        max_remarks,
        all,
    } = args;
    format!("{path} {tone:?} {max_remarks} {all}")
}

fn message(error: &RequestError) -> (i64, &str, Option<&str>) {
    match error {
        RequestError::Protocol {
            code,
            message,
            data,
        } => {
            let reason = data.as_ref().and_then(|data| data["reason"].as_str());
            (*code, message, reason)
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn arguments_of_a_struct_are_listed_in_its_order() {
    let server = Server::builder("test", "1")
        .prompt::<review>()
        .build()
        .unwrap();
    for client in both(&server).await {
        assert_eq!(
            json!(client.list_prompts().await),
            json!([{
                "name": "review",
                "title": "Code review",
                "description": "Reviews a file.",
                "arguments": [
                    {"name": "path", "description": "The file to review.", "required": true},
                    {"name": "tone", "description": "How strict the review is.", "required": false},
                    {"name": "maxRemarks", "description": "The most remarks.", "required": false},
                    {"name": "all", "description": "Whether to name files that are fine.", "required": false},
                ],
            }])
        );
    }
    let names: Vec<_> = server
        .prompts()
        .iter()
        .map(|prompt| prompt.name().to_owned())
        .collect();
    assert_eq!(names, ["review"]);
}

/// Clients send texts; the fields have types. `strict_arguments` is about tools.
#[tokio::test]
async fn texts_are_read_as_the_types_of_their_fields() {
    for strict in [false, true] {
        let mut builder = Server::builder("test", "1").prompt::<review>();
        if strict {
            builder = builder.strict_arguments();
        }
        for client in both(&builder.build().unwrap()).await {
            for (arguments, text) in [
                (json!({"path": "5"}), "5 None 10 false"),
                (
                    json!({"path": "a.rs", "tone": "strict", "maxRemarks": "3", "all": "true"}),
                    "a.rs Some(Strict) 3 true",
                ),
            ] {
                assert_eq!(client.get_prompt("review", arguments).await.text(), text);
            }
        }
    }
}

#[tokio::test]
async fn wrong_arguments_are_one_report_in_a_protocol_error() {
    let log = Log::capture();
    let server = Server::builder("test", "1")
        .prompt::<review>()
        .build()
        .unwrap();
    for client in both(&server).await {
        let arguments = json!({
            "path": "", "tone": "rude", "maxRemarks": "many", "all": "perhaps", "maxRemark": "5",
        });
        let refused = client
            .get_prompt("review", arguments)
            .outcome()
            .await
            .unwrap_err();
        let (code, text, reason) = message(&refused);
        assert_eq!((code, reason), (-32602, Some("invalid_arguments")));
        for part in [
            "Invalid arguments: ",
            "path: must have at least 1 character",
            "tone: must be \"kind\", \"strict\"",
            "maxRemarks: must be ",
            "all: must be ",
            "unknown argument \"maxRemark\" (did you mean \"maxRemarks\"?)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            !text.contains("rude") && !text.contains("perhaps"),
            "{text}"
        );
    }
    for line in log.calls("review") {
        assert_eq!(
            (line.get("kind"), line.get("outcome")),
            ("prompt", "invalid_arguments")
        );
    }
    assert_eq!(log.calls("review").len(), 2);
}

/// For administrators.
#[prompt(scope = "admin")]
async fn hidden() -> &'static str {
    "welcome"
}

#[tokio::test]
async fn prompt_without_its_scope_is_like_an_unknown_one() {
    let server = Server::builder("test", "1")
        .local_scopes(["read"])
        .prompt::<hidden>()
        .prompt::<fixed>()
        .build()
        .unwrap();
    for client in both(&server).await {
        let names = |prompts: Vec<Value>| {
            prompts
                .iter()
                .map(|prompt| prompt["name"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(client.list_prompts().await), ["fixed"]);
        let refused = async |name: &str| {
            client
                .get_prompt(name, json!({}))
                .outcome()
                .await
                .unwrap_err()
        };
        let (hidden, unknown) = (refused("hidden").await, refused("no").await);
        assert_eq!(message(&hidden), (-32602, "Unknown prompt: hidden", None));
        assert_eq!(message(&unknown), (-32602, "Unknown prompt: no", None));
    }
    let admin = Principal::new("ada", ["admin"]);
    let admin = TestClient::builder(&server)
        .principal(admin)
        .connect()
        .await;
    assert_eq!(
        admin.get_prompt("hidden", json!({})).await.text(),
        "welcome"
    );
    // What is hidden at run time has no name either.
    server.registry().hide(Kind::Prompt, "fixed").unwrap();
    let fixed = admin
        .get_prompt("fixed", json!({}))
        .outcome()
        .await
        .unwrap_err();
    assert_eq!(message(&fixed), (-32602, "Unknown prompt: fixed", None));
}

#[tokio::test]
async fn routers_middlewares_and_the_registry_hold_for_prompts() {
    let server = Server::builder("test", "1")
        .layer(middleware(async |call: Call, next: Next<'static>| {
            let (kind, name) = (call.kind(), call.name().to_owned());
            let Reply::Prompt(result) = next.run(call).await? else {
                return Err(Error::user("another kind"));
            };
            Ok(result.with_description(format!("{kind} {name}")).into())
        }))
        .nest("desk_", Router::new().prompt::<fixed>())
        .build()
        .unwrap();
    let client = TestClient::modern(&server).await;
    let result = client.get_prompt("desk_fixed", json!({})).await;
    assert_eq!(result.description(), Some("prompt desk_fixed"));

    server
        .registry()
        .update(|changes| changes.prompt::<review>())
        .unwrap();
    let names: Vec<_> = client
        .list_prompts()
        .await
        .iter()
        .map(|prompt| prompt["name"].clone())
        .collect();
    assert_eq!(names, ["desk_fixed", "review"]);
    server.registry().remove(Kind::Prompt, "review").unwrap();
    let removed = client
        .get_prompt("review", json!({}))
        .outcome()
        .await
        .unwrap_err();
    assert_eq!(message(&removed).1, "Unknown prompt: review");
}

#[tokio::test]
async fn prompts_come_in_pages() {
    let mut builder = Server::builder("test", "1").limits(|limits| limits.page_items = 2);
    for name in ["a", "b", "c"] {
        let definition = PromptDefinition::new(name, "Says nothing.");
        builder = builder.add(from_fn(definition, async |_: Call| ""));
    }
    let server = builder.build().unwrap();
    for client in both(&server).await {
        let first = client.request("prompts/list", json!({})).await.unwrap();
        assert_eq!(first["prompts"].as_array().unwrap().len(), 2);
        assert!(first["nextCursor"].is_string());
        assert_eq!(client.list_prompts().await.len(), 3);
    }
}
