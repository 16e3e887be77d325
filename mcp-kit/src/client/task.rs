//! Tasks of a client: handles in place of results, asked for until they have ended.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::request::sealed::Answered as _;
use super::{CallResult, RequestError, TestClient};
use crate::support::json::Members as _;

/// A task of a [`TestClient`]; made by [`TestClient::call_as_task`] and [`TestClient::task`].
///
/// ```
/// use mcp_kit::prelude::*;
/// use mcp_kit::testing::{Answer, TestClient};
/// use mcp_kit::protocol::ProtocolVersion;
/// use serde_json::json;
///
/// /// Builds the index again.
/// #[tool(task)]
/// async fn reindex(progress: Progress) -> &'static str {
///     progress.report(1.0, Some(2.0), Some("reading"));
///     tokio::task::yield_now().await;
///     "The index is new."
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mcp_kit::server::BuildError> {
/// let server = Server::builder("search", "1.0.0").tool::<reindex>().build()?;
/// let client = TestClient::builder(&server)
///     .version(ProtocolVersion::V2026_07_28)
///     .tasks()
///     .connect()
///     .await;
/// let task = client.call_as_task("reindex", json!({})).await;
/// assert_eq!(task.result().await.text(), "The index is new.");
/// # Ok(())
/// # }
/// ```
pub struct TestTask<'a> {
    client: &'a TestClient,
    created: Value,
    id: String,
}

impl TestClient {
    /// Calls a tool whose calls become tasks. The client must have declared the
    /// extension ([`TestClientBuilder::tasks`](super::TestClientBuilder::tasks)).
    ///
    /// # Panics
    ///
    /// Panics if the answer is not a new task.
    #[allow(clippy::panic)]
    pub async fn call_as_task(&self, tool: &str, arguments: Value) -> TestTask<'_> {
        let created = match self.call(tool, arguments).outcome().await {
            Ok(result) => result.json().clone(),
            Err(error) => panic!("the call of {tool} became no task: {error}"),
        };
        assert_eq!(created.at("resultType"), "task", "no task: {created}");
        let id = created.at("taskId").as_str().unwrap_or_default().to_owned();
        TestTask {
            client: self,
            created,
            id,
        }
    }

    /// Returns the task with this id, such as one that another connection of the
    /// same caller has created.
    #[must_use]
    pub fn task(&self, id: &str) -> TestTask<'_> {
        TestTask {
            client: self,
            created: Value::Null,
            id: id.to_owned(),
        }
    }
}

impl TestTask<'_> {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the result by which it was created; `null` for [`TestClient::task`].
    #[must_use]
    pub fn created(&self) -> &Value {
        &self.created
    }

    /// Returns its present state (`tasks/get`).
    ///
    /// # Errors
    ///
    /// Returns the error with which the server answers, such as for an unknown
    /// task.
    pub async fn get(&self) -> Result<Value, RequestError> {
        let params = json!({"taskId": self.id});
        self.client.request("tasks/get", params).await
    }

    /// Sends answers to its questions, by their keys (`tasks/update`).
    ///
    /// # Errors
    ///
    /// Returns the error with which the server answers.
    pub async fn update(&self, answers: Value) -> Result<Value, RequestError> {
        let params = json!({"taskId": self.id, "inputResponses": answers});
        self.client.request("tasks/update", params).await
    }

    /// Cancels it (`tasks/cancel`).
    ///
    /// # Errors
    ///
    /// Returns the error with which the server answers.
    pub async fn cancel(&self) -> Result<Value, RequestError> {
        let params = json!({"taskId": self.id});
        self.client.request("tasks/cancel", params).await
    }

    /// Asks for its state until it has ended, at the interval that the server
    /// suggests, and returns the last state. Questions are answered by the script
    /// of the client ([`TestClientBuilder::answers`](super::TestClientBuilder::answers));
    /// without one they are left open.
    ///
    /// # Panics
    ///
    /// Panics if the server answers with an error.
    #[allow(clippy::panic)]
    pub async fn ended(&self) -> Value {
        match self.ended_with(|_| {}).await {
            Ok(state) => state,
            Err(error) => panic!("the state of the task is unknown: {error}"),
        }
    }

    /// Asks for its state until it has ended, and passes each state before that to
    /// `show`.
    async fn ended_with(&self, mut show: impl FnMut(&Value)) -> Result<Value, RequestError> {
        loop {
            let state = self.get().await?;
            match state.at("status").as_str() {
                Some("working") => show(&state),
                Some("input_required") => {
                    if let Some(answers) = self.client.script.answers() {
                        self.update(answers.answer_round(&state)).await?;
                    }
                }
                _ => return Ok(state),
            }
            let interval = state.at("pollIntervalMs").as_u64().unwrap_or(100);
            tokio::time::sleep(Duration::from_millis(interval)).await;
        }
    }

    /// Waits like [`ended`](Self::ended), and returns the result of the tool.
    ///
    /// # Panics
    ///
    /// Panics if the task has no result, since it was cancelled or has failed.
    pub async fn result(&self) -> CallResult {
        let mut state = self.ended().await;
        assert_eq!(state.at("status"), "completed", "no result: {state}");
        CallResult::read(state.take_at("result"), Vec::new())
    }
}

#[cfg(feature = "cli")]
impl TestTask<'_> {
    /// Waits for its result, or why there is none, and passes each state before that to
    /// `show`.
    pub(crate) async fn outcome_with(
        &self,
        show: &mut dyn FnMut(&Value),
    ) -> Result<Value, RequestError> {
        let mut state = self.ended_with(show).await?;
        match state.at("status").as_str() {
            Some("completed") => Ok(state.take_at("result")),
            Some("failed") => Err(RequestError::of_json(&mut state.take_at("error"))),
            _ => Err(RequestError::Cancelled),
        }
    }
}

impl fmt::Debug for TestTask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestTask")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
