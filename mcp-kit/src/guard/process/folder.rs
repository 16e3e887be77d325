//! The folder that a program works in: its own for one run, or one that the author chose.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::lookup::Lane;

/// Removes folders in which programs left files.
static REMOVALS: Lane = Lane::new("mcp-removals", 16);

/// Killed processes need a moment to end; until then they can add files.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(super) enum Folder {
    /// A new one for each run.
    Temporary,
    Fixed(Arc<Path>),
    #[cfg(all(
        feature = "fs",
        any(target_os = "linux", target_os = "android", target_vendor = "apple")
    ))]
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
            #[cfg(all(
                feature = "fs",
                any(target_os = "linux", target_os = "android", target_vendor = "apple")
            ))]
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
        // Most programs leave nothing behind.
        if !self.is_own || std::fs::remove_dir(&self.path).is_ok() {
            return;
        }
        let path = std::mem::take(&mut self.path);
        let remove = {
            let path = path.clone();
            move || remove(&path)
        };
        if REMOVALS.start(remove).is_err() {
            tracing::warn!(
                target: "mcp_kit::guard",
                folder = %path.display(),
                "a program's temporary folder is not removed: too many removals take too long"
            );
        }
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
