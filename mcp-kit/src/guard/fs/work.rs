//! Runs the blocking calls of the file guard on separate threads.
//!
//! Neither the runtime's workers nor the pool of blocking tools wait for a
//! disk. Work waits for its turn without a thread. Work that hangs (on a
//! network file system that does not answer) keeps its thread and releases its
//! turn when its caller stops waiting; when all spare threads hang, further
//! work is refused as busy.
//!
//! Turns and threads belong to one opened folder, so that a folder that hangs
//! does not delay another. The process also has a limit, which only several
//! such folders can reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cap_std::fs::Dir;
use tokio::sync::Semaphore;

use super::SandboxDir;
use super::error::{FileError, FileErrorKind};
use super::path::SandboxPath;
use crate::support::lookup::{Lane, Unfinished};

/// How many pieces of work run at once in one folder.
const AT_A_TIME: usize = 16;
/// How many further pieces of work of one folder may hang.
const HANGING: usize = 16;
/// How many pieces of work of all folders may run or hang.
const IN_ALL: usize = 8 * (AT_A_TIME + HANGING);

static FOLDERS: Lane = Lane::new("mcp-folders", IN_ALL);

/// A folder's share of the threads.
pub(super) struct Share {
    turns: Semaphore,
    threads: Arc<Semaphore>,
}

impl Share {
    pub(super) fn new() -> Self {
        Self {
            turns: Semaphore::new(AT_A_TIME),
            threads: Arc::new(Semaphore::new(AT_A_TIME + HANGING)),
        }
    }
}

/// Whether the caller still waits. Long work checks between its pieces.
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

impl SandboxDir {
    /// Runs `work` for `path` on a thread that may block. Dropping the future
    /// asks the work to end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        path: &SandboxPath,
        work: impl FnOnce(&Dir, &Caller) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, FileError> {
        let busy = || FileError::new(FileErrorKind::Busy, path.as_str());
        let share = &self.0.share;
        let _turn = share.turns.acquire().await;
        let thread = Arc::clone(&share.threads).try_acquire_owned();
        let thread = thread.map_err(|_| busy())?;
        let caller = Caller::default();
        let _waiting = Waiting(caller.clone());
        let folder = Arc::clone(&self.0);
        let outcome = FOLDERS.finish(move || {
            let _thread = thread;
            work(&folder.dir, &caller)
        });
        match outcome.await {
            Ok(outcome) => outcome,
            Err(Unfinished::Full) => Err(busy()),
            Err(error) => Err(FileError::of_io(path, std::io::Error::other(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::task::Poll;

    use super::*;

    fn folder() -> SandboxDir {
        SandboxDir::open(env!("CARGO_MANIFEST_DIR")).unwrap()
    }

    /// A system call that does not return until the sender is dropped.
    fn hang() -> (Sender<()>, Arc<Mutex<Receiver<()>>>) {
        let (go, gate) = channel();
        (go, Arc::new(Mutex::new(gate)))
    }

    #[tokio::test]
    async fn work_that_hangs_is_left_behind_until_there_is_too_much_of_it() {
        let (path, dir, healthy) = (SandboxPath::default(), folder(), folder());
        let (go, gate) = hang();
        for _ in 0..AT_A_TIME + HANGING {
            let gate = Arc::clone(&gate);
            let mut hung = Box::pin(dir.run(&path, move |_, caller| {
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
        let refused = dir.clone().run(&path, |_, _| Ok(())).await.unwrap_err();
        assert_eq!(refused.kind(), FileErrorKind::Busy);
        let error = crate::ToolError::from(refused);
        assert_eq!(error.kind(), crate::call::ErrorKind::Busy);
        assert!(error.message().unwrap().contains("Try again"));
        healthy.run(&path, |_, _| Ok(())).await.unwrap();
        drop(go);
        while dir.run(&path, |_, _| Ok(())).await.is_err() {
            tokio::task::yield_now().await;
        }
        let panicked = dir.run(&path, |_, _| -> Result<(), _> { panic!("on purpose") });
        assert_eq!(panicked.await.unwrap_err().kind(), FileErrorKind::Failed);
    }

    #[tokio::test]
    async fn calls_that_wait_for_one_folder_hold_up_no_other_folder() {
        let (path, dir, healthy) = (SandboxPath::default(), folder(), folder());
        let (go, gate) = hang();
        let calls: Vec<_> = (0..2 * AT_A_TIME)
            .map(|_| {
                let (dir, path, gate) = (dir.clone(), path.clone(), Arc::clone(&gate));
                tokio::spawn(async move {
                    let work = move |_: &Dir, _: &Caller| {
                        let _ = gate.lock().unwrap().recv();
                        Ok(())
                    };
                    dir.run(&path, work).await
                })
            })
            .collect();
        while dir.0.share.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        healthy.run(&path, |_, _| Ok(())).await.unwrap();
        drop(go);
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }

    #[test]
    fn a_failure_of_the_system_is_an_internal_error_without_the_clients_path() {
        let path: SandboxPath = "private/name".parse().unwrap();
        let failed = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = crate::ToolError::from(FileError::of_io(&path, failed));
        assert!(!error.has_message());
        let source = error.source().unwrap();
        assert!(!source.to_string().contains("private"));
        assert!(source.source().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_moved_to_another_disk_is_reported_to_the_client() {
        let path: SandboxPath = "disk/name".parse().unwrap();
        let refused = FileError::of_io(&path, rustix::io::Errno::XDEV.into());
        assert_eq!(refused.kind(), FileErrorKind::OtherDisk);
        let error = crate::ToolError::from(refused);
        assert!(error.has_message());
        assert!(error.message().unwrap().contains("another disk"));
    }
}
