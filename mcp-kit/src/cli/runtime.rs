//! The runtime of the command line.

use std::cell::OnceCell;
use std::io;
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::build::Failure;
use crate::transport::signals::check_descriptors;

/// A runtime that starts when it is first needed, and that waits for no task
/// when it ends: a handler that blocks its thread must not keep the process
/// alive.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct LazyRuntime(OnceCell<Runtime>);

impl LazyRuntime {
    pub(super) fn get(&self) -> Result<&Runtime, Failure> {
        if let Some(runtime) = self.0.get() {
            return Ok(runtime);
        }
        let runtime =
            start().map_err(|error| Failure(format!("the runtime cannot be started: {error}")))?;
        Ok(self.0.get_or_init(|| runtime))
    }

    pub(super) fn is_started(&self) -> bool {
        self.0.get().is_some()
    }
}

impl Drop for LazyRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Starts at least two workers, so that a handler that blocks one of them does
/// not stop the others.
fn start() -> io::Result<Runtime> {
    check_descriptors()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .enable_all()
        .build()
}
