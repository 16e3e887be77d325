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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::mpsc::channel;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn work_that_hangs_is_left_behind_until_there_is_too_much_of_it() {
        let path = SandboxPath::default();
        let (go, gate) = channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        for _ in 0..AT_A_TIME + HANGING {
            let gate = Arc::clone(&gate);
            let mut hung = Box::pin(run(&path, move |caller| {
                while !caller.has_left() {
                    std::thread::yield_now();
                }
                // The caller has left, and the system call does not return.
                let _ = gate.lock().unwrap().recv();
                Ok(())
            }));
            let begun = poll_fn(|context| Poll::Ready(hung.as_mut().poll(context).is_pending()));
            assert!(begun.await);
        }
        let refused = run(&path, |_| Ok(())).await.unwrap_err();
        assert_eq!(refused.kind(), FileErrorKind::Busy);
        let error = crate::ToolError::from(refused);
        assert_eq!(error.kind(), crate::tool::ErrorKind::Busy);
        assert!(error.message().unwrap().contains("Try again"));
        drop(go);
        while run(&path, |_| Ok(())).await.is_err() {
            tokio::task::yield_now().await;
        }
        let panicked = run(&path, |_| -> Result<(), _> { panic!("on purpose") });
        assert_eq!(panicked.await.unwrap_err().kind(), FileErrorKind::Failed);
    }

    #[test]
    fn a_failure_of_the_system_is_an_internal_error_without_the_clients_path() {
        let path: SandboxPath = "private/name".parse().unwrap();
        let failed = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = crate::ToolError::from(FileError::of_io(&path, failed));
        assert!(!error.is_user());
        let source = error.source().unwrap();
        assert!(!source.to_string().contains("private"));
        assert!(source.source().is_some());
    }
}
