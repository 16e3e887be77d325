//! The process groups that are alive. A group is killed when its run ends in any way; if the
//! whole process ends first, by a thread outside of the runtime, [`kill_all`] does it.
//!
//! A group's number is its leader's. It is in the table only while the leader has not been waited
//! for, so the number cannot belong to another process when it is killed.
//!
//! The table is never locked during a start, which can take as long as a file system likes. A
//! start that finds the table closed when it has its number kills what it started.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Condvar;
#[cfg(feature = "cli")]
use std::time::Duration;

use tokio::process::{Child, Command};

use super::error::CommandError;
use super::folder::OpenFolder;

use crate::support::lock::Lock;

static GROUPS: Lock<Groups> = Lock::new(Groups {
    is_closed: false,
    starting: 0,
    live: BTreeMap::new(),
});
/// Wakes the end of the process when a start has ended.
static STARTED: Condvar = Condvar::new();

/// How long the end of the process waits for programs that are being started, and then for the
/// removal of folders.
#[cfg(feature = "cli")]
const PATIENCE: Duration = Duration::from_millis(200);

struct Groups {
    /// Whether the process ends, so that nothing is started any more.
    is_closed: bool,
    /// The number of starts in progress, whose groups have no number yet.
    starting: usize,
    /// By the leader's number, with the folder that was made for the run.
    live: BTreeMap<u32, Option<PathBuf>>,
}

/// A live group. Dropping it kills it.
pub(super) struct Group(u32);

impl Group {
    /// Starts a program as the leader of a group. Blocks until the program has been loaded.
    pub(super) fn start(
        command: &mut Command,
        folder: &OpenFolder,
    ) -> Result<(Self, Child), CommandError> {
        #[cfg(unix)]
        command.process_group(0);
        let _starting = Starting::begin()?;
        let child = command
            .spawn()
            .map_err(|error| CommandError::system("the program cannot be started", &error))?;
        let id = child.id().ok_or_else(|| {
            let error = io::Error::other("it has no process id");
            CommandError::system("the program cannot be watched", &error)
        })?;
        let mut groups = GROUPS.lock();
        if groups.is_closed {
            kill(id);
            return Err(CommandError::ending());
        }
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
        let mut groups = GROUPS.lock();
        if groups.live.remove(&self.0).is_some() {
            kill(self.0);
        }
    }
}

/// A start in progress. The end of the process waits for it.
struct Starting;

impl Starting {
    fn begin() -> Result<Self, CommandError> {
        let mut groups = GROUPS.lock();
        if groups.is_closed {
            return Err(CommandError::ending());
        }
        groups.starting += 1;
        Ok(Self)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        GROUPS.lock().starting -= 1;
        STARTED.notify_all();
    }
}

/// Kills all groups, and lets no further one start: for the end of the process.
#[cfg(feature = "cli")]
pub(crate) fn kill_all() {
    let mut groups = GROUPS.lock();
    groups.is_closed = true;
    let live = std::mem::take(&mut groups.live);
    for id in live.keys() {
        kill(*id);
    }
    // What is being started is killed by its starter.
    let waited = STARTED.wait_timeout_while(groups, PATIENCE, |groups| groups.starting > 0);
    drop(waited);
    super::folder::remove_now(live.into_values().flatten(), PATIENCE);
}

/// Allows groups to start again: a server begins to serve.
#[cfg(feature = "cli")]
pub(crate) fn open() {
    GROUPS.lock().is_closed = false;
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
