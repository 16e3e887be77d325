//! Starts a program, on a thread that may block.
//!
//! The folder is made and the program started by the file system, and one that does not answer
//! (a network share, a dying disk) holds both up for as long as it likes: the system returns from
//! a start only when the program has been loaded. No worker of the runtime waits for that. A start
//! that hangs keeps its thread and its turn, and what it starts at last is killed at once if its
//! caller has left.

use std::process::Stdio;
use std::sync::{Arc, Weak};

use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::Command;
use super::error::CommandError;
use super::folder::OpenFolder;
use super::groups::Group;
use crate::support::lookup::{Lane, Unfinished};

/// How many programs may be starting at a time. One `Command` whose starts all hang takes as many
/// as its concurrency.
const AT_A_TIME: usize = 64;

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);
/// Twice as many: work releases its turn a moment before the lane counts it as
/// ended.
static STARTS: Lane = Lane::new("mcp-programs", 2 * AT_A_TIME);

/// A running program. It is dropped in the order of the fields: the group is killed before its
/// leader is waited for, and nothing of it runs when the next run takes its turn.
pub(super) struct Started {
    pub(super) group: Group,
    pub(super) child: Child,
    pub(super) folder: OpenFolder,
    pub(super) run: OwnedSemaphorePermit,
}

/// The permits of a start: one of the runs of its `Command`, and one of all
/// starts.
pub(super) struct Turn {
    run: OwnedSemaphorePermit,
    start: SemaphorePermit<'static>,
}

impl Turn {
    pub(super) async fn wait(runs: Arc<Semaphore>) -> Result<Self, CommandError> {
        let closed = |_| CommandError::busy();
        let run = runs.acquire_owned().await.map_err(closed)?;
        let start = TURNS.acquire().await.map_err(closed)?;
        Ok(Self { run, start })
    }
}

/// Starts a program. Dropping the future does not end a start that hangs; its
/// turn is released when it ends.
pub(super) async fn start(command: Command, turn: Turn) -> Result<Started, CommandError> {
    let runtime = Handle::current();
    let caller = Arc::new(());
    let waiting = Arc::downgrade(&caller);
    let work = move || {
        // The program's pipes belong to the runtime of its caller.
        let _context = runtime.enter();
        start_here(&command, turn, &waiting)
    };
    match STARTS.finish(work).await {
        Ok(started) => started,
        Err(Unfinished::Full) => Err(CommandError::busy()),
        Err(error) => {
            let error = std::io::Error::other(error);
            Err(CommandError::system(
                "the program cannot be started",
                &error,
            ))
        }
    }
}

fn start_here(command: &Command, turn: Turn, caller: &Weak<()>) -> Result<Started, CommandError> {
    let Turn { run, start: _start } = turn;
    let folder = command
        .folder
        .open()
        .map_err(|error| CommandError::system("the program's folder cannot be opened", &error))?;
    if caller.strong_count() == 0 {
        // Nothing reads it.
        return Err(CommandError::busy());
    }
    let mut prepared = tokio::process::Command::new(&*command.program);
    prepared
        .args(&command.arguments)
        .env_clear()
        .envs(
            command
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .current_dir(&folder.path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Without it most programs cannot load their libraries.
    #[cfg(windows)]
    if let Some(root) = std::env::var_os("SystemRoot") {
        prepared.env("SystemRoot", root);
    }
    let (group, child) = Group::start(&mut prepared, &folder)?;
    Ok(Started {
        group,
        child,
        folder,
        run,
    })
}
