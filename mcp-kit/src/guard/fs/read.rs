//! Reads whole files, parts of them, pieces one after another, and their
//! metadata.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::fs::{Dir, Metadata, OpenOptions};

use super::SandboxDir;
use super::error::{FileError, FileErrorKind};
use super::path::SandboxPath;
use super::work::Caller;

/// How much is read before it is certain that the file has it, or that the
/// caller still waits.
const PIECE: usize = 4 << 20;
/// How much a [`FileReader`] reads at once.
const CHUNK: usize = 64 * 1024;

/// The kind of an entry in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link. Only listings report one: everything else follows it.
    Link,
    /// A device, a pipe or a socket.
    Other,
}

/// The metadata of a file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// What it is.
    pub kind: FileKind,
    /// The size of a file in bytes; 0 for what is not a file.
    pub size: u64,
    /// When its content was changed last, if the file system knows.
    pub modified: Option<SystemTime>,
}

impl FileInfo {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_file() => FileKind::File,
            kind if kind.is_dir() => FileKind::Folder,
            kind if kind.is_symlink() => FileKind::Link,
            _ => FileKind::Other,
        };
        Self {
            kind,
            size: if kind == FileKind::File {
                metadata.len()
            } else {
                0
            },
            modified: metadata.modified().ok().map(|time| time.into_std()),
        }
    }
}

impl SandboxDir {
    /// Returns the whole content of a file of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Returns [`FileErrorKind::TooLarge`] above the limit, even if the file
    /// grows while it is read; otherwise what [`FileErrorKind`] lists for a
    /// path that is not a readable file.
    pub async fn read(&self, path: &SandboxPath, limit: u64) -> Result<Vec<u8>, FileError> {
        let at = path.clone();
        self.run(path, move |dir, caller| read_whole(dir, &at, limit, caller))
            .await
    }

    /// Returns the whole content of a UTF-8 file of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`SandboxDir::read`], and
    /// [`FileErrorKind::NotText`].
    pub async fn read_text(&self, path: &SandboxPath, limit: u64) -> Result<String, FileError> {
        let bytes = self.read(path, limit).await?;
        String::from_utf8(bytes).map_err(|_| FileError::new(FileErrorKind::NotText, path.as_str()))
    }

    /// Returns at most `length` bytes of a file from `offset` on: fewer at its
    /// end, none after it.
    ///
    /// # Errors
    ///
    /// Returns what [`FileErrorKind`] lists for a path that is not a readable
    /// file.
    pub async fn read_range(
        &self,
        path: &SandboxPath,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, FileError> {
        let at = path.clone();
        self.run(path, move |dir, caller| {
            let (file, info) = open_file(dir, &at)?;
            let left = info.size.saturating_sub(offset);
            let room = usize::try_from(left).unwrap_or(length).min(length);
            let read = read_pieces(&file, offset, room, room, caller);
            read.map_err(|error| FileError::of_io(&at, error))
        })
        .await
    }

    /// Opens a file to read it in pieces, from `offset` on. A file of any size
    /// takes 64 KiB of memory.
    ///
    /// # Errors
    ///
    /// Returns what [`FileErrorKind`] lists for a path that is not a readable
    /// file.
    pub async fn reader(&self, path: &SandboxPath, offset: u64) -> Result<FileReader, FileError> {
        let at = path.clone();
        let (file, info) = self.run(path, move |dir, _| open_file(dir, &at)).await?;
        Ok(FileReader {
            dir: self.clone(),
            file: Arc::new(file),
            path: path.clone(),
            info,
            offset,
        })
    }

    /// Returns the kind, the size and the modification time of a file or a
    /// folder. Follows links.
    ///
    /// # Errors
    ///
    /// Returns [`FileErrorKind::NotFound`], [`FileErrorKind::Outside`], or what
    /// the system reports.
    pub async fn info(&self, path: &SandboxPath) -> Result<FileInfo, FileError> {
        let at = path.clone();
        self.run(path, move |dir, _| {
            match resolved(|| dir.metadata(at.as_str())) {
                Ok(metadata) => Ok(FileInfo::of(&metadata)),
                Err(error) => Err(FileError::of_io(&at, error)),
            }
        })
        .await
    }
}

/// A file that is read piece by piece; from [`SandboxDir::reader`].
///
/// It reads what the file had when it was opened: a file that grows is read up to its former
/// size, one that is cut ends early.
#[derive(Debug)]
pub struct FileReader {
    dir: SandboxDir,
    file: Arc<File>,
    path: SandboxPath,
    info: FileInfo,
    offset: u64,
}

impl FileReader {
    /// Returns the file's metadata from when it was opened.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// Returns where the next piece begins, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the next piece, of at most 64 KiB; `None` at the end. If the
    /// future is dropped, the next call returns the same piece.
    ///
    /// # Errors
    ///
    /// Returns [`FileErrorKind::Failed`] if the system cannot continue reading,
    /// or [`FileErrorKind::Busy`].
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let left = self.info.size.saturating_sub(self.offset);
        let room = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        if room == 0 {
            return Ok(None);
        }
        let (file, offset, at) = (Arc::clone(&self.file), self.offset, self.path.clone());
        let work = self.dir.run(&self.path, move |_, _| {
            let mut piece = Vec::with_capacity(room);
            let read = read_more(&file, &mut piece, offset);
            read.map_err(|error| FileError::of_io(&at, error))?;
            piece.truncate(room);
            Ok(piece)
        });
        let piece = work.await?;
        self.offset += piece.len() as u64;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// Opens a regular file. Nothing else is waited for, and nothing else is read: the handle that
/// was looked at is the one that is returned.
fn open_file(dir: &Dir, path: &SandboxPath) -> Result<(File, FileInfo), FileError> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt;
        use rustix::fs::OFlags;
        // A pipe without a writer opens at once, and no terminal becomes the server's own.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let opened = resolved(|| dir.open_with(path.as_str(), &options));
    let failed = |error| FileError::of_io(path, error);
    let file = opened.map_err(failed)?;
    let info = FileInfo::of(&file.metadata().map_err(failed)?);
    match info.kind {
        FileKind::File => Ok((file.into_std(), info)),
        FileKind::Folder => Err(FileError::new(FileErrorKind::IsFolder, path.as_str())),
        _ => Err(FileError::new(FileErrorKind::NotRegular, path.as_str())),
    }
}

/// Resolves a path again if it changed meanwhile. If `openat2` is missing, or
/// renames keep interrupting it, cap-std looks at one part after another, and
/// reports a link that is replaced between two looks at it as invalid input.
pub(super) fn resolved<T>(mut resolve: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const TIMES: usize = 16;
    for _ in 1..TIMES {
        match resolve() {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            outcome => return outcome,
        }
    }
    resolve()
}

fn read_whole(
    dir: &Dir,
    path: &SandboxPath,
    limit: u64,
    caller: &Caller,
) -> Result<Vec<u8>, FileError> {
    let (file, info) = open_file(dir, path)?;
    let too_large = || FileError::with_limit(FileErrorKind::TooLarge, path.as_str(), limit);
    if info.size > limit {
        return Err(too_large());
    }
    // One more byte than there should be, so that growth is seen.
    let most = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let expected = usize::try_from(info.size).unwrap_or(most).saturating_add(1);
    let read = read_pieces(&file, 0, most, expected.min(most), caller);
    let bytes = read.map_err(|error| FileError::of_io(path, error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads up to `most` bytes, or to the end; room for `expected` is made beforehand, if they are
/// not many: a file may claim more than it has. If the caller leaves, nothing looks at what is
/// returned.
fn read_pieces(
    file: &File,
    offset: u64,
    most: usize,
    expected: usize,
    caller: &Caller,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(expected.min(PIECE));
    while bytes.len() < most && !caller.has_left() {
        if bytes.len() == bytes.capacity() {
            let more = bytes.len().clamp(PIECE, 16 * PIECE);
            let missing = expected.saturating_sub(bytes.len());
            bytes.reserve_exact(if missing > 0 { more.min(missing) } else { more });
        }
        let at = offset.saturating_add(bytes.len() as u64);
        if read_more(file, &mut bytes, at)? == 0 {
            break;
        }
    }
    bytes.truncate(most);
    // It was cut, or it grew, meanwhile.
    if bytes.capacity() - bytes.len() > CHUNK {
        bytes.shrink_to_fit();
    }
    Ok(bytes)
}

/// Reads into the room that `bytes` has left.
#[cfg(unix)]
fn read_more(file: &File, bytes: &mut Vec<u8>, offset: u64) -> io::Result<usize> {
    use rustix::buffer::spare_capacity;
    use rustix::io::{pread, retry_on_intr};

    Ok(retry_on_intr(|| {
        pread(file, spare_capacity(bytes), offset)
    })?)
}

/// Reads into the room that `bytes` has left.
#[cfg(windows)]
fn read_more(file: &File, bytes: &mut Vec<u8>, offset: u64) -> io::Result<usize> {
    let begin = bytes.len();
    bytes.resize(bytes.capacity(), 0);
    let read = std::os::windows::fs::FileExt::seek_read(file, &mut bytes[begin..], offset);
    bytes.truncate(begin + *read.as_ref().unwrap_or(&0));
    read
}
