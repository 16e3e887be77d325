//! The moment at which a call becomes a task, if its handler decides it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::{FromCall, Requirements};
use crate::call::{Call, CallContext, Error};

/// The task that the call of a `#[tool(task)]` may become.
///
/// Without this parameter a call becomes a task once its arguments are checked,
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
pub struct Task(Option<Becoming>);

/// Weak, so that a handler that keeps it does not keep the call.
#[derive(Clone)]
struct Becoming {
    call: Weak<CallContext>,
    begun: Arc<AtomicBool>,
}

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
    /// and with an internal error if the task cannot be stored, or the call has ended.
    pub async fn begin(&self) -> Result<(), Error> {
        let Some(becoming) = &self.0 else {
            return Ok(());
        };
        match becoming.call.upgrade() {
            Some(call) => match &call.task {
                Some(task) => task.begin(&call).await,
                None => Ok(()),
            },
            None if self.has_begun() => Ok(()),
            None => Err(Error::internal("a task was begun after its call had ended")),
        }
    }

    /// Whether the call is a task, or was one: its client does not wait for it.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let becoming = self.0.as_ref();
        becoming.is_some_and(|becoming| becoming.begun.load(Ordering::Acquire))
    }
}

impl FromCall for Task {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let context = call.context();
        Ok(Self(context.task.as_ref().map(|task| Becoming {
            call: Arc::downgrade(context),
            begun: Arc::clone(task.begun()),
        })))
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
