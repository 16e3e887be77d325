//! Tasks (an extension of 2026-07-28), over a connection that declares them.

use std::time::Duration;

use rmcp::model::{
    CallToolResponse, CancelTaskParams, ErrorCode, GetTaskParams, GetTaskResult, TaskPayload,
    TaskStatus, UpdateTaskParams,
};
use rmcp::service::ServiceError;
use serde_json::{Value, json};

use crate::steps::{check, request};
use crate::{Session, Wrong};

/// How often a step asks for the status of its task.
const PACE: Duration = Duration::from_millis(20);

/// Runs every step, and returns how many there were.
pub(crate) async fn run(session: &Session) -> Result<usize, Wrong> {
    completes(session)
        .await
        .map_err(|wrong| format!("task completes: {wrong}"))?;
    fails(session)
        .await
        .map_err(|wrong| format!("task fails: {wrong}"))?;
    asks(session)
        .await
        .map_err(|wrong| format!("task asks: {wrong}"))?;
    is_cancelled(session)
        .await
        .map_err(|wrong| format!("task is cancelled: {wrong}"))?;
    Ok(4)
}

/// Calls a tool whose call becomes a task; returns the id.
async fn begin(session: &Session, tool: &str, arguments: Value) -> Result<String, Wrong> {
    let call = request(tool, arguments);
    match session.client.call_tool_once(call).await? {
        CallToolResponse::Task(created) if created.task.status == TaskStatus::Working => {
            Ok(created.task.task_id)
        }
        other => Err(format!("no task: {other:?}").into()),
    }
}

async fn get(session: &Session, task: &str) -> Result<GetTaskResult, ServiceError> {
    session.client.get_task(GetTaskParams::new(task)).await
}

/// Waits until a task has another status than `working`; returns what came of it.
async fn outcome(session: &Session, task: &str) -> Result<TaskPayload, Wrong> {
    loop {
        let found = get(session, task).await?;
        if found.task.status() != TaskStatus::Working {
            return Ok(found.task.payload);
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Returns the text of the result that a task has completed with, and whether it
/// reports a failure.
fn result_of(payload: &TaskPayload) -> Result<(String, bool), Wrong> {
    let TaskPayload::Completed { result } = payload else {
        return Err(format!("not completed: {payload:?}").into());
    };
    let result = Value::Object(result.clone());
    let text = result["content"][0]["text"].as_str().ok_or("no text")?;
    Ok((text.to_owned(), result["isError"] == true))
}

async fn completes(session: &Session) -> Result<(), Wrong> {
    let arguments = json!({"seconds": 1, "label": "tea"});
    let task = begin(session, "slow_compute", arguments).await?;
    let payload = outcome(session, &task).await?;
    let result = result_of(&payload)?;
    check(result == ("Computed tea for 1 s.".into(), false), || {
        format!("{payload:?}")
    })?;
    match get(session, "made-up").await {
        Err(ServiceError::McpError(error)) => {
            check(error.code == ErrorCode::INVALID_PARAMS, || {
                error.to_string()
            })
        }
        other => Err(format!("no error: {other:?}").into()),
    }
}

async fn fails(session: &Session) -> Result<(), Wrong> {
    let task = begin(session, "failing_job", json!({})).await?;
    let payload = outcome(session, &task).await?;
    check(result_of(&payload)?.1, || format!("{payload:?}"))?;
    let task = begin(session, "protocol_error_job", json!({})).await?;
    match outcome(session, &task).await? {
        TaskPayload::Failed { error } => {
            let code = error.get("code").cloned();
            check(code == Some(json!(-32603)), || format!("{error:?}"))
        }
        other => Err(format!("not failed: {other:?}").into()),
    }
}

async fn asks(session: &Session) -> Result<(), Wrong> {
    let task = begin(session, "confirm_delete", json!({"filename": "a.txt"})).await?;
    let payload = outcome(session, &task).await?;
    let TaskPayload::InputRequired { input_requests } = &payload else {
        return Err(format!("no question: {payload:?}").into());
    };
    let answer = json!({"action": "accept", "content": {"confirm": true}});
    let answers = input_requests
        .keys()
        .map(|key| (key.clone(), answer.clone()));
    let update = UpdateTaskParams::new(task.as_str(), answers.collect());
    session.client.update_task(update).await?;
    let payload = outcome(session, &task).await?;
    let (text, _) = result_of(&payload)?;
    check(text == "a.txt was deleted.", || text)
}

async fn is_cancelled(session: &Session) -> Result<(), Wrong> {
    let task = begin(session, "slow_compute", json!({"seconds": 100})).await?;
    session
        .client
        .cancel_task(CancelTaskParams::new(task.as_str()))
        .await?;
    let payload = outcome(session, &task).await?;
    check(payload == TaskPayload::Cancelled, || format!("{payload:?}"))
}
