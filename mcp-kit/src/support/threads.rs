//! Threads, started in little code.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread. Without a size, its stack has the standard library's.
///
/// The body is boxed: otherwise the code by which the standard library starts a thread is
/// compiled for each closure, about 4 kB in the binary of every server.
///
/// # Errors
///
/// The system's, if it can start no thread.
pub(crate) fn start(
    name: &str,
    stack: Option<usize>,
    body: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    let mut builder = Builder::new().name(name.to_owned());
    if let Some(bytes) = stack {
        builder = builder.stack_size(bytes);
    }
    builder.spawn(body)
}
