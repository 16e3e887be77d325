//! `stdio`: serves over stdin and stdout.

use std::io;
use std::panic::resume_unwind;

use super::build::{Build, Failure};
use super::runtime::LazyRuntime;
use crate::logging;
use crate::support::task::spawn;
use crate::transport::{Ending, LAST_WRITE, Stdio};

/// Serves one client over stdin and stdout.
pub(super) fn stdio<Kind, B: Build<Kind>>(build: B, options: B::Options) -> Result<(), Failure> {
    // First: from here on nothing that is printed reaches the client.
    let mut stdio = Stdio::take().map_err(unusable)?;
    let _logs = logging::init();
    let runtime = LazyRuntime::default();
    let server = build.build(options, &runtime)?;
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
    let served = runtime.block_on(async move {
        // On a worker: this thread would have to be woken for each message.
        spawn(async move { server.serve_taken(stdio).await }).await
    });
    match served {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure(format!(
            "stdin and stdout cannot be served: {error}"
        ))),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(Failure(format!("the server was stopped: {error}"))),
        },
    }
}

fn unusable(error: io::Error) -> Failure {
    Failure(format!("stdin and stdout cannot be used: {error}"))
}
