//! `FileError`: why an operation in a sandboxed folder failed, in words for the
//! client.

use std::fmt;
use std::io;

use super::path::SandboxPath;
use crate::call::{Error as CallError, ErrorKind};
use crate::support::text::excerpt;

/// Why a file or a folder could not be read or changed.
///
/// Its text is for clients: it has the path that the client wrote, cut to 64 characters and
/// escaped, and never the host's path or the system's words. `?` in a tool makes a
/// [`ToolError`](crate::ToolError) of it: a message for the model if the request can be changed, *busy* if the
/// server has too much of this work, and an internal error, of which the client sees a
/// reference, if the file system failed.
///
/// Like `ToolError` it does not implement [`std::error::Error`], since `?` would then hide
/// every refusal from the model. It becomes a `Box<dyn Error>` where one is needed.
pub struct FileError(Box<Inner>);

struct Inner {
    kind: FileErrorKind,
    path: String,
    /// A number that the message names.
    limit: u64,
    source: Option<io::Error>,
}

/// The kind of a [`FileError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileErrorKind {
    /// The text is not a path inside the folder.
    InvalidPath,
    /// There is nothing at this path.
    NotFound,
    /// A link on the way, or the last one, leads outside of the folder, or in a circle.
    Outside,
    /// A folder, where a file is needed.
    IsFolder,
    /// A device, a pipe or a socket.
    NotRegular,
    /// A part of the path that should be a folder is not one.
    NotFolder,
    /// The file has more bytes than may be read.
    TooLarge,
    /// The file is not UTF-8 text.
    NotText,
    /// There is something at this path already.
    Exists,
    /// The folder is not empty.
    NotEmpty,
    /// A file would have to move to another disk, which is mounted inside the folder.
    OtherDisk,
    /// The operating system does not let the server do this.
    Denied,
    /// The folder would hold more bytes than its quota allows.
    QuotaExceeded,
    /// The server has too much work on files.
    Busy,
    /// The file system failed.
    Failed,
}

impl FileError {
    pub(super) fn new(kind: FileErrorKind, path: &str) -> Self {
        Self::with_limit(kind, path, 0)
    }

    pub(super) fn with_limit(kind: FileErrorKind, path: &str, limit: u64) -> Self {
        Self(Box::new(Inner {
            kind,
            path: excerpt(path),
            limit,
            source: None,
        }))
    }

    /// Converts the system's error about `path`.
    pub(super) fn of_io(path: &SandboxPath, error: io::Error) -> Self {
        let mut failure = Self::new(kind_of(&error), path.as_str());
        failure.0.source = Some(error);
        failure
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> FileErrorKind {
        self.0.kind
    }

    /// Returns the system's error, for logs and never for clients.
    #[must_use]
    pub fn source(&self) -> Option<&io::Error> {
        self.0.source.as_ref()
    }
}

fn kind_of(error: &io::Error) -> FileErrorKind {
    use io::ErrorKind as Io;

    #[cfg(unix)]
    match rustix::io::Errno::from_io_error(error) {
        // A socket, or a device without a driver.
        Some(rustix::io::Errno::NXIO | rustix::io::Errno::NODEV) => {
            return FileErrorKind::NotRegular;
        }
        Some(rustix::io::Errno::LOOP) => return FileErrorKind::Outside,
        _ => {}
    }
    match error.kind() {
        Io::NotFound => FileErrorKind::NotFound,
        // cap-std's own refusal; the system's has a number.
        Io::PermissionDenied if error.raw_os_error().is_none() => FileErrorKind::Outside,
        Io::PermissionDenied => FileErrorKind::Denied,
        Io::AlreadyExists => FileErrorKind::Exists,
        Io::IsADirectory => FileErrorKind::IsFolder,
        Io::NotADirectory => FileErrorKind::NotFolder,
        Io::DirectoryNotEmpty => FileErrorKind::NotEmpty,
        Io::CrossesDevices => FileErrorKind::OtherDisk,
        Io::InvalidFilename => FileErrorKind::InvalidPath,
        _ => FileErrorKind::Failed,
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { path, limit, .. } = &*self.0;
        match self.0.kind {
            FileErrorKind::InvalidPath => write!(
                f,
                "\"{path}\" is not a path inside the folder. Use a relative path such as docs/notes.txt."
            ),
            FileErrorKind::NotFound => write!(f, "\"{path}\" does not exist."),
            FileErrorKind::Outside => write!(
                f,
                "\"{path}\" leads outside of the folder through a link. Only what is inside can be used."
            ),
            FileErrorKind::IsFolder => {
                write!(f, "\"{path}\" is a folder. Use the path of a file.")
            }
            FileErrorKind::NotRegular => write!(
                f,
                "\"{path}\" is a device, a pipe or a socket. Only files and folders can be used."
            ),
            FileErrorKind::NotFolder => {
                write!(
                    f,
                    "\"{path}\", or a part of it that is used as a folder, is not a folder."
                )
            }
            FileErrorKind::TooLarge => {
                write!(
                    f,
                    "\"{path}\" has more than {limit} bytes, which is the limit here."
                )
            }
            FileErrorKind::NotText => write!(f, "\"{path}\" is not a text file (UTF-8)."),
            FileErrorKind::Exists => write!(f, "\"{path}\" exists already."),
            FileErrorKind::NotEmpty => {
                write!(f, "\"{path}\" is not empty. Delete what is inside first.")
            }
            FileErrorKind::OtherDisk => write!(
                f,
                "\"{path}\" is on another disk, to which files cannot be moved. Write the content there and delete the old file."
            ),
            FileErrorKind::Denied => write!(f, "The server is not allowed to use \"{path}\"."),
            FileErrorKind::QuotaExceeded => write!(
                f,
                "There is no room for \"{path}\": the folder may hold {limit} bytes. Delete something first."
            ),
            FileErrorKind::Busy => f.write_str(
                "The server has too much work on files at the moment. Try again in a few seconds.",
            ),
            // For the log, which has no values of clients.
            FileErrorKind::Failed => f.write_str("a file or a folder could not be used"),
        }
    }
}

impl fmt::Debug for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileError")
            .field("kind", &self.0.kind)
            .field("path", &self.0.path)
            .field("source", &self.0.source)
            .finish()
    }
}

impl From<FileError> for CallError {
    fn from(error: FileError) -> Self {
        match error.0.kind {
            FileErrorKind::Failed => Self::internal(error),
            FileErrorKind::Busy => Self::refusal(ErrorKind::Busy, error.to_string()),
            _ => Self::refusal(ErrorKind::User, error.to_string()),
        }
    }
}

boxed_as_error!(FileError);
