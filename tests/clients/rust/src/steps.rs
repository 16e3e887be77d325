//! What is asked of the server, and what must come back.
#![expect(deprecated, reason = "the protocol deprecates logging")]

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, ContentBlock, ErrorCode,
    GetPromptRequestParams, LoggingLevel, ReadResourceRequestParams, RequestMetaObject,
    ServerNotification, ServerResult, SetLevelRequestParams, SubscriptionFilter,
};
use rmcp::service::{PeerRequestOptions, ServiceError};
use serde_json::{Value, json};

use crate::handler::lock;
use crate::{Session, Wrong};

/// How long a step waits for what the server must do without an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs every step of the session's era, and returns how many there were.
pub(crate) async fn run(session: &Session) -> Result<usize, Wrong> {
    let mut done = 0;
    macro_rules! steps {
        ($($step:ident),* $(,)?) => {$(
            $step(session).await.map_err(|wrong| format!("{}: {wrong}", stringify!($step)))?;
            done += 1;
        )*};
    }
    steps![
        listing,
        content,
        failure,
        unknown_tool,
        validation,
        progress,
        cancellation,
        prompts
    ];
    steps![resources, elicitation, urls, sampling_and_roots];
    if session.is_modern {
        steps![modern_logging, subscriptions, updates];
    } else {
        steps![legacy_logging, changes];
    }
    Ok(done)
}

pub(crate) fn check(holds: bool, wrong: impl FnOnce() -> String) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong().into()) }
}

pub(crate) fn request(name: &str, arguments: Value) -> CallToolRequestParams {
    let params = CallToolRequestParams::new(name.to_owned());
    match arguments {
        Value::Object(arguments) => params.with_arguments(arguments),
        _ => params,
    }
}

async fn call(session: &Session, name: &str, arguments: Value) -> Result<CallToolResult, Wrong> {
    Ok(session.client.call_tool(request(name, arguments)).await?)
}

/// The text blocks of a result.
fn text_of(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(ContentBlock::as_text);
    texts.map(|block| block.text.as_str()).collect()
}

async fn listing(session: &Session) -> Result<(), Wrong> {
    let tools = session.client.list_all_tools().await?;
    let greet = tools.iter().find(|tool| tool.name == "greet");
    let greet = greet.ok_or("greet is not listed")?;
    check(greet.description.is_some(), || "no description".into())?;
    let schema = Value::Object((*greet.input_schema).clone());
    check(schema["required"] == json!(["name"]), || schema.to_string())
}

async fn content(session: &Session) -> Result<(), Wrong> {
    let greeting = call(session, "greet", json!({"name": "Ada"})).await?;
    check(text_of(&greeting) == "Hello, Ada!", || {
        format!("{greeting:?}")
    })?;
    let mixed = call(session, "test_multiple_content_types", Value::Null).await?;
    let as_expected = matches!(
        mixed.content.as_slice(),
        [ContentBlock::Text(_), ContentBlock::Image(image), ContentBlock::Resource(_)]
            if image.mime_type == "image/png" && image.data.starts_with("iVBORw0KGgo")
    );
    check(as_expected, || format!("{mixed:?}"))?;
    let audio = call(session, "test_audio_content", Value::Null).await?;
    let as_expected = matches!(
        audio.content.as_slice(),
        [ContentBlock::Audio(audio)] if audio.mime_type == "audio/wav"
    );
    check(as_expected, || format!("{audio:?}"))
}

async fn failure(session: &Session) -> Result<(), Wrong> {
    let result = call(session, "test_error_handling", Value::Null).await?;
    check(result.is_error == Some(true), || format!("{result:?}"))?;
    check(text_of(&result).contains("intentionally"), || {
        format!("{result:?}")
    })
}

async fn unknown_tool(session: &Session) -> Result<(), Wrong> {
    let call = session
        .client
        .call_tool(request("no_such_tool", Value::Null));
    refused(call.await, "no_such_tool")
}

async fn validation(session: &Session) -> Result<(), Wrong> {
    let result = call(session, "greet", json!({"name": "", "nmae": "x"})).await?;
    let text = text_of(&result);
    let names_both = text.contains("name") && text.contains("nmae");
    check(result.is_error == Some(true) && names_both, || text)
}

async fn progress(session: &Session) -> Result<(), Wrong> {
    let call = CallToolRequest::new(request("test_tool_with_progress", Value::Null));
    let handle = session
        .client
        .send_cancellable_request(
            ClientRequest::CallToolRequest(call),
            PeerRequestOptions::no_options(),
        )
        .await?;
    let dispatcher = &session.client.service().progress;
    let mut reports = dispatcher.subscribe(handle.progress_token.clone()).await;
    let answer = handle.await_response().await?;
    check(matches!(answer, ServerResult::CallToolResult(_)), || {
        format!("{answer:?}")
    })?;
    for expected in [0.0, 50.0, 100.0] {
        let report = tokio::time::timeout(PATIENCE, reports.next()).await?;
        let report = report.ok_or("the reports ended")?;
        check(
            report.progress == expected && report.total == Some(100.0),
            || format!("{report:?} instead of {expected}"),
        )?;
    }
    Ok(())
}

async fn cancellation(session: &Session) -> Result<(), Wrong> {
    let before = cancelled_calls(session)?;
    let call = CallToolRequest::new(request("slow_compute", json!({"seconds": 100})));
    let handle = session
        .client
        .send_cancellable_request(
            ClientRequest::CallToolRequest(call),
            PeerRequestOptions::no_options(),
        )
        .await?;
    let dispatcher = &session.client.service().progress;
    let mut reports = dispatcher.subscribe(handle.progress_token.clone()).await;
    let begun = tokio::time::timeout(PATIENCE, reports.next()).await?;
    check(begun.is_some(), || "no progress".into())?;
    handle.cancel(Some("no longer needed".to_owned())).await?;
    let begun = Instant::now();
    while cancelled_calls(session)? == before {
        check(begun.elapsed() < PATIENCE, || {
            "the call was not cancelled".into()
        })?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The connection still works.
    listing(session).await
}

async fn prompts(session: &Session) -> Result<(), Wrong> {
    let client = &session.client;
    let prompts = client.list_all_prompts().await?;
    let listed = prompts
        .iter()
        .find(|prompt| prompt.name == "test_prompt_with_arguments");
    let arguments = listed
        .and_then(|prompt| prompt.arguments.as_ref())
        .ok_or("not listed")?;
    let names: Vec<_> = arguments
        .iter()
        .map(|one| (one.name.as_str(), one.required))
        .collect();
    check(
        names == [("arg1", Some(true)), ("arg2", Some(true))],
        || format!("{names:?}"),
    )?;
    let get = |name: &str, arguments: Value| {
        let params = GetPromptRequestParams::new(name);
        client.get_prompt(match arguments {
            Value::Object(arguments) => params.with_arguments(arguments),
            _ => params,
        })
    };
    let given = json!({"arg1": "tea", "arg2": "milk"});
    let result = get("test_prompt_with_arguments", given).await?;
    let text = format!("{:?}", result.messages);
    check(text.contains("arg1='tea', arg2='milk'"), || text)?;
    let completed = client
        .complete_prompt_simple("test_prompt_with_arguments", "arg1", "par")
        .await?;
    check(completed == ["paris", "park", "party"], || {
        format!("{completed:?}")
    })?;
    let result = get("test_prompt_with_image", Value::Null).await?;
    let is_image = matches!(
        result.messages.first().map(|message| &message.content),
        Some(ContentBlock::Image(image)) if image.data.starts_with("iVBORw0KGgo")
    );
    check(is_image, || format!("{result:?}"))?;
    refused(get("no_such_prompt", Value::Null).await, "")?;
    let missing = get("test_prompt_with_arguments", json!({"arg1": "tea"}));
    refused(missing.await, "arg2")
}

async fn resources(session: &Session) -> Result<(), Wrong> {
    let client = &session.client;
    let listed = client.list_all_resources().await?;
    let text = listed
        .iter()
        .find(|resource| resource.uri == "test://static-text");
    let mime_type = text.and_then(|resource| resource.mime_type.as_deref());
    check(mime_type == Some("text/plain"), || format!("{text:?}"))?;
    let templates = client.list_all_resource_templates().await?;
    let mut uris = templates
        .iter()
        .map(|template| template.uri_template.as_str());
    check(uris.any(|uri| uri == "test://template/{id}/data"), || {
        format!("{templates:?}")
    })?;
    let text = read(session, "test://static-text").await?;
    check(
        text["text"] == "This is the content of the static text resource.",
        || text.to_string(),
    )?;
    let image = read(session, "test://static-binary").await?;
    let is_png = image["blob"]
        .as_str()
        .is_some_and(|blob| blob.starts_with("iVBORw0KGgo"));
    check(is_png, || image.to_string())?;
    let data = read(session, "test://template/a%20b/data").await?;
    let has_data = data["text"]
        .as_str()
        .is_some_and(|text| text.contains("Data for ID: a b"));
    check(has_data && data["mimeType"] == "application/json", || {
        data.to_string()
    })?;
    let nothing = client.read_resource(ReadResourceRequestParams::new("test://nothing"));
    match nothing.await {
        Err(ServiceError::McpError(error)) => check(
            [ErrorCode::INVALID_PARAMS, ErrorCode::RESOURCE_NOT_FOUND].contains(&error.code),
            || error.to_string(),
        ),
        other => Err(format!("no error: {other:?}").into()),
    }
}

/// The first contents of a resource, as JSON.
async fn read(session: &Session, uri: &str) -> Result<Value, Wrong> {
    let params = ReadResourceRequestParams::new(uri);
    let result = serde_json::to_value(session.client.read_resource(params).await?)?;
    Ok(result["contents"][0].clone())
}

/// The user opens a URL; a legacy client is notified that the visit is over.
async fn urls(session: &Session) -> Result<(), Wrong> {
    let ask = async || {
        let result = call(session, "test_url_elicitation", Value::Null).await;
        result.map(|result| text_of(&result))
    };
    let answer = ask().await?;
    let right = "User response: action=accept, content=null";
    check(answer == right, || answer)?;
    let answers = session.client.service();
    let asked = lock(&answers.asked_visit).clone();
    // 2026-07-28 has neither the id nor the notification.
    check(asked.is_empty() == session.is_modern, || {
        format!("the id is \"{asked}\"")
    })?;
    let deadline = Instant::now() + PATIENCE;
    while *lock(&answers.ended_visit) != asked {
        check(Instant::now() < deadline, || {
            "the end of the visit was not announced".to_owned()
        })?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    answers.declines_urls.store(true, Ordering::SeqCst);
    let answer = ask().await?;
    check(answer == "User response: action=decline", || answer)?;
    // Nothing was opened, so nothing has ended.
    let ended = lock(&answers.ended_visit).clone();
    check(ended == asked, || format!("\"{ended}\" has ended"))
}

async fn elicitation(session: &Session) -> Result<(), Wrong> {
    let answer = text_of(&call(session, "test_elicitation", json!({"message": "Who?"})).await?);
    let has_both = answer.contains(r#""username":"ada","email":"ada@example.org""#);
    check(has_both, || answer)?;
    let declined = call(session, "test_elicitation", json!({"message": "No?"})).await?;
    check(
        text_of(&declined) == "User response: action=decline",
        || format!("{declined:?}"),
    )?;
    let answer = call(session, "test_elicitation_sep1330_enums", Value::Null).await?;
    let answer = text_of(&answer);
    let has_choices = answer.contains(r#""titledMulti":["value2"]"#);
    check(has_choices, || answer)?;
    let rounds = call(
        session,
        "test_input_required_result_multi_round",
        Value::Null,
    )
    .await?;
    check(text_of(&rounds) == "Ada likes blue.", || {
        format!("{rounds:?}")
    })?;
    let prompt = GetPromptRequestParams::new("test_input_required_result_prompt");
    let prompt = format!("{:?}", session.client.get_prompt(prompt).await?.messages);
    check(prompt.contains("Use this context: tea"), || prompt)
}

async fn sampling_and_roots(session: &Session) -> Result<(), Wrong> {
    let answer = call(session, "test_sampling", json!({"prompt": "Hello"})).await?;
    let expected = "LLM response: I read: Hello (100 tokens)";
    check(text_of(&answer) == expected, || format!("{answer:?}"))?;
    let roots = call(
        session,
        "test_input_required_result_list_roots",
        Value::Null,
    )
    .await?;
    check(text_of(&roots) == "Roots: file:///home/ada", || {
        format!("{roots:?}")
    })?;
    let all = call(
        session,
        "test_input_required_result_multiple_inputs",
        Value::Null,
    )
    .await?;
    let expected = "I read: Generate a greeting (50 tokens) Ada has 1 roots.";
    check(text_of(&all) == expected, || format!("{all:?}"))
}

async fn modern_logging(session: &Session) -> Result<(), Wrong> {
    let mut meta = RequestMetaObject::new();
    meta.set_log_level(LoggingLevel::Debug);
    logging(session, Some(meta)).await
}

async fn legacy_logging(session: &Session) -> Result<(), Wrong> {
    let level = SetLevelRequestParams::new(LoggingLevel::Debug);
    session.client.set_level(level).await?;
    logging(session, None).await
}

async fn logging(session: &Session, meta: Option<RequestMetaObject>) -> Result<(), Wrong> {
    session.client.service().logged().clear();
    let mut params = request("test_tool_with_logging", Value::Null);
    params.meta = meta;
    session.client.call_tool(params).await?;
    let expected = [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ];
    let begun = Instant::now();
    // The SDK hands out notifications beside the answer.
    while *session.client.service().logged() != expected {
        check(begun.elapsed() < PATIENCE, || {
            format!("{:?}", session.client.service().logged())
        })?;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn subscriptions(session: &Session) -> Result<(), Wrong> {
    let mut filter = SubscriptionFilter::default();
    filter.tools_list_changed = Some(true);
    let mut subscription = session.client.listen(filter.clone()).await?;
    check(*subscription.acknowledged() == filter, || {
        format!("{subscription:?}")
    })?;
    for _ in 0..2 {
        // Not requested: the SDK fails if it arrives.
        call(session, "test_trigger_prompt_change", Value::Null).await?;
        call(session, "test_trigger_tool_change", Value::Null).await?;
        let notification = tokio::time::timeout(PATIENCE, subscription.next()).await??;
        let is_change = matches!(
            notification,
            Some(ServerNotification::ToolListChangedNotification(_))
        );
        check(is_change, || format!("{notification:?}"))?;
    }
    Ok(subscription.cancel().await?)
}

/// A resource that changes notifies the clients that watch it.
async fn updates(session: &Session) -> Result<(), Wrong> {
    let uri = "test://watched-resource";
    let mut filter = SubscriptionFilter::default();
    filter.resource_subscriptions = Some(vec![uri.to_owned()]);
    let mut subscription = session.client.listen(filter).await?;
    call(session, "test_trigger_resource_update", Value::Null).await?;
    let notification = tokio::time::timeout(PATIENCE, subscription.next()).await??;
    let is_update = matches!(
        &notification,
        Some(ServerNotification::ResourceUpdatedNotification(update)) if update.params.uri == uri
    );
    check(is_update, || format!("{notification:?}"))?;
    Ok(subscription.cancel().await?)
}

async fn changes(session: &Session) -> Result<(), Wrong> {
    let changes = &session.client.service().changes;
    for kind in ["tool", "prompt"] {
        let before = changes.load(Ordering::SeqCst);
        call(session, &format!("test_trigger_{kind}_change"), Value::Null).await?;
        let begun = Instant::now();
        while changes.load(Ordering::SeqCst) == before {
            check(begun.elapsed() < PATIENCE, || {
                format!("no notification of the {kind}s")
            })?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

/// Checks that this is an error about the request's parameters with these words.
fn refused<T: std::fmt::Debug>(answer: Result<T, ServiceError>, words: &str) -> Result<(), Wrong> {
    match answer {
        Err(ServiceError::McpError(error)) => check(
            error.code == ErrorCode::INVALID_PARAMS && error.message.contains(words),
            || error.to_string(),
        ),
        other => Err(format!("no error: {other:?}").into()),
    }
}

/// How many calls of the slow tool the server has logged as cancelled.
fn cancelled_calls(session: &Session) -> Result<usize, Wrong> {
    let log = std::fs::read_to_string(&session.log)?;
    let is_one = |line: &&str| {
        line.contains(r#""name":"slow_compute""#) && line.contains(r#""outcome":"cancelled""#)
    };
    Ok(log.lines().filter(is_one).count())
}
