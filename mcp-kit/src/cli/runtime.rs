//! The runtime that the command line brings.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Runs `run` with a runtime whose end waits for nobody, also where `run`
/// panics: a handler that blocks its thread must not keep the process alive.
pub(super) fn with_runtime<R>(run: impl FnOnce(&Runtime) -> R) -> io::Result<R> {
    let runtime = start()?;
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&runtime)));
    runtime.shutdown_background();
    Ok(outcome.unwrap_or_else(|panic| resume_unwind(panic)))
}

/// At least two workers, so that a handler which blocks one of them does not
/// stop the others.
fn start() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .enable_all()
        .build()
}
