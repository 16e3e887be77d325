//! The start of a task: the request of a call is answered with the task, and the call
//! goes on without it.

use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::sync::oneshot;

use super::place::Place;
use super::run;
use super::store::TaskStoreError;
use super::task::{End, Task};
use crate::call::{
    Ask, AskFuture, BecomesTask, BeginFuture, CallContext, Error, Outbound, Question, Target, Work,
    WorkFuture,
};
use crate::server::ServerInner;
use crate::support::json::Members as _;
use crate::support::lock::Lock;

/// Answers a call that may become a task.
pub(super) struct StartTask {
    pub(super) server: Arc<ServerInner>,
    /// The target of the call that becomes a task.
    pub(super) target: Arc<Target>,
    /// Whether the client has declared the extension.
    pub(super) is_declared: bool,
}

impl Work for StartTask {
    fn run(&self, call: &Arc<CallContext>) -> WorkFuture {
        if !self.is_declared {
            let info = &self.target.info;
            let error = match info.missing_scope(&call.principal) {
                Some(_) => Error::hidden(info.kind(), info.name()),
                None => Error::needs_tasks(),
            };
            return Box::pin(ready(Err(error)));
        }
        let (call, server) = (Arc::clone(call), Arc::clone(&self.server));
        let (begun, beginning) = oneshot::channel();
        let task = Arc::new(Becoming(Arc::new(Shared {
            server: Arc::clone(&server),
            request: Arc::clone(&call),
            beginning: Lock::new(Some(begun)),
            task: OnceLock::new(),
            begun: Arc::default(),
            place: OnceLock::new(),
        })));
        let pending = call.becoming(&self.target, task);
        Box::pin(async move {
            let running = pending.clone().run(None);
            let mut running =
                running.ok_or_else(|| Error::internal("a call ended before its start"))?;
            tokio::select! {
                biased;
                answer = &mut running => match answer {
                    Some(answer) => Ok(call.adopt(&pending, answer)),
                    None => Err(Error::internal("a call ended without an answer")),
                },
                Ok(Begun { task, detached }) = beginning => {
                    let document = task.stored();
                    run::start(&server, task, pending, running);
                    let _ = detached.send(());
                    Ok(call.answer_with(|out| {
                        let document = document.document();
                        out.extend_from_slice(&document.as_bytes()[..document.len() - 1]);
                        call.home.end_result_as(out, "task");
                    }))
                }
            }
        })
    }

    fn is_observed_elsewhere(&self) -> bool {
        self.is_declared
    }
}

/// The task that a call may become, or is.
struct Becoming(Arc<Shared>);

struct Shared {
    server: Arc<ServerInner>,
    /// The call that its client waits for.
    request: Arc<CallContext>,
    /// Taken by the code that begins the task.
    beginning: Lock<Option<oneshot::Sender<Begun>>>,
    task: OnceLock<Arc<Task>>,
    begun: Arc<AtomicBool>,
    /// Given back once nothing of the call is left.
    place: OnceLock<Place>,
}

/// A task that was created.
struct Begun {
    task: Arc<Task>,
    /// Sent once the call runs without its request.
    detached: oneshot::Sender<()>,
}

impl BecomesTask for Becoming {
    fn begun(&self) -> &Arc<AtomicBool> {
        &self.0.begun
    }

    fn request(&self) -> &CallContext {
        &self.0.request
    }

    fn begin(&self, call: &Arc<CallContext>) -> BeginFuture {
        match self.0.beginning.lock().take() {
            Some(beginning) => Box::pin(begin(Arc::clone(&self.0), Arc::clone(call), beginning)),
            None => Box::pin(ready(Ok(()))),
        }
    }
}

async fn begin(
    shared: Arc<Shared>,
    call: Arc<CallContext>,
    beginning: oneshot::Sender<Begun>,
) -> Result<(), Error> {
    let server = &shared.server;
    let tasks = &server.tasks;
    let place = tasks.places.take(&call.principal, call.size())?;
    let task = tasks.create(&server.limits, &call)?;
    let mut undo = Undo(Some((server, &task)));
    if let Err(error) = task.publish(tasks.store()).await {
        undo.0 = None;
        run::withdraw(server, &task, error);
        return Err(match error {
            TaskStoreError::Full => {
                Error::busy("The server has no room for another task. Try again in a few minutes.")
            }
            error => Error::internal(error),
        });
    }
    let _ = shared.place.set(place);
    let _ = shared.task.set(Arc::clone(&task));
    shared.begun.store(true, Ordering::Release);
    let (detached, detaching) = oneshot::channel();
    let begun = Begun {
        task: Arc::clone(&task),
        detached,
    };
    // From here on another task polls the call, so that a handler that blocks its
    // thread does not delay the answer to the request.
    if beginning.send(begun).is_err() || detaching.await.is_err() {
        return Err(Error::internal("the request ended before its task began"));
    }
    undo.0 = None;
    Ok(())
}

/// Ends a task that no client will learn of: its request has ended meanwhile.
struct Undo<'a>(Option<(&'a Arc<ServerInner>, &'a Arc<Task>)>);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        let Some((server, task)) = self.0.take() else {
            return;
        };
        task.end(End::Cancelled);
        run::forget(server, task);
    }
}

impl Ask for Becoming {
    fn ask(&self, call: &Arc<CallContext>, question: Question) -> AskFuture {
        match self.0.task.get() {
            Some(task) => {
                let (call, asking) = (Arc::clone(call), Arc::clone(task).ask(question));
                let server = Arc::clone(&self.0.server);
                Box::pin(async move {
                    let answer = async {
                        let answer = asking.await?;
                        // Counted until the handler has its permits again.
                        let places = &server.tasks.places;
                        let held = places.hold(&call.principal, answer.get().len())?;
                        Ok::<_, Error>((answer, held))
                    };
                    // The time of a task contains its questions, so its clock goes on.
                    let (answer, _) = call.while_lending(answer).await?;
                    Ok(answer)
                })
            }
            None => Box::pin(ready(Err(Error::no_client(call.target.info.kind())))),
        }
    }
}

impl Outbound for Becoming {
    fn notify(&self, _: &CallContext, method: &str, params: &Value) {
        const PROGRESS: &str = "notifications/progress";
        let request = &self.0.request;
        match (self.0.task.get(), &request.outbound) {
            // Tasks have no notifications of their own; progress is part of their
            // status.
            (Some(task), _) if method == PROGRESS => task.report(&in_words(params)),
            (Some(_), _) | (None, None) => {}
            (None, Some(_)) if method == PROGRESS && request.progress_token.is_none() => {}
            (None, Some(outbound)) => outbound.notify(request, method, params),
        }
    }

    /// A client with tasks receives no requests.
    fn send(&self, _: &[u8]) -> bool {
        false
    }
}

/// Returns a progress report as a status message: its own message, or `3 of 10`.
fn in_words(params: &Value) -> String {
    if let Some(message) = params.at("message").as_str() {
        return message.to_owned();
    }
    match params.member("total") {
        Some(total) => format!("{} of {}", number(params.at("progress")), number(total)),
        None => number(params.at("progress")),
    }
}

/// Formats a number, without `.0` if it is whole.
fn number(value: &Value) -> String {
    value.as_f64().unwrap_or_default().to_string()
}
