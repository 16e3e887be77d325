//! Mistakes and warnings: what `build()` reports about prompts.

use super::*;

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(allow_unvalidated)]
struct Structured {
    /// Some names.
    names: Vec<String>,
    /// A range.
    range: Option<Range>,
    /// A number.
    number: Option<f64>,
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
#[garde(allow_unvalidated)]
struct Range {
    from: u8,
}

/// Takes what no client can send.
#[prompt]
async fn structured(args: Structured) -> String {
    let from = args.range.map(|range| range.from);
    format!("{:?} {from:?} {:?}", args.names, args.number)
}

/// Needs a state.
#[prompt]
async fn stateful(State(text): State<String>) -> String {
    text
}

#[test]
fn build_reports_what_is_wrong_with_a_prompt() {
    let none = || from_fn(PromptDefinition::new("no name", " "), async |_: Call| "");
    let doubled = PromptDefinition::new("doubled", "Has an argument twice.")
        .with_argument(PromptArgument::new("text"))
        .with_argument(PromptArgument::new("text"));
    let built = Server::builder("test", "1")
        .prompt::<structured>()
        .prompt::<stateful>()
        .prompt::<fixed>()
        .prompt_with::<fixed>(|prompt| prompt.timeout(Duration::ZERO))
        .add(none())
        .add(Registration::of_prompt(from_fn(
            doubled,
            async |_: Call| "",
        )))
        .build();
    let problems = built.unwrap_err();
    let problems = BuildError::problems(&problems);
    for expected in [
        "prompt \"structured\": its argument \"names\" is a list, but the arguments of a prompt are texts",
        "prompt \"structured\": its argument \"range\" is an object, but",
        "prompt \"stateful\" needs State<",
        "two prompts are named \"fixed\"; rename one, for example with #[prompt(name = \"…\")]",
        "prompt \"fixed\": its timeout is zero",
        "\"no name\" is not a valid prompt name",
        "prompt \"no name\" has no description",
        "prompt \"doubled\": two arguments are named \"text\"",
    ] {
        let number = problems
            .iter()
            .filter(|problem| problem.contains(expected))
            .count();
        assert_eq!(number, 1, "{expected}: {problems:#?}");
    }
    assert_eq!(problems.len(), 8, "{problems:#?}");
}

/// Has a tool's name, which is another.
#[tool(read_only, open_world = false)]
async fn namesake() {}

#[tokio::test]
async fn tool_and_prompt_may_have_the_same_name() {
    let prompt = from_fn(
        PromptDefinition::new("namesake", "A prompt."),
        async |_: Call| "prompt",
    );
    let server = Server::builder("test", "1")
        .tool::<namesake>()
        .add(prompt)
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    assert_eq!(
        client.call("namesake", json!({})).await.text(),
        "(no result)"
    );
    assert_eq!(
        client.get_prompt("namesake", json!({})).await.text(),
        "prompt"
    );
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Undescribed {
    #[garde(skip)]
    what: String,
}

/// Takes 90 seconds.
#[prompt(timeout = "90s", allow(long_timeout))]
async fn slow(args: Undescribed) -> String {
    args.what
}

#[test]
fn warnings_name_the_prompt_and_can_be_accepted() {
    let build = |accept: bool| {
        let builder = Server::builder("test", "1");
        let builder = builder.prompt_with::<slow>(|prompt| match accept {
            true => prompt.accept_warning(WarningCode::UndescribedArgument),
            false => prompt,
        });
        builder.build().unwrap().warnings()
    };
    let found = build(false);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].primitive(), Some((Kind::Prompt, "slow")));
    assert_eq!(found[0].tool(), None);
    assert_eq!(
        found[0].to_string(),
        "prompt \"slow\": its argument \"what\" has no description; write a doc comment on the field (undescribed-argument)"
    );
    assert_eq!(build(true), []);
}
