//! The working folder of a program: a new one for each run, or one that the
//! author chose.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar};
use std::thread;
use std::time::Duration;

use crate::support::lock::Lock;
use crate::support::lookup::Lane;

/// How many threads remove folders. Those that hang keep theirs.
const REMOVERS: usize = 16;
/// How many folders wait for one of them.
const MOST_WAITING: usize = 1_000;

/// Twice as many: a remover stops a moment before the lane counts it as ended.
static REMOVALS: Lane = Lane::new("mcp-removals", 2 * REMOVERS);
static USED: Lock<Used> = Lock::new(Used {
    folders: VecDeque::new(),
    removers: 0,
});
/// Wakes the end of the process when a remover has nothing left.
static REMOVED: Condvar = Condvar::new();

/// The folders of runs that have ended.
struct Used {
    folders: VecDeque<PathBuf>,
    removers: usize,
}

/// Killed processes need a moment to end; until then they can add files.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(super) enum Folder {
    /// A new one for each run.
    Temporary,
    Fixed(Arc<Path>),
    #[cfg(feature = "fs")]
    Sandbox(crate::guard::SandboxDir),
}

impl Folder {
    pub(super) fn open(&self) -> io::Result<OpenFolder> {
        match self {
            Self::Temporary => OpenFolder::create(),
            Self::Fixed(path) => Ok(OpenFolder {
                path: path.to_path_buf(),
                is_own: false,
            }),
            #[cfg(feature = "fs")]
            Self::Sandbox(dir) => Ok(OpenFolder {
                path: dir.for_child()?,
                is_own: false,
            }),
        }
    }
}

/// A folder for one run. Dropping it removes it, if it was made for the run.
pub(super) struct OpenFolder {
    pub(super) path: PathBuf,
    pub(super) is_own: bool,
}

impl OpenFolder {
    fn create() -> io::Result<Self> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let mut name = String::from("mcp-kit-");
        for byte in random {
            let _ = write!(name, "{byte:02x}");
        }
        let path = std::env::temp_dir().join(name);
        #[cfg_attr(not(unix), expect(unused_mut))]
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self { path, is_own: true })
    }
}

impl Drop for OpenFolder {
    fn drop(&mut self) {
        if self.is_own {
            remove_later(std::mem::take(&mut self.path));
        }
    }
}

/// Removes folders, and waits for it and for all removals before up to `patience`: for the end of
/// the process.
#[cfg(feature = "cli")]
pub(super) fn remove_now(folders: impl Iterator<Item = PathBuf>, patience: Duration) {
    folders.for_each(remove_later);
    let waited = REMOVED.wait_timeout_while(USED.lock(), patience, |used| used.removers > 0);
    drop(waited);
}

/// Removes a folder on another thread: the file system may not answer.
fn remove_later(folder: PathBuf) {
    let mut used = USED.lock();
    if used.folders.len() >= MOST_WAITING {
        drop(used);
        tracing::warn!(
            target: "mcp_kit::guard",
            folder = %folder.display(),
            "a program's temporary folder is not removed: too many removals take too long"
        );
        return;
    }
    used.folders.push_back(folder);
    if used.removers == REMOVERS {
        return;
    }
    used.removers += 1;
    drop(used);
    if REMOVALS.start(remove_all).is_err() {
        // There is no thread. The folder is removed after the next run.
        USED.lock().removers -= 1;
    }
}

fn remove_all() {
    loop {
        let mut used = USED.lock();
        let Some(folder) = used.folders.pop_front() else {
            used.removers -= 1;
            REMOVED.notify_all();
            return;
        };
        drop(used);
        remove(&folder);
    }
}

fn remove(path: &Path) {
    for _ in 0..TRIES {
        match std::fs::remove_dir_all(path) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) => thread::sleep(BETWEEN_TRIES),
        }
    }
    tracing::warn!(
        target: "mcp_kit::guard",
        folder = %path.display(),
        "a program's temporary folder cannot be removed"
    );
}
