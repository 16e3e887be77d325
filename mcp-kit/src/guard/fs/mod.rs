//! A folder that no path leaves, and the paths inside it.
//!
//! `path` parses what a client writes, `read`, `list` and `write` are the
//! operations of a handler, and `work` has the threads on which they run.
//! Everything is resolved below one open handle (`openat2` with
//! `RESOLVE_BENEATH` on Linux, the same rule part by part elsewhere), so there
//! is no moment between a check and a use in which a link could be swapped.

mod error;
mod list;
mod path;
mod quota;
mod read;
mod work;
mod write;

use std::io;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

pub use error::{FileError, FileErrorKind};
pub use list::{Entry, ListLimits, Listing};
pub use path::SandboxPath;
pub use read::{FileInfo, FileKind, FileReader};
pub use write::{IfExists, WritableDir};

/// A folder of the host in which [`SandboxPath`]s are resolved, and which no
/// path leaves.
///
/// The server's author opens it once and adds it to the server's state; a clone
/// is another handle of the same open folder. Paths are resolved below that
/// handle by the operating system. Links are followed as long as they stay
/// inside: absolute links, `..` above the folder, and links that are swapped
/// during the call are refused. Devices, pipes and sockets are refused without
/// waiting for them.
///
/// The methods run on separate threads, so a slow disk delays neither the
/// runtime nor blocking tools. Each folder that is opened, with its clones,
/// runs 16 calls at a time, and others wait; so a disk that hangs does not
/// delay other folders. Calls fail with [`FileErrorKind::Busy`] when 32 pieces
/// of a folder's work hang, or 256 of the process.
///
/// Dropping a future ends its work within the next 4 to 64 MiB of a file, or the next entry of
/// a folder.
///
/// ```
/// use garde::Validate;
/// use mcp_kit::guard::{SandboxDir, SandboxPath};
/// use mcp_kit::prelude::*;
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
/// struct ReadArgs {
///     /// Which file to read.
///     #[garde(skip)]
///     path: SandboxPath,
/// }
///
/// /// Read a text file.
/// #[tool(read_only)]
/// async fn read_file(args: ReadArgs, State(docs): State<SandboxDir>) -> Result<String, ToolError> {
///     Ok(docs.read_text(&args.path, 100_000).await?)
/// }
///
/// # let folder = std::env::temp_dir();
/// let server = Server::builder("docs", "1.0.0")
///     .state(SandboxDir::open(&folder)?)
///     .tool::<read_file>()
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What it does not do: hard links and mounts inside the folder are part of it, and other
/// programs of the host can change the files at any time.
#[derive(Clone)]
pub struct SandboxDir(Arc<Opened>);

struct Opened {
    dir: Dir,
    share: work::Share,
}

impl SandboxDir {
    /// Opens a folder of the host for reading. Blocks for the one call that
    /// opens it.
    ///
    /// If `path` is a link, its target is opened. The handle keeps that folder
    /// even if it is renamed later.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such folder, or the process may not read
    /// it. The text names `path`: it is for the operator, at the start of the
    /// server.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let opened = Dir::open_ambient_dir(path, ambient_authority());
        let dir = opened.map_err(|error| named(path, &error))?;
        let share = work::Share::new();
        Ok(Self(Arc::new(Opened { dir, share })))
    }

    /// Opens a folder of the host for reading and writing.
    ///
    /// `quota` is the most bytes that its files may have together. Existing
    /// files count: all files are examined once, which takes about a second for
    /// 200,000 files. [`WritableDir`] documents how bytes are counted. Open a
    /// folder once and clone the handle: two calls for one folder have two
    /// quotas, and neither counts what the other writes.
    ///
    /// Removes temporary files that a killed server left, if they are older
    /// than a day.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`SandboxDir::open`], and an error if a
    /// folder inside cannot be read or is nested too deeply (256 levels) for
    /// its files to be counted.
    pub fn open_writable(path: impl AsRef<Path>, quota: u64) -> io::Result<WritableDir> {
        let path = path.as_ref();
        let dir = Self::open(path)?;
        let used = quota::Used::count(&dir.0.dir).map_err(|error| named(path, &error))?;
        Ok(WritableDir::new(dir, quota, used))
    }
}

#[cfg(feature = "process")]
impl SandboxDir {
    /// Returns a path that leads a program that is being started to this
    /// folder, wherever it is now.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(in crate::guard) fn for_child(&self) -> io::Result<std::path::PathBuf> {
        use std::os::fd::AsRawFd as _;

        Ok(format!("/proc/self/fd/{}", self.0.dir.as_raw_fd()).into())
    }

    #[cfg(target_vendor = "apple")]
    pub(in crate::guard) fn for_child(&self) -> io::Result<std::path::PathBuf> {
        use std::os::unix::ffi::OsStringExt as _;

        let path = rustix::fs::getpath(&self.0.dir)?;
        Ok(std::ffi::OsString::from_vec(path.into_bytes()).into())
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(in crate::guard) fn for_child(&self) -> io::Result<std::path::PathBuf> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system cannot lead a program to an open folder: use `Command::folder` in place \
             of `Command::sandbox`",
        ))
    }
}

/// Omits the path: the handle keeps none.
impl std::fmt::Debug for SandboxDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SandboxDir")
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    let path = path.display();
    io::Error::new(
        error.kind(),
        format!("cannot open the folder {path}: {error}"),
    )
}
