//! Tools and a prompt that ask in several ways, for the scenarios of the modern
//! era, in which a question is the result of a call.

use garde::Validate;
use mcp_kit::extract::SampleRequest;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) fn register(server: ServerBuilder) -> ServerBuilder {
    server
        .tool::<test_input_required_result_elicitation>()
        .tool::<test_input_required_result_sampling>()
        .tool::<test_input_required_result_list_roots>()
        .tool::<test_input_required_result_request_state>()
        .tool::<test_input_required_result_multiple_inputs>()
        .tool::<test_input_required_result_multi_round>()
        .tool::<test_input_required_result_tampered_state>()
        .tool::<test_input_required_result_capabilities>()
        .prompt::<test_input_required_result_prompt>()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Name {
    /// The name to be greeted with.
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
}

/// Asks for the user's name, and greets.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_elicitation(client: Client) -> Result<String, ToolError> {
    let answer = client.elicit::<Name>("What is your name?").key("user_name");
    Ok(match answer.await? {
        Elicited::Accepted(Name { name }) => format!("Hello, {name}!"),
        Elicited::Declined | Elicited::Cancelled => "Hello, stranger!".to_owned(),
    })
}

/// Asks the client's model for the capital of France.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_sampling(client: Client) -> Result<String, ToolError> {
    let question = SampleRequest::new("What is the capital of France?", 100);
    let answer = client.sample(question).await?;
    Ok(format!("The model answered: {}", answer.text()))
}

/// Lists the client's roots.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_list_roots(client: Client) -> Result<String, ToolError> {
    let roots = client.roots().await?;
    let uris: Vec<_> = roots.into_iter().map(|root| root.uri).collect();
    Ok(format!("Roots: {}", uris.join(", ")))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Confirmation {
    /// Whether to go on.
    #[garde(skip)]
    ok: bool,
}

/// Asks for a confirmation.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_request_state(client: Client) -> Result<String, ToolError> {
    let answer = client.elicit::<Confirmation>("Please confirm").await?;
    Ok(match answer {
        Elicited::Accepted(Confirmation { ok: true }) => "state-ok: confirmed".to_owned(),
        _ => "state-ok: not confirmed".to_owned(),
    })
}

/// Asks for a confirmation whose state the suite changes.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_tampered_state(client: Client) -> Result<String, ToolError> {
    let answer = client.elicit::<Confirmation>("Please confirm").await?;
    Ok(format!("The user answered: {answer:?}"))
}

/// Asks the user, the model and the client at once.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_multiple_inputs(client: Client) -> Result<String, ToolError> {
    let (name, greeting, roots) = tokio::join!(
        client.elicit::<Name>("What is your name?"),
        client.sample(SampleRequest::new("Generate a greeting", 50)),
        client.roots(),
    );
    let name = match name? {
        Elicited::Accepted(Name { name }) => name,
        Elicited::Declined | Elicited::Cancelled => "stranger".to_owned(),
    };
    let (greeting, roots) = (greeting?.text(), roots?.len());
    Ok(format!("{greeting} {name} has {roots} roots."))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Color {
    /// The favorite color.
    #[garde(length(chars, min = 1, max = 100))]
    color: String,
}

/// Asks two questions, one after the other.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_multi_round(client: Client) -> Result<String, ToolError> {
    let name = client.elicit::<Name>("Step 1: What is your name?").await?;
    let color = client
        .elicit::<Color>("Step 2: What is your favorite color?")
        .await?;
    let name = name
        .accepted()
        .map_or("Nobody".to_owned(), |answer| answer.name);
    let color = color
        .accepted()
        .map_or("no color".to_owned(), |answer| answer.color);
    Ok(format!("{name} likes {color}."))
}

/// Asks whatever the client can be asked for.
#[tool(read_only, open_world = false)]
async fn test_input_required_result_capabilities(client: Client) -> Result<String, ToolError> {
    let mut answers = Vec::new();
    if client.can_sample() {
        let answer = client
            .sample(SampleRequest::new("Say something.", 50))
            .await?;
        answers.push(answer.text());
    }
    if client.can_elicit() {
        let answer = client.elicit::<Confirmation>("Go on?").await?;
        answers.push(format!("{answer:?}"));
    }
    Ok(format!("The client answered: {}", answers.join(", ")))
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Context {
    /// The context.
    #[garde(length(chars, min = 1, max = 1000))]
    context: String,
}

/// Asks for the context of the prompt.
#[prompt]
async fn test_input_required_result_prompt(client: Client) -> Result<String, mcp_kit::Error> {
    let answer = client
        .elicit::<Context>("What context should the prompt use?")
        .await?;
    let context = answer
        .accepted()
        .map_or("none".to_owned(), |answer| answer.context);
    Ok(format!("Use this context: {context}"))
}
