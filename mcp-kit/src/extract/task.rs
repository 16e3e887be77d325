//! The moment at which a call becomes a task, if its handler decides it.

use std::fmt;
use std::sync::Arc;

use super::{FromCall, Requirements};
use crate::call::{Call, CallContext, Error};

/// The task that the call of a `#[tool(task)]` may become.
///
/// Without this parameter a call becomes a task before its arguments are checked,
/// and everything that the handler does is part of the task. With it the handler
/// decides: what comes before [`begin`](Self::begin) is part of the client's
/// request, such as a question whose answer decides whether there is work to do.
///
/// ```
/// use mcp_kit::extract::Task;
/// use mcp_kit::prelude::*;
///
/// /// Builds the index again.
/// #[tool(task)]
/// async fn reindex(task: Task) -> Result<&'static str, ToolError> {
///     // Quick checks, which answer the request itself.
///     task.begin().await?;
///     // The long part.
///     Ok("The index is new.")
/// }
/// ```
#[derive(Clone)]
pub struct Task(Arc<CallContext>);

impl Task {
    /// Makes a task of the call: the client receives the task's id as the answer to
    /// its request, and the handler goes on without the request, within the limits
    /// of tasks.
    ///
    /// Changes nothing if the client waits for the result
    /// ([`TaskSupport`](crate::tool::TaskSupport)), and if the call is a task
    /// already.
    ///
    /// # Errors
    ///
    /// Fails with a message for the client if the caller has too many tasks
    /// ([`Limits::tasks_per_principal`](crate::server::Limits::tasks_per_principal)),
    /// and with an internal error if the task cannot be stored.
    pub async fn begin(&self) -> Result<(), Error> {
        match &self.0.task {
            Some(task) => task.begin(&self.0).await,
            None => Ok(()),
        }
    }

    /// Whether the call is a task: its client does not wait for it.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let task = self.0.task.as_ref();
        task.is_some_and(|task| task.has_begun())
    }
}

impl FromCall for Task {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        Ok(Self(Arc::clone(call.context())))
    }

    fn requires(requirements: &mut Requirements) {
        requirements.task();
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("has_begun", &self.has_begun())
            .finish_non_exhaustive()
    }
}
