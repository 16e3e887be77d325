//! The guard of folders: what arguments may say, and that nothing leads out of the folder,
//! blocks, or takes more memory or disk than it may.

#![cfg(unix)]
// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod limits;
mod listing;
mod reading;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use mcp_kit::guard::{FileError, FileErrorKind, SandboxDir, SandboxPath, WritableDir};

/// A folder with the sandbox `inside`, and beside it what must not be reached. Removed when
/// dropped.
struct Scratch(PathBuf);

const SECRET: &str = "a secret outside";

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("guard-fs-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("inside/docs")).unwrap();
        fs::create_dir_all(folder.join("inside-too")).unwrap();
        fs::write(folder.join("inside/docs/notes.txt"), "notes").unwrap();
        fs::write(folder.join("secret.txt"), SECRET).unwrap();
        fs::write(folder.join("inside-too/secret.txt"), SECRET).unwrap();
        Self(folder)
    }

    /// A path of the host below the sandbox.
    fn inside(&self, path: &str) -> PathBuf {
        self.0.join("inside").join(path)
    }

    fn outside(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn open(&self) -> SandboxDir {
        SandboxDir::open(self.0.join("inside")).unwrap()
    }

    fn writable(&self, quota: u64) -> WritableDir {
        SandboxDir::open_writable(self.0.join("inside"), quota).unwrap()
    }

    fn link(&self, target: impl AsRef<Path>, name: &str) {
        std::os::unix::fs::symlink(target, self.inside(name)).unwrap();
    }

    /// The names in the sandbox's folder, as the host sees them.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.inside(folder)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Fails if the words that a client would read show where the folder is.
    fn refused<T>(&self, outcome: Result<T, FileError>) -> FileErrorKind {
        let error = outcome.err().expect("it must be refused");
        let text = error.to_string();
        assert!(!text.contains(self.0.to_str().unwrap()), "{text}");
        assert!(!text.contains("os error"), "{text}");
        error.kind()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn path(text: &str) -> SandboxPath {
    text.parse().expect("a valid path")
}
