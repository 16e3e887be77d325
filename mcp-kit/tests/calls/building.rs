//! What `build()` refuses, and what `warnings()` finds.

use std::time::Duration;

use mcp_kit::call::Call;
use mcp_kit::prelude::*;
use mcp_kit::prompt::{PromptArgument, PromptDefinition, from_fn as prompt_from_fn};
use mcp_kit::resource::{ResourceDefinition, from_fn as resource_from_fn};
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::TestClient;
use mcp_kit::tool::{ToolDefinition, from_fn};
use serde_json::json;

#[derive(Clone)]
struct Vault;

/// Opens the vault.
#[tool]
async fn open(State(_): State<Vault>, State(_): State<u32>) {}

/// Closes the vault.
#[tool]
async fn close() {}

fn builder() -> ServerBuilder {
    Server::builder("test", "1")
}

fn named(name: &'static str) -> impl mcp_kit::tool::Tool {
    from_fn(ToolDefinition::new(name, "A tool."), |_: Call| async {
        "x"
    })
}

#[track_caller]
fn problems(builder: ServerBuilder) -> Vec<String> {
    match builder.build() {
        Ok(_) => panic!("the server was built"),
        Err(error) => error.problems().to_vec(),
    }
}

#[track_caller]
fn only(problems: &[String]) -> &str {
    let [problem] = problems else {
        panic!("{problems:#?}");
    };
    problem
}

#[test]
fn every_missing_state_is_reported_at_once() {
    let found = problems(builder().tool::<open>());
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].contains("\"open\" needs State<calls::building::Vault>"),
        "{}",
        found[0]
    );
    assert!(found[0].contains(".state("), "{}", found[0]);
    assert!(found[1].contains("State<u32>"), "{}", found[1]);
    builder()
        .state(Vault)
        .state(1_u32)
        .tool::<open>()
        .build()
        .unwrap();
}

#[test]
fn a_doubled_state_is_refused() {
    let found = problems(builder().state(1_u32).state(2_u32));
    assert!(only(&found).contains("`u32` was added twice"), "{found:?}");
}

#[test]
fn names_must_be_valid_and_differ() {
    let found = problems(builder().tool::<close>().add(named("close")));
    assert!(
        only(&found).contains("two tools are named \"close\""),
        "{found:?}"
    );
    for name in ["", "has space", "schlüssel", &"x".repeat(65)] {
        let name: &'static str = name.to_owned().leak();
        let found = problems(builder().add(named(name)));
        assert!(
            only(&found).contains("is not a valid tool name"),
            "{found:?}"
        );
    }
    builder().add(named("a.b-c_1")).build().unwrap();
}

#[test]
fn bounds_that_cannot_work_are_refused() {
    let found = problems(builder().limits(|limits| {
        limits.calls_per_connection = 0;
        limits.call_time = Duration::ZERO;
    }));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("calls_per_connection"));
    assert!(found[1].contains("call_time"));
}

#[test]
fn a_description_is_needed() {
    let tool = from_fn(ToolDefinition::new("mute", " "), |_: Call| async { "x" });
    let found = problems(builder().add(tool));
    assert!(
        only(&found).contains("\"mute\" has no description"),
        "{found:?}"
    );
}

#[test]
fn the_error_reads_as_a_list() {
    let error = builder().tool::<open>().build().unwrap_err().to_string();
    assert!(
        error.starts_with("the server cannot be built:\n  - tool \"open\""),
        "{error}"
    );
}

/// Finds entries in the catalogue, best first.
#[tool(read_only, open_world = false)]
async fn find() {}

#[test]
fn a_server_that_serves_models_well_has_no_warnings() {
    let server = builder().tool::<find>().build().unwrap();
    assert_eq!(server.warnings(), []);
}

#[test]
fn warnings_say_what_to_do() {
    let definition = ToolDefinition::new("Do.It", "Do \u{200b}it.")
        .with_read_only(true)
        .with_destructive(true)
        .with_timeout(Duration::from_secs(90))
        .with_input_schema(json!({
            "type": "object",
            "properties": {"what": {"type": "string"}, "why": {"type": "string", "description": "Why."}}
        }));
    let server = builder()
        .add(from_fn(definition, |_: Call| async { "x" }))
        .add(named("do_it"))
        .build()
        .unwrap();
    let found: Vec<String> = server
        .warnings()
        .iter()
        .filter(|warning| warning.tool() == Some("Do.It"))
        .map(ToString::to_string)
        .collect();
    for expected in [
        "dot",
        "too short",
        "invisible",
        "both read_only and destructive",
        "open_world",
        "\"what\" has no description",
        "over 60 s",
    ] {
        assert!(
            found.iter().any(|text| text.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 7, "{found:#?}");
    let server: Vec<_> = server
        .warnings()
        .into_iter()
        .filter(|warning| warning.tool().is_none())
        .collect();
    assert!(server[0].to_string().contains("mix styles"), "{server:?}");
}

/// Prepares a review.
#[prompt(title = "Re\u{200b}view")]
async fn start_review() -> &'static str {
    "Review it."
}

/// Ends a review.
#[prompt]
async fn end_review() -> &'static str {
    "It is reviewed."
}

#[test]
fn warnings_cover_prompts_and_resources() {
    let argument = PromptArgument::new("what").with_description("What\u{202e}.");
    let definition = PromptDefinition::new("end-it", "Ends it.").with_argument(argument);
    let rules = ResourceDefinition::new("review://rules", "rules");
    let server = builder()
        .prompt::<start_review>()
        .prompt::<end_review>()
        .add(resource_from_fn(rules, async |_: Call| "Be kind."))
        .add(prompt_from_fn(definition, async |_: Call| "It has ended."))
        .build()
        .unwrap();
    let found: Vec<_> = server.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "prompt \"start_review\": its title holds invisible characters; hosts may take it for an attack, so remove them (hidden-characters)",
            "prompt \"end-it\": the description of its argument \"what\" holds invisible characters; hosts may take it for an attack, so remove them (hidden-characters)",
            "resource \"review://rules\": it has no description, by which people and models choose it; set one with .with_description(…) (short-description)",
            "the names of prompts mix styles (\"start_review\", \"end-it\"); models and people guess names, so keep to one (mixed-names)",
        ]
    );
}

#[tokio::test]
async fn a_long_list_comes_in_pages_and_each_tool_once() {
    let mut builder = builder().limits(|limits| limits.page_items = 2);
    for name in ["one", "two", "three", "four", "five"] {
        builder = builder.add(named(name));
    }
    let server = builder.build().unwrap();
    for client in [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ] {
        let mut pages = Vec::new();
        let mut params = json!({});
        loop {
            let page = client.request("tools/list", params).await.unwrap();
            let names = page["tools"].as_array().unwrap().iter();
            pages.push(names.map(|tool| tool["name"].clone()).collect::<Vec<_>>());
            match &page["nextCursor"] {
                cursor if cursor.is_string() => params = json!({ "cursor": cursor }),
                _ => break,
            }
        }
        assert_eq!(
            json!(pages),
            json!([["one", "two"], ["three", "four"], ["five"]])
        );
    }
}
