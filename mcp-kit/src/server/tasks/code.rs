//! The code of tasks as the rest of the server reaches it: through one value, which only
//! tools refer to whose calls may become tasks. The linker drops it, and with it most of
//! `tasks`, from a program that has no such tool.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::methods;
use super::start::StartTask;
use crate::call::{TaskTarget, Work};
use crate::caller::Principal;
use crate::primitive::{TaskCode, TaskOffer, TaskSupport, ToolDefinition};
use crate::protocol::RpcError;
use crate::server::ServerInner;
use crate::server::dispatch::Ask;
use crate::server::messages::internal;
use crate::server::subscriptions::{self, FoundTasks};
use crate::tool::ToolSpec;

/// A method about a task.
#[derive(Clone, Copy)]
pub(in crate::server) enum TaskMethod {
    Get,
    Update,
    Cancel,
}

/// What the server calls for the sake of tasks.
pub(in crate::server) struct TaskFunctions {
    /// Returns the work of a call that may become a task. The last argument is whether
    /// the client has declared the extension.
    pub(super) start: fn(&Arc<ServerInner>, &TaskTarget, bool) -> Box<dyn Work>,
    /// Returns the work that answers a request about a task.
    request: MakeWork,
    /// Finds the caller's tasks with these ids, to be followed.
    pub(in crate::server) find: FindTasks,
}

type MakeWork = fn(&Arc<ServerInner>, TaskMethod, &Ask<'_, '_>) -> Result<Box<dyn Work>, RpcError>;

type FindTasks = for<'a> fn(
    &'a mut Option<Box<dyn FoundTasks>>,
    &'a ServerInner,
    &'a Principal,
    &'a [Box<str>],
) -> Finding<'a>;

type Finding<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl TaskCode for TaskFunctions {}

static CODE: TaskFunctions = TaskFunctions {
    start: |server, task, is_declared| {
        Box::new(StartTask {
            server: Arc::clone(server),
            target: Arc::clone(&task.target),
            is_declared,
        })
    },
    request: methods::request,
    find: |found, server, caller, ids| {
        Box::pin(subscriptions::find_tasks(found, server, caller, ids))
    },
};

const fn offer(support: TaskSupport) -> TaskOffer {
    TaskOffer {
        support,
        code: &CODE,
    }
}

/// Opens the code of an offer. Without it the call would run, but not as a task: a mistake
/// of this crate must not end so.
pub(super) fn of(code: &'static dyn TaskCode) -> Result<&'static TaskFunctions, RpcError> {
    let code: &dyn Any = code;
    let functions = code.downcast_ref();
    functions.ok_or_else(|| internal("tasks", "a tool has the code of tasks of another server"))
}

impl ServerInner {
    /// Returns the code of tasks, if the server has a tool whose calls may become tasks.
    pub(in crate::server) fn task_code(&self) -> Result<Option<&'static TaskFunctions>, RpcError> {
        self.registry.current().task_code().map(of).transpose()
    }

    /// Returns the work that answers a request about a task.
    pub(in crate::server) fn about_task(
        self: &Arc<Self>,
        method: TaskMethod,
        ask: &Ask<'_, '_>,
    ) -> Result<Box<dyn Work>, RpcError> {
        match self.task_code()? {
            Some(code) => (code.request)(self, method, ask),
            None => Err(RpcError::method_not_found(&ask.request.method)),
        }
    }
}

// The setters are here, since they name `CODE`, and the modules of their types may not
// name `server`.

impl ToolDefinition {
    /// Makes tasks of calls: see [`TaskSupport`].
    #[must_use]
    pub fn with_task(mut self, support: TaskSupport) -> Self {
        self.task = Some(offer(support));
        self
    }
}

#[allow(missing_docs)]
impl ToolSpec {
    /// Makes tasks of the calls of clients that declare the extension.
    pub fn task(&mut self, is_task: bool) {
        self.task = is_task.then_some(offer(TaskSupport::Optional));
    }

    /// Requires the extension for tasks.
    pub fn task_required(&mut self) {
        self.task = Some(offer(TaskSupport::Required));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;

    #[test]
    fn code_of_another_type_is_an_error_and_no_plain_call() {
        struct Other;
        impl TaskCode for Other {}
        let error = of(&Other).err().unwrap();
        assert_eq!(error.code, ErrorCode::InternalError);
        assert!(of(&CODE).is_ok());
    }
}
