//! Completion of prompts' arguments and templates' variables.

use garde::Validate;
use mcp_kit::completion::{CompletionRequest, Completions};
use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use mcp_kit::{Error, Server};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// A tone of voice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Formal,
    Friendly,
    Casual,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[expect(dead_code, reason = "shown by its `Debug`")]
struct Greeting {
    /// The name.
    #[garde(length(chars, min = 1, max = 40))]
    name: String,
    /// The team.
    #[garde(skip)]
    team: Option<String>,
    /// The tone.
    #[garde(skip)]
    #[tool_args(opaque)]
    tone: Option<Tone>,
    /// Whether to shout.
    #[garde(skip)]
    loud: Option<bool>,
    /// Free words.
    #[garde(skip)]
    words: Option<String>,
}

/// Greets a person.
#[prompt]
async fn greet(greeting: Greeting) -> String {
    format!("{greeting:?}")
}

/// Has no arguments.
#[prompt]
async fn plain() -> &'static str {
    "plain"
}

/// Is hidden from callers without the scope.
#[prompt(scope = "admin")]
async fn secret(greeting: Greeting) -> String {
    format!("{greeting:?}")
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[expect(dead_code, reason = "shown by its `Debug`")]
struct Note {
    /// The owner.
    #[garde(skip)]
    owner: String,
    /// The number.
    #[garde(skip)]
    id: u32,
}

/// A note.
#[resource(uri = "note://{owner}/{id}")]
async fn note(note: Note) -> String {
    format!("{note:?}")
}

#[derive(Clone)]
struct People(&'static [&'static str]);

async fn names(request: CompletionRequest, State(people): State<People>) -> Vec<String> {
    let team = request.argument("team").unwrap_or("a");
    let names = people.0.iter().filter(|name| name.starts_with(team));
    let names = names.filter(|name| name.starts_with(request.value()));
    names.map(|name| (*name).to_owned()).collect()
}

async fn many() -> Completions {
    Completions::new((0..150).map(|number| number.to_string()).collect())
}

async fn owners(request: CompletionRequest) -> Result<Vec<&'static str>, Error> {
    match request.value() {
        "!" => Err(Error::internal("postgres://admin:hunter2@db")),
        "?" => panic!("hunter2"),
        _ => Ok(vec!["alice", "bob"]),
    }
}

fn server() -> Server {
    Server::builder("test", "1")
        .state(People(&["ada", "alan", "alice", "bea"]))
        .local_scopes([""; 0])
        .prompt_with::<greet>(|prompt| prompt.complete("name", names).complete("words", many))
        .prompt::<plain>()
        .prompt::<secret>()
        .resource_with::<note>(|note| note.complete("owner", owners))
        .build()
        .unwrap()
}

fn of_prompt(name: &str, argument: &str, value: &str) -> Value {
    json!({
        "ref": {"type": "ref/prompt", "name": name},
        "argument": {"name": argument, "value": value},
    })
}

fn of_template(uri: &str, argument: &str, value: &str) -> Value {
    json!({
        "ref": {"type": "ref/resource", "uri": uri},
        "argument": {"name": argument, "value": value},
    })
}

async fn both(server: &Server) -> [TestClient; 2] {
    [
        TestClient::new(server).await,
        TestClient::modern(server).await,
    ]
}

#[tokio::test]
async fn enums_and_booleans_complete_by_themselves() {
    for client in both(&server()).await {
        for (argument, value, expected) in [
            ("tone", "", json!(["formal", "friendly", "casual"])),
            ("tone", "F", json!(["formal", "friendly"])),
            ("tone", "x", json!([])),
            ("loud", "t", json!(["true"])),
            ("team", "a", json!([])),
        ] {
            let params = of_prompt("greet", argument, value);
            let result = client.request("completion/complete", params).await.unwrap();
            assert_eq!(result["completion"]["values"], expected, "{argument}");
            assert_eq!(result["completion"]["hasMore"], false);
        }
    }
}

#[tokio::test]
async fn function_gets_the_state_and_the_other_arguments() {
    for client in both(&server()).await {
        let result = client
            .complete_prompt("greet", "name", "al", json!({}))
            .await;
        let completion = json!({"values": ["alan", "alice"], "total": 2, "hasMore": false});
        assert_eq!(result.unwrap(), completion);
        let chosen = json!({"team": "ali"});
        let result = client.complete_prompt("greet", "name", "al", chosen).await;
        assert_eq!(result.unwrap()["values"], json!(["alice"]));
        let template = "note://{owner}/{id}";
        let result = client
            .complete_resource(template, "owner", "a", json!({}))
            .await;
        assert_eq!(result.unwrap()["values"], json!(["alice", "bob"]));
    }
}

#[tokio::test]
async fn client_gets_at_most_a_hundred_values() {
    let client = TestClient::modern(&server()).await;
    let params = of_prompt("greet", "words", "");
    let result = client.request("completion/complete", params).await.unwrap();
    let completion = &result["completion"];
    assert_eq!(completion["values"].as_array().unwrap().len(), 100);
    assert_eq!(
        (&completion["total"], &completion["hasMore"]),
        (&json!(150), &json!(true))
    );
    assert_eq!(result["resultType"], "complete");
}

#[tokio::test]
async fn unknown_and_hidden_are_answered_alike() {
    let server = server();
    for client in both(&server).await {
        let mut answers = Vec::new();
        for name in ["secret", "sesame"] {
            let params = of_prompt(name, "name", "a");
            let error = client
                .request("completion/complete", params)
                .await
                .unwrap_err();
            answers.push((error.code(), error.to_string().replace(name, "…")));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].0, Some(-32602));
    }
    let admin = TestClient::builder(&server)
        .principal(Principal::new("root", ["admin"]))
        .connect()
        .await;
    let params = of_prompt("secret", "tone", "c");
    let result = admin.request("completion/complete", params).await.unwrap();
    assert_eq!(result["completion"]["values"], json!(["casual"]));
}

#[tokio::test]
async fn wrong_requests_are_refused_with_words() {
    let client = TestClient::new(&server()).await;
    let refusal = async |params: Value| {
        let error = client
            .request("completion/complete", params)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(-32602), "{error}");
        error.to_string()
    };
    let text = refusal(of_prompt("greet", "nam", "a")).await;
    assert!(
        text.contains("the arguments are name, team, tone, loud, words"),
        "{text}"
    );
    let text = refusal(of_prompt("plain", "name", "a")).await;
    assert!(text.contains("Unknown argument \"name\""), "{text}");
    let text = refusal(of_template("note://alice/1", "owner", "a")).await;
    assert!(text.contains("Unknown resource template"), "{text}");
    for params in [
        json!({}),
        json!({"ref": ["ref/prompt", "greet"], "argument": {"name": "name", "value": ""}}),
        json!({"ref": {"type": "ref/tool", "name": "greet"}, "argument": {"name": "name", "value": ""}}),
        json!({"ref": {"type": "ref/prompt", "name": "greet"}}),
        json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": 1}}),
        json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": ""},
            "context": {"arguments": {"team": 1}}}),
    ] {
        assert!(refusal(params).await.contains("Invalid params"));
    }
}

#[tokio::test]
async fn failures_keep_their_source_from_the_client() {
    let client = TestClient::modern(&server()).await;
    for value in ["!", "?"] {
        let params = of_template("note://{owner}/{id}", "owner", value);
        let error = client
            .request("completion/complete", params)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(-32603));
        let text = error.to_string();
        assert!(
            text.contains("reference") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn capability_is_declared_if_anything_completes() {
    let client = TestClient::modern(&server()).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert!(discovered["capabilities"].get("completions").is_some());
    let without = Server::builder("test", "1")
        .prompt::<plain>()
        .build()
        .unwrap();
    let client = TestClient::modern(&without).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert!(discovered["capabilities"].get("completions").is_none());
    let error = client
        .request("completion/complete", of_prompt("plain", "name", "a"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(-32601));
}

#[test]
fn completing_what_is_not_declared_is_an_error_of_build() {
    /// A report.
    #[tool]
    async fn report() -> &'static str {
        ""
    }

    let build = Server::builder("test", "1")
        .prompt_with::<greet>(|prompt| prompt.complete("nmae", many))
        .tool_with::<report>(|tool| tool.complete("name", owners))
        .build();
    assert_eq!(
        build.unwrap_err().problems(),
        [
            "prompt \"greet\" completes \"nmae\", which is not one of its arguments (name, team, tone, loud, words)",
            "tool \"report\" completes \"name\"; only prompts and resource templates have completion",
        ]
    );
}
