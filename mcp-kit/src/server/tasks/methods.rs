//! `tasks/get`, `tasks/update`, `tasks/cancel`.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::code::TaskMethod;
use super::store::{StoredTask, TaskKey, TaskMessage, TaskStoreError};
use crate::call::{
    Answer, CallContext, Error, ErrorKind, KindRow, Target, Work, WorkFuture, as_protocol_error,
};
use crate::limits::Limits;
use crate::observe::Log;
use crate::primitive::Kind;
use crate::protocol::{ClientCapability, Era, RpcError};
use crate::server::ServerInner;
use crate::server::dispatch::{Ask, text};

/// A request about a task.
struct TaskRequest {
    server: Arc<ServerInner>,
    is_declared: bool,
    id: String,
    does: Action,
}

#[derive(Clone)]
enum Action {
    Get,
    Send(TaskMessage),
}

/// Returns the work that answers a request about a task.
pub(super) fn request(
    server: &Arc<ServerInner>,
    method: TaskMethod,
    ask: &Ask<'_, '_>,
) -> Result<Box<dyn Work>, RpcError> {
    let is_declared = ask.declares(ClientCapability::Tasks);
    let (id, does) = match is_declared {
        true => (
            text(ask.request.params.task_id, "taskId")?.into_owned(),
            action(method, ask)?,
        ),
        false => (String::new(), Action::Get),
    };
    Ok(Box::new(TaskRequest {
        server: Arc::clone(server),
        is_declared,
        id,
        does,
    }))
}

fn action(method: TaskMethod, ask: &Ask<'_, '_>) -> Result<Action, RpcError> {
    Ok(match method {
        TaskMethod::Get => Action::Get,
        TaskMethod::Update => {
            let answers = ask.request.params.input_responses;
            let answers = answers.filter(|answers| answers.get().starts_with('{'));
            let answers: &RawValue = answers.ok_or_else(|| {
                RpcError::invalid_params(
                    r#"Invalid params: "inputResponses" must be given, as an object"#,
                )
            })?;
            Action::Send(TaskMessage::Answers(answers.to_owned()))
        }
        TaskMethod::Cancel => Action::Send(TaskMessage::Cancel),
    })
}

impl Work for TaskRequest {
    fn run(&self, call: &Arc<CallContext>) -> WorkFuture {
        let (server, call) = (Arc::clone(&self.server), Arc::clone(call));
        let key = server.tasks.key(&call.principal, &self.id);
        let (is_declared, does) = (self.is_declared, self.does.clone());
        Box::pin(async move {
            if !is_declared {
                return Err(Error::needs_tasks());
            }
            match does {
                Action::Get => get(&server, &call, &key).await,
                Action::Send(message) => send(&server, &call, &key, message).await,
            }
        })
    }

    fn size(&self) -> usize {
        let answers = match &self.does {
            Action::Send(TaskMessage::Answers(answers)) => answers.get().len(),
            Action::Get | Action::Send(TaskMessage::Cancel) => 0,
        };
        self.id.len() + answers
    }

    fn runs_while_draining(&self) -> bool {
        true
    }
}

async fn get(server: &ServerInner, call: &CallContext, key: &TaskKey) -> Result<Answer, Error> {
    let found = server.tasks.find(key).await.map_err(Error::internal)?;
    let stored = found.map(|task| task.state());
    let stored = stored.filter(|task| task.may_use(&call.principal));
    if stored.as_ref().is_none_or(StoredTask::is_finished) {
        // An end that has expired cannot be read any more.
        server.tasks.was_read(key);
    }
    let stored = stored.ok_or_else(unknown)?;
    Ok(call.answer_with(|out| {
        let document = stored.document();
        out.extend_from_slice(&document.as_bytes()[..document.len() - 1]);
        call.home.end_result(out, Era::Modern, None);
    }))
}

async fn send(
    server: &ServerInner,
    call: &CallContext,
    key: &TaskKey,
    message: TaskMessage,
) -> Result<Answer, Error> {
    let store = server.tasks.store();
    match server.tasks.running(key) {
        Some(task) => {
            if !task.stored().may_use(&call.principal) {
                return Err(unknown());
            }
            task.receive(&message);
            // What the client reads next has seen its message.
            let _ = task.publish(store).await;
        }
        None => {
            let stored = store.get(key).await.map_err(Error::internal)?;
            let stored = stored.filter(|task| task.may_use(&call.principal));
            if !stored.ok_or_else(unknown)?.is_finished() {
                store
                    .send(key, message)
                    .await
                    .map_err(|error| match error {
                        TaskStoreError::Full => Error::busy(
                            "The server that runs the task has too many messages. Try again.",
                        ),
                        error => Error::internal(error),
                    })?;
            }
        }
    }
    Ok(call.answer_with(|out| {
        out.push(b'{');
        let empty = out.len();
        call.home.end_result(out, Era::Modern, None);
        if out.get(empty) == Some(&b',') {
            out.remove(empty);
        }
    }))
}

/// The task has expired, never existed, or belongs to another caller: the answer does
/// not say which.
fn unknown() -> Error {
    Error::refusal(
        ErrorKind::NotFound,
        "Unknown task: it has expired or never existed.",
    )
}

/// Returns what requests about tasks call: their refusals are protocol errors, and only
/// failures of the server are logged.
pub(super) fn target(limits: &Limits) -> Target {
    Target::of_work(
        "tasks",
        &REQUESTS,
        limits,
        Arc::new(Log { all_calls: false }),
    )
}

static REQUESTS: KindRow = KindRow {
    kind: Kind::Tool,
    has_text_arguments: false,
    write: |_, _, _| {},
    failure: as_protocol_error,
    unknown: |_, kind, name| RpcError::unknown(kind.as_str(), name),
    completing: None,
};
