//! The sealed state that a client carries from one round to the next: what makes
//! it invalid, and its limits.

use std::time::{Duration, SystemTime};

use super::*;

#[derive(Deserialize, JsonSchema, Validate, ElicitForm)]
#[allow(dead_code, reason = "only its length matters")]
struct Text {
    #[garde(length(chars, max = 10_000))]
    text: String,
}

/// Answers at once.
#[tool]
async fn plain() -> &'static str {
    "plain"
}

#[tokio::test]
async fn states_that_are_not_valid_are_refused_before_the_handler_runs() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let counting = asking("counting", move |client| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { Ok(ask(&client, "one").await?.to_string()) }
    });
    let server = builder().add(counting).add(in_sequence()).tool::<plain>();
    let server = server.build().unwrap();
    let alice = Modern::as_caller(&server, "alice").await;
    let first = alice.begin("counting").await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let answers = || again(&first, first.answers(1));
    let call = json!({"name": "counting"});

    let mut forged = first.state.clone().into_bytes();
    forged[40] = if forged[40] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for state in [
        json!(forged),
        json!(""),
        json!("x".repeat(200_000)),
        json!(7),
    ] {
        let mut more = answers();
        more["requestState"] = state;
        refused(alice.send(call.clone(), more).await, "\"requestState\"");
    }
    let bob = Modern::as_caller(&server, "bob").await;
    refused(bob.send(call.clone(), answers()).await, "another caller");
    let other_tool = json!({"name": "in_sequence"});
    refused(alice.send(other_tool, answers()).await, "another request");
    // Nor is it one of a tool that never asks.
    let plain = json!({"name": "plain"});
    refused(alice.send(plain, answers()).await, "another request");
    let other_arguments = json!({"name": "counting", "arguments": {"x": 1}});
    refused(
        alice.send(other_arguments, answers()).await,
        "other arguments",
    );
    let mut no_map = answers();
    no_map["inputResponses"] = json!([1]);
    refused(alice.send(call.clone(), no_map).await, "\"inputResponses\"");
    assert_eq!(runs.load(Ordering::SeqCst), 1);

    let same_arguments = json!({"name": "counting", "arguments": {}});
    let result = alice.send(same_arguments, answers()).await.unwrap();
    assert_eq!(text(&result), "1");
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct SeatArgs {
    /// The row.
    #[garde(range(min = 1, max = 9))]
    row: u8,
}

/// Asks for a seat.
#[tool]
async fn seat(args: SeatArgs, client: Client) -> Result<String, ToolError> {
    let number = ask(&client, "seat").await?;
    Ok(format!("{}-{number}", args.row))
}

/// The state is bound to the arguments, so it is checked before them.
#[tokio::test]
async fn a_state_with_other_arguments_is_refused_though_they_break_the_schema() {
    let with_schema = asking("at_run_time", |client| async move {
        Ok(ask(&client, "seat").await?.to_string())
    });
    let server = builder().tool::<seat>().add(with_schema).build().unwrap();
    let client = Modern::new(&server).await;
    for (tool, right, wrong) in [
        ("seat", json!({"row": 1}), json!({"row": 10})),
        ("at_run_time", json!({"x": 1}), json!({"x": "one"})),
    ] {
        let call = |arguments: &Value| json!({"name": tool, "arguments": arguments});
        let first = client.send(call(&right), json!({})).await.unwrap();
        let first = round(first);
        let more = again(&first, first.answers(7));
        refused(
            client.send(call(&wrong), more.clone()).await,
            "other arguments",
        );
        let report = client.send(call(&wrong), json!({})).await.unwrap();
        assert_eq!(report["isError"], true);
        client.send(call(&right), more).await.unwrap();
    }
}

#[tokio::test]
async fn primitives_that_never_ask_refuse_a_state_however_they_are_written() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let silent = from_fn(definition("silent"), move |_: Call| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "silent" }
    });
    let pass = mcp_kit::middleware::from_fn(|call, next| async move { next.run(call).await });
    let layered = mcp_kit::registry::Registration::tool::<plain>().layer(pass);
    let server = builder().add(silent).add(layered).add(in_sequence());
    let client = Modern::new(&server.build().unwrap()).await;
    let first = client.begin("in_sequence").await;
    let more = again(&first, first.answers(1));
    for tool in ["silent", "plain"] {
        let call = json!({"name": tool});
        refused(
            client.send(call.clone(), more.clone()).await,
            "another request",
        );
        let none = json!({"requestState": null});
        assert_eq!(text(&client.send(call, none).await.unwrap()), tool);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_state_expires() {
    let server = builder()
        .limits(|limits| limits.question_time = Duration::from_millis(1))
        .add(in_sequence())
        .build()
        .unwrap();
    let client = Modern::new(&server).await;
    let first = client.begin("in_sequence").await;
    let now = SystemTime::now();
    while now.elapsed().unwrap_or_default() < Duration::from_millis(3) {
        tokio::task::yield_now().await;
    }
    let call = json!({"name": "in_sequence"});
    refused(
        client.send(call, again(&first, first.answers(1))).await,
        "has expired",
    );
}

#[tokio::test]
async fn another_process_opens_a_state_with_the_same_or_a_previous_key() {
    let build = |change: fn(ServerBuilder) -> ServerBuilder| {
        let server = Server::builder("rounds", "1.0.0").add(in_sequence());
        change(server).build().unwrap()
    };
    let old = build(|server| server.state_key([1; 32]));
    let new = build(|server| server.state_key([2; 32]).previous_state_key([1; 32]));
    let first = Modern::new(&old).await.begin("in_sequence").await;
    let on_new = Modern::new(&new).await;
    let second = round(on_new.answer("in_sequence", &first, first.answers(1)).await);
    // Sealed with the new key, which the old process does not know.
    let more = || again(&second, second.answers(2));
    let call = || json!({"name": "in_sequence"});
    refused(
        Modern::new(&old).await.send(call(), more()).await,
        "not valid",
    );
    let none = build(|server| server);
    refused(
        Modern::new(&none).await.send(call(), more()).await,
        "not valid",
    );
    let other = Server::builder("other", "1.0.0")
        .state_key([2; 32])
        .add(in_sequence());
    let other = other.build().unwrap();
    refused(
        Modern::new(&other).await.send(call(), more()).await,
        "not valid",
    );
    let renewed = build(|server| server.state_key([2; 32]));
    let result = Modern::new(&renewed)
        .await
        .send(call(), more())
        .await
        .unwrap();
    assert_eq!(text(&result), "1 2");
}

#[test]
fn a_short_state_key_is_an_error_of_build() {
    let error = Server::builder("rounds", "1")
        .state_key("short")
        .build()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a state key has 5 bytes; it must have at least 32")
    );
}

#[tokio::test]
async fn the_number_of_questions_and_the_bytes_of_the_state_are_limited() {
    let many = asking("many", |client| async move {
        let (a, b, c) = tokio::join!(ask(&client, "a"), ask(&client, "b"), ask(&client, "c"));
        Ok(format!("{}", a? + b? + c?))
    });
    let talking = asking("talking", |client| async move {
        client.elicit::<Text>("say").await?;
        Ok(ask(&client, "and").await?.to_string())
    });
    let server = builder()
        .limits(|limits| {
            limits.questions_per_call = 2;
            limits.state_bytes = 1_024;
        })
        .add(many)
        .add(talking)
        .build()
        .unwrap();
    let client = Modern::new(&server).await;
    // The third question fails; the other two are asked first.
    let first = client.begin("many").await;
    assert_eq!(first.messages(), ["a", "b"]);
    let first = client.begin("talking").await;
    let long = json!({"action": "accept", "content": {"text": "x".repeat(2_000)}});
    let key = first.requests.as_object().unwrap().keys().next().unwrap();
    let result = client.answer("talking", &first, json!({key: long})).await;
    assert_eq!(result["isError"], true);
    let text = text(&result);
    assert!(text.contains("at most 1024 are kept"), "{text}");
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Note {
    /// The number of the note.
    #[garde(range(min = 1, max = 9))]
    id: u8,
}

/// A note, for a client whose user knows a number.
#[resource(uri = "note://{id}")]
async fn note(args: Note, client: Client) -> Result<String, ToolError> {
    let number = ask(&client, "number").await?;
    Ok(format!("{} {number}", args.id))
}

#[tokio::test]
async fn a_resource_asks_and_its_state_is_of_one_uri() {
    let server = builder().resource::<note>().build().unwrap();
    let client = Modern::new(&server).await;
    let read = |uri: &str, more: Value| {
        let mut params = json!({"uri": uri, "_meta": {
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        }});
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        client.0.request("resources/read", params)
    };
    let first = round(read("note://1", json!({})).await.unwrap());
    let more = again(&first, first.answers(7));
    let result = read("note://1", more.clone()).await.unwrap();
    assert_eq!(result["contents"][0]["text"], "1 7");
    refused(read("note://2", more).await, "another request");
}
