//! `call`: one call through the whole protocol, in this process. `prompt` sends
//! its request likewise.

#[cfg(feature = "process")]
use std::future::{Future, poll_fn};
use std::io::Read as _;
#[cfg(feature = "process")]
use std::pin::pin;
use std::process::ExitCode;
#[cfg(feature = "process")]
use std::task::Poll;

use serde_json::Value;

use super::build::Failure;
use super::output::print;
use super::runtime::LazyRuntime;
use super::{TOOL_ERROR, usage};
use crate::client::{Answered, CallResult, RequestError, TestCall, TestClient};
use crate::primitive::Kind;
use crate::protocol::ErrorCode;
use crate::schema;
use crate::server::Server;
#[cfg(feature = "process")]
use crate::transport::signals::Signals;

/// Calls `tool` and prints the result.
pub(super) fn call(
    server: &Server,
    runtime: &LazyRuntime,
    tool: &str,
    arguments: &str,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let result: CallResult = match request(server, runtime, (Kind::Tool, tool), arguments)? {
        Ok(result) => result,
        Err(code) => return Ok(code),
    };
    let text = if as_json {
        format!("{:#}\n", result.json())
    } else {
        readable(&result)
    };
    let printed = print(&text)?;
    if result.is_error() {
        eprintln!("{tool} reported an error");
        return Ok(ExitCode::from(TOOL_ERROR));
    }
    Ok(printed)
}

/// Requests the result of a primitive. An exit code means that what went wrong
/// is printed.
pub(super) fn request<R: Answered>(
    server: &Server,
    runtime: &LazyRuntime,
    (kind, name): (Kind, &str),
    arguments: &str,
) -> Result<Result<R, ExitCode>, Failure> {
    let policies = server.policies(kind);
    let names: Vec<_> = policies.iter().map(|policy| policy.info().name()).collect();
    if !names.contains(&name) {
        return Ok(Err(usage(unknown(kind, name, &names))));
    }
    let arguments = match read(arguments) {
        Ok(arguments) => arguments,
        Err(problem) => return Ok(Err(usage(problem))),
    };
    let method = match kind {
        Kind::Prompt => "prompts/get",
        _ => "tools/call",
    };
    outcome(server, runtime, |client| {
        client.call_with_text(method, name, &arguments)
    })
}

/// Waits for the result of a request. An exit code means that what went wrong is
/// printed.
pub(super) fn outcome<R: Answered>(
    server: &Server,
    runtime: &LazyRuntime,
    send: impl FnOnce(&TestClient) -> TestCall<R>,
) -> Result<Result<R, ExitCode>, Failure> {
    let calling = async {
        let client = TestClient::modern(server).await;
        send(&client).outcome().await
    };
    #[cfg(not(feature = "process"))]
    let outcome = runtime.get()?.block_on(calling);
    #[cfg(feature = "process")]
    let outcome = {
        let outcome = runtime.get()?.block_on(unless_signalled(calling));
        crate::guard::process::kill_all();
        outcome.ok_or_else(|| Failure("the call was ended by a signal".to_owned()))?
    };
    match outcome {
        Ok(result) => Ok(Ok(result)),
        // The handler has failed.
        Err(RequestError::Protocol { code, message, .. }) if code == INTERNAL_ERROR => {
            // In one piece: the log writes to stderr from another thread.
            let line = format!("error: {message}\n");
            eprint!("{line}");
            Ok(Err(ExitCode::from(TOOL_ERROR)))
        }
        Err(RequestError::Protocol { message, .. }) => Ok(Err(usage(message))),
        Err(error) => Err(Failure(error.to_string())),
    }
}

/// The code of failures that the arguments are not the reason for.
const INTERNAL_ERROR: i64 = ErrorCode::InternalError.code() as i64;

/// Waits for a call; `None` if a signal arrives first. Programs do not receive
/// the signals of the terminal, so a signal must not end this process and leave
/// them behind.
#[cfg(feature = "process")]
async fn unless_signalled<T>(calling: impl Future<Output = T>) -> Option<T> {
    let Ok(mut signals) = Signals::listen() else {
        return Some(calling.await);
    };
    let (mut calling, mut signal) = (pin!(calling), pin!(signals.next()));
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = calling.as_mut().poll(cx) {
            return Poll::Ready(Some(outcome));
        }
        signal.as_mut().poll(cx).map(|()| None)
    })
    .await
}

fn unknown(kind: Kind, name: &str, names: &[&str]) -> String {
    let name = crate::support::text::excerpt(name);
    match schema::nearest(&name, names.iter().copied()) {
        Some(meant) => format!("there is no {kind} \"{name}\"; did you mean \"{meant}\"?"),
        None if names.is_empty() => {
            format!("there is no {kind} \"{name}\"; the server has no {kind}s")
        }
        None => format!(
            "there is no {kind} \"{name}\"; there are: {}",
            names.join(", ")
        ),
    }
}

/// Returns the arguments on one line, as the protocol requires.
fn read(arguments: &str) -> Result<String, String> {
    let mut from_stdin = String::new();
    let text = if arguments == "-" {
        std::io::stdin()
            .read_to_string(&mut from_stdin)
            .map_err(|error| format!("the arguments cannot be read from stdin: {error}"))?;
        from_stdin.as_str()
    } else {
        arguments
    };
    match serde_json::from_str::<Value>(text) {
        // In valid JSON these appear between values only.
        Ok(Value::Object(_)) => Ok(text.replace(['\n', '\r'], " ")),
        Ok(_) => {
            Err("the arguments must be a JSON object, such as '{\"query\": \"tea\"}'".to_owned())
        }
        Err(error) => Err(format!(
            "the arguments are no JSON: {error}; write an object, such as '{{\"query\": \"tea\"}}'"
        )),
    }
}

/// Returns the result for people: structured content as indented JSON, text as
/// it is, and one line for every other block.
fn readable(result: &CallResult) -> String {
    let mut text = String::new();
    if let Some(structured) = result.structured() {
        text.push_str(&format!("{structured:#}\n"));
    }
    for block in result.content() {
        match block["text"].as_str() {
            // Structured content is also sent as text.
            Some(block) if is_same(block, result.structured()) => {}
            Some(block) => {
                text.push_str(block);
                text.push('\n');
            }
            None => text.push_str(&format!("[{}]\n", summary(block))),
        }
    }
    text
}

fn is_same(text: &str, structured: Option<&Value>) -> bool {
    structured.is_some_and(|structured| {
        serde_json::from_str::<Value>(text).is_ok_and(|text| text == *structured)
    })
}

/// "image/png image, 1234 characters of base64".
pub(super) fn summary(block: &Value) -> String {
    let kind = block["type"].as_str().unwrap_or("block");
    let about = match kind {
        "resource" => &block["resource"],
        _ => block,
    };
    let mut words: Vec<String> = ["mimeType", "uri"]
        .iter()
        .filter_map(|member| about[*member].as_str().map(str::to_owned))
        .collect();
    if let Some(data) = about["data"].as_str().or(about["blob"].as_str()) {
        words.push(format!("{} characters of base64", data.len()));
    }
    if let Some(text) = about["text"].as_str() {
        words.push(text.to_owned());
    }
    format!("{kind}: {}", words.join(", "))
}
