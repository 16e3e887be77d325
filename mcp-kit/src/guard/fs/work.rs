//! Where the blocking calls of the file guard run: threads of its own.
//!
//! Neither the runtime's workers nor the pool of blocking tools wait for a disk. Work waits
//! for its turn without a thread. What hangs (a network file system that does not answer)
//! keeps its thread and gives its turn back when its caller stops waiting; when as much hangs
//! as there are threads to spare, further work is refused as busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::Semaphore;

use super::error::{FileError, FileErrorKind};
use super::path::SandboxPath;
use crate::lookup::{Lane, Unfinished};

/// How much runs at a time.
const AT_A_TIME: usize = 16;
/// How much more may hang.
const HANGING: usize = 16;

static FOLDERS: Lane = Lane::new("mcp-folders", AT_A_TIME + HANGING);
static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);

/// Whether the caller still waits. Long work asks between its pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller(Arc<AtomicBool>);

impl Caller {
    pub(super) fn has_left(&self) -> bool {
        self.0.load(Relaxed)
    }
}

struct Waiting(Caller);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Relaxed);
    }
}

/// Runs `work` about `path` on a thread that may block. Dropping the future tells the work
/// to end.
pub(super) async fn run<T: Send + 'static>(
    path: &SandboxPath,
    work: impl FnOnce(&Caller) -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let _turn = TURNS.acquire().await;
    let caller = Caller::default();
    let _waiting = Waiting(caller.clone());
    match FOLDERS.finish(move || work(&caller)).await {
        Ok(outcome) => outcome,
        Err(Unfinished::Full) => Err(FileError::new(FileErrorKind::Busy, path.as_str())),
        Err(error) => Err(FileError::of_io(path, std::io::Error::other(error))),
    }
}
