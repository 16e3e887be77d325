//! `call`, `prompt` and `read`: one request through the whole protocol, in this process.

use std::io::Read as _;
use std::pin::pin;
use std::process::ExitCode;

use serde_json::Value;

use super::build::Failure;
use super::output::print;
use super::runtime::LazyRuntime;
use super::terminal::Terminal;
use super::{TOOL_ERROR, usage};
use crate::client::{RequestError, TestClient};
use crate::primitive::{Kind, TaskSupport};
use crate::protocol::{ErrorCode, ProtocolVersion};
use crate::registry::CallPolicy;
use crate::schema;
use crate::server::Server;
use crate::support::json::Members as _;
use crate::support::task::block_on;
use crate::support::text::plain;

/// A request for the result of one primitive.
pub(super) struct Requested<'a> {
    pub(super) kind: Kind,
    /// The name, or the URI of a resource.
    pub(super) name: &'a str,
    /// JSON text, or `-` for stdin; resources have none.
    pub(super) arguments: &'a str,
}

/// Requests the result of a primitive, and prints it.
pub(super) fn call(
    server: &Server,
    runtime: &LazyRuntime,
    requested: &Requested<'_>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let Requested { kind, name, .. } = *requested;
    let policies = server.policies(kind);
    let named = policies.iter().find(|policy| policy.info().name() == name);
    let quoted = Value::from(name);
    let (method, members) = if kind == Kind::Resource {
        ("resources/read", format!(r#""uri":{quoted}"#))
    } else {
        let arguments = match named {
            Some(_) => read(requested.arguments),
            None => Err(unknown(kind, name, &policies)),
        };
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(problem) => return Ok(usage(&problem)),
        };
        let method = match kind {
            Kind::Prompt => "prompts/get",
            _ => "tools/call",
        };
        let members = format!(r#""name":{quoted},"arguments":{arguments}"#);
        (method, members)
    };
    // Without the extension the other tools answer when they have ended.
    let is_task = named.is_some_and(|policy| policy.task() == Some(TaskSupport::Required));

    let terminal = Terminal::of_process();
    let mut outcome = None;
    let wait = async { outcome = Some(wait(server, &terminal, is_task, method, &members).await) };
    block_on(runtime.get()?, pin!(wait));
    terminal.clear();
    #[cfg(feature = "process")]
    crate::guard::process::kill_all();
    let result = match outcome.unwrap_or(Ok(Err(RequestError::NoAnswer)))? {
        Ok(result) => result,
        Err(error) => return failed(server, &terminal, error),
    };

    let shown = if as_json {
        None
    } else {
        server.shown_result(kind, &result)
    };
    let printed = print(&shown.unwrap_or_else(|| format!("{result:#}\n")))?;
    if result.at("isError") == true {
        eprintln!("{name} reported an error");
        return Ok(ExitCode::from(TOOL_ERROR));
    }
    Ok(printed)
}

/// Waits for the result of a request, or of the task that it becomes if the client
/// declares the extension.
async fn wait(
    server: &Server,
    terminal: &Terminal,
    is_task: bool,
    method: &str,
    members: &str,
) -> Result<Result<Value, RequestError>, Failure> {
    let mut client = TestClient::builder(server).version(ProtocolVersion::V2026_07_28);
    if is_task {
        client = client.tasks();
    }
    let client = terminal.connect(server, client).connect_modern();
    let outcome = async {
        let sent = client.request_with_text(method, members);
        let result = sent
            .outcome_with(&mut |report| terminal.show_progress(report))
            .await?;
        if result.at("resultType") != "task" {
            return Ok(result);
        }
        let task = client.task(result.at("taskId").as_str().unwrap_or_default());
        task.outcome_with(&mut |state| terminal.show_status(state))
            .await
    };
    tokio::select! {
        biased;
        outcome = outcome => Ok(outcome),
        reason = terminal.ended() => Err(Failure(reason.to_owned())),
    }
}

/// Reports why there is no result.
fn failed(server: &Server, terminal: &Terminal, error: RequestError) -> Result<ExitCode, Failure> {
    let (code, mut message, data) = match error {
        RequestError::Protocol {
            code,
            message,
            data,
        } => (code, message, data.unwrap_or_default()),
        error => return Err(Failure(error.to_string())),
    };
    if code == INTERNAL_ERROR {
        // The handler has failed. In one piece: the log writes to stderr from another thread.
        let line = format!("error: {}\n", plain(&message));
        eprint!("{line}");
        return Ok(ExitCode::from(TOOL_ERROR));
    }
    match data.text("uri") {
        // What a resource that does not exist is answered with, since 2026-07-28.
        Some(uri) if code == INVALID_PARAMS => message = not_found(server, &message, uri),
        _ if code == MISSING_CAPABILITY && !terminal.asks() && is_answered_on_terminal(&data) => {
            message.push_str(" Run this command on a terminal to answer the question.");
        }
        _ => {}
    }
    Ok(usage(&message))
}

/// The code of failures that the arguments are not the reason for.
const INTERNAL_ERROR: i64 = ErrorCode::InternalError.code() as i64;

/// The code of failures that the arguments, or the URI, are the reason for.
const INVALID_PARAMS: i64 = ErrorCode::InvalidParams.code() as i64;

/// The code of failures whose reason is that the client cannot be asked.
const MISSING_CAPABILITY: i64 = ErrorCode::MissingCapability.code() as i64;

/// Whether the capabilities that an error names are those of a terminal.
fn is_answered_on_terminal(data: &Value) -> bool {
    let required = data.at("requiredCapabilities").as_object();
    required.is_some_and(|required| !required.has("extensions"))
}

/// How many names an error lists.
const MOST_NAMES: usize = 10;

fn unknown(kind: Kind, name: &str, all: &[CallPolicy]) -> String {
    let names: Vec<_> = all.iter().map(|policy| policy.info().name()).collect();
    let name = crate::support::text::excerpt(name);
    match schema::nearest(&name, names.iter().copied()) {
        Some(meant) => format!("there is no {kind} \"{name}\"; did you mean \"{meant}\"?"),
        None if names.is_empty() => {
            format!("there is no {kind} \"{name}\"; the server has no {kind}s")
        }
        None if names.len() <= MOST_NAMES => format!(
            "there is no {kind} \"{name}\"; there are: {}",
            names.join(", ")
        ),
        None => format!("there is no {kind} \"{name}\"; the command `{kind}s` lists what there is"),
    }
}

/// Adds the URI to a message about a resource that is not there, and what may be meant.
fn not_found(server: &Server, message: &str, uri: &str) -> String {
    let resources = server.policies(Kind::Resource);
    let uris = resources.iter().map(|resource| resource.info().name());
    let shown = crate::support::text::excerpt(uri);
    // What all URIs of a server have in common would make any two of them alike.
    let (scheme, rest) = uri.split_once("://").unwrap_or_default();
    let mut rests = uris.filter_map(|uri| uri.strip_prefix(scheme)?.strip_prefix("://"));
    match schema::nearest(rest, &mut rests) {
        Some(meant) => {
            format!("{message}: \"{shown}\"; did you mean \"{scheme}://{meant}\"?")
        }
        None => format!(
            "{message}: \"{shown}\"; the command `resources` lists the resources and the templates of URIs"
        ),
    }
}

/// Returns the arguments on one line, as the protocol requires.
fn read(arguments: &str) -> Result<String, String> {
    const EXAMPLE: &str = r#"'{"query": "tea"}'"#;
    let mut from_stdin = String::new();
    let is_stdin = arguments == "-";
    let text = if is_stdin {
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
        Ok(_) => Err(format!(
            "the arguments must be a JSON object, such as {EXAMPLE}"
        )),
        Err(error) if is_stdin => Err(format!(
            "the arguments from stdin are not JSON: {error}; write an object, such as {EXAMPLE}"
        )),
        Err(error) => Err(format!(
            "the arguments are not JSON: {error}; write an object, such as {EXAMPLE}, or - to read it from stdin"
        )),
    }
}
