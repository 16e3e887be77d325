//! The process groups that are alive. A group is killed when its run ends in any way; if the
//! whole process ends first, by a thread outside of the runtime, [`kill_all`] does it.
//!
//! A group's number is its leader's. It is in the table only while the leader has not been waited
//! for, so the number cannot belong to another process when it is killed.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::error::CommandError;
use super::folder::OpenFolder;

static GROUPS: Mutex<Groups> = Mutex::new(Groups {
    is_closed: false,
    live: BTreeMap::new(),
});

/// How long the end of the process waits for a program that is just being started.
const PATIENCE: Duration = Duration::from_millis(200);

struct Groups {
    /// The process ends: nothing is started any more.
    is_closed: bool,
    /// By the leader's number, with the folder that was made for the run.
    live: BTreeMap<u32, Option<PathBuf>>,
}

/// A live group. Dropping it kills it.
pub(super) struct Group(u32);

impl Group {
    /// Starts a program as the leader of a group. This happens under the table's lock: between a
    /// start and its entry the process could end and leave the group behind.
    pub(super) fn start(
        command: &mut Command,
        folder: &OpenFolder,
    ) -> Result<(Self, Child), CommandError> {
        #[cfg(unix)]
        command.process_group(0);
        let mut groups = lock();
        if groups.is_closed {
            return Err(CommandError::ending());
        }
        let child = command
            .spawn()
            .map_err(|error| CommandError::system("the program cannot be started", &error))?;
        let id = child.id().ok_or_else(|| {
            let error = io::Error::other("it has no process id");
            CommandError::system("the program cannot be watched", &error)
        })?;
        let own = folder.is_own.then(|| folder.path.clone());
        groups.live.insert(id, own);
        Ok((Self(id), child))
    }

    #[cfg(unix)]
    pub(super) fn leader(&self) -> Option<rustix::process::Pid> {
        leader(self.0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = lock();
        if groups.live.remove(&self.0).is_some() {
            kill(self.0);
        }
    }
}

/// Kills all groups, and lets no further one start: for the end of the process.
pub(crate) fn kill_all() {
    let patience = Instant::now() + PATIENCE;
    let mut groups = loop {
        match GROUPS.try_lock() {
            Ok(groups) => break groups,
            Err(TryLockError::Poisoned(groups)) => break groups.into_inner(),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(TryLockError::WouldBlock) => return,
        }
    };
    groups.is_closed = true;
    for (id, folder) in std::mem::take(&mut groups.live) {
        kill(id);
        if let Some(folder) = folder {
            // Only if it is empty: the process must not wait for the removal of many files.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Lets groups start again: a server begins to serve.
pub(crate) fn open() {
    lock().is_closed = false;
}

#[cfg(unix)]
fn leader(id: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(id).ok()?)
}

fn kill(id: u32) {
    #[cfg(unix)]
    if let Some(leader) = leader(id) {
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
    // On Windows tokio kills the program when its `Child` is dropped.
    #[cfg(not(unix))]
    let _ = id;
}

fn lock() -> MutexGuard<'static, Groups> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}
