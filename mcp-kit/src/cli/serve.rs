//! `stdio`: serves over stdin and stdout.

use std::io;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::build::{Failure, Program};
use super::runtime::LazyRuntime;
use crate::logging;
use crate::server::Server;
use crate::support::lock::Lock;
use crate::support::task::{block_on, spawn_on};
use crate::transport::{Ending, LAST_WRITE, Stdio};

/// Serves one client over stdin and stdout.
pub(super) fn stdio(program: &mut dyn Program) -> Result<(), Failure> {
    // First: from here on nothing that is printed reaches the client.
    let mut stdio = Stdio::take().map_err(unusable)?;
    let _logs = logging::init();
    let runtime = LazyRuntime::default();
    let server = program.build(&runtime)?;
    if !runtime.is_started() {
        stdio.greet(&server);
    }
    let runtime = runtime.get()?;
    let input = (stdio.input_end()).map_err(unusable)?;
    let _ending = Ending::start(server.inner(), runtime.handle(), LAST_WRITE, move || {
        input.has_ended()
    })
    .map_err(|error| {
        Failure(format!(
            "the thread that ends the process cannot be started: {error}"
        ))
    })?;
    serve(runtime, server, stdio)
}

fn serve(runtime: &Runtime, server: Server, stdio: Stdio) -> Result<(), Failure> {
    let outcome = Arc::new(Lock::new(Ok(())));
    let its_outcome = Arc::clone(&outcome);
    // On a worker: this thread would have to be woken for each message.
    let serving = spawn_on(runtime.handle(), async move {
        let served = server.serve_taken(stdio).await;
        *its_outcome.lock() = served;
    });
    let mut ended = Ok(());
    block_on(runtime, pin!(async { ended = serving.await }));
    match ended {
        Ok(()) => std::mem::replace(&mut *outcome.lock(), Ok(()))
            .map_err(|error| Failure(format!("stdin and stdout cannot be served: {error}"))),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(Failure(format!("the server was stopped: {error}"))),
        },
    }
}

fn unusable(error: io::Error) -> Failure {
    Failure(format!("stdin and stdout cannot be used: {error}"))
}
