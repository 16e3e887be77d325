//! Lists the contents of a folder in pieces, whatever its size.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, DirEntry, ReadDir};

use super::SandboxDir;
use super::error::FileError;
use super::path::SandboxPath;
use super::read::{FileInfo, FileKind, resolved};
use super::work::Caller;

use crate::support::lock::Lock;

/// How many entries are examined in one piece of work.
const PIECE: usize = 256;

/// How much of a folder is listed.
///
/// ```
/// use mcp_kit::guard::ListLimits;
///
/// let limits = ListLimits::new(500).depth(2);
/// assert_eq!((limits.entries, limits.depth), (500, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListLimits {
    /// The most entries.
    pub entries: usize,
    /// How deep: 1 is the folder's own entries, 2 also those of the folders in it, and so on.
    /// At most 32, since each level holds a file descriptor.
    pub depth: usize,
}

impl ListLimits {
    /// Lists the folder's own entries, at most `entries`.
    #[must_use]
    pub const fn new(entries: usize) -> Self {
        Self { entries, depth: 1 }
    }

    /// Sets [`depth`](#structfield.depth).
    #[must_use]
    pub const fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }
}

/// The folder's own entries, at most 1,000.
impl Default for ListLimits {
    fn default() -> Self {
        Self::new(1000)
    }
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its path, from the sandbox's folder.
    pub path: SandboxPath,
    /// The kind of the entry. A link is reported as such and not followed.
    pub info: FileInfo,
}

/// The entries of a folder, one after another; from [`SandboxDir::list`].
///
/// The order is that of the file system: neither sorted nor the same on every machine. A
/// folder comes before what it contains. Memory does not depend on how much there is.
///
/// Left out are names that no [`SandboxPath`] can have (not UTF-8, control characters,
/// backslashes), files that are being written, and what disappears meanwhile.
#[derive(Debug)]
pub struct Listing {
    dir: SandboxDir,
    walk: Arc<Lock<Walk>>,
    path: SandboxPath,
    ready: VecDeque<Entry>,
    left: usize,
    has_more: bool,
}

impl SandboxDir {
    /// Lists a folder, and the folders in it as far as `limits.depth` allows.
    /// Folders inside that cannot be read are reported without their contents;
    /// links are not followed.
    ///
    /// # Errors
    ///
    /// Returns [`NotFolder`](super::FileErrorKind::NotFolder), or what
    /// [`FileErrorKind`](super::FileErrorKind) lists for a path that cannot be
    /// opened.
    pub async fn list(&self, path: &SandboxPath, limits: ListLimits) -> Result<Listing, FileError> {
        const DEEPEST: usize = 32;
        let at = path.clone();
        let work = self.run(path, move |dir, caller| {
            let entries = resolved(|| dir.read_dir(at.as_str()));
            let entries = entries.map_err(|error| FileError::of_io(&at, error))?;
            let mut walk = Walk {
                open: vec![(at, entries)],
                depth: limits.depth.clamp(1, DEEPEST),
                found: VecDeque::new(),
            };
            walk.fill(caller)?;
            Ok(walk)
        });
        let mut walk = work.await?;
        let ready = std::mem::take(&mut walk.found);
        Ok(Listing {
            dir: self.clone(),
            walk: Arc::new(Lock::new(walk)),
            path: path.clone(),
            ready,
            left: limits.entries,
            has_more: false,
        })
    }
}

impl Listing {
    /// Returns the next entry; `None` at the end or at the limit. If the future
    /// is dropped, the next call returns the same entry.
    ///
    /// # Errors
    ///
    /// Returns [`FileErrorKind::Failed`](super::FileErrorKind::Failed) if the
    /// system cannot continue reading, or
    /// [`FileErrorKind::Busy`](super::FileErrorKind::Busy).
    pub async fn next(&mut self) -> Result<Option<Entry>, FileError> {
        if self.ready.is_empty() && !self.has_more {
            let walk = Arc::clone(&self.walk);
            let work = self.dir.run(&self.path, move |_, caller| {
                let mut walk = walk.lock();
                if walk.found.is_empty() {
                    walk.fill(caller)?;
                }
                Ok(())
            });
            work.await?;
            // Not within the work, whose result is lost if the future is
            // dropped.
            let mut walk = self.walk.lock();
            self.ready = std::mem::take(&mut walk.found);
        }
        if self.left == 0 {
            self.has_more |= !self.ready.is_empty();
            return Ok(None);
        }
        let entry = self.ready.pop_front();
        self.left -= usize::from(entry.is_some());
        Ok(entry)
    }

    /// Whether there are more entries than the limit allows. Known once
    /// [`next`](Listing::next) has returned `None`.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.has_more
    }
}

/// The folders that are open, from the listed one down to where the listing is.
#[derive(Debug)]
struct Walk {
    open: Vec<(SandboxPath, ReadDir)>,
    depth: usize,
    found: VecDeque<Entry>,
}

impl Walk {
    /// Examines some more entries.
    fn fill(&mut self, caller: &Caller) -> Result<(), FileError> {
        let mut looked_at = 0;
        loop {
            let deeper = self.open.len() < self.depth;
            let inside = self.open.len() > 1;
            let Some((folder, entries)) = self.open.last_mut() else {
                break;
            };
            // A piece may have no entry that can be reported; the caller must get one.
            if caller.has_left() || (looked_at >= PIECE && !self.found.is_empty()) {
                break;
            }
            looked_at += 1;
            let entry = match entries.next() {
                Some(Ok(entry)) => entry,
                Some(Err(error)) if !inside => {
                    return Err(FileError::of_io(folder, error));
                }
                // A folder inside that can be opened, but not read, is treated
                // like one that has ended.
                None | Some(Err(_)) => {
                    self.open.pop();
                    continue;
                }
            };
            let Some((entry, contents)) = look(folder, &entry, deeper) else {
                continue;
            };
            if let Some(contents) = contents {
                self.open.push((entry.path.clone(), contents));
            }
            self.found.push_back(entry);
        }
        Ok(())
    }
}

/// An entry, and its contents if it is a folder; `None` if it cannot be reported.
fn look(folder: &SandboxPath, entry: &DirEntry, deeper: bool) -> Option<(Entry, Option<ReadDir>)> {
    let name = entry.file_name();
    let path = folder.join(name.to_str()?).ok()?;
    let info = FileInfo::of(&entry.metadata().ok()?);
    let inside = (deeper && info.kind == FileKind::Folder).then(|| contents(entry));
    let inside = inside.and_then(Result::ok);
    Some((Entry { path, info }, inside))
}

/// A link that took the folder's place meanwhile leads no further than its own folder.
pub(super) fn contents(entry: &DirEntry) -> io::Result<ReadDir> {
    let dir: Dir = entry.open_dir()?;
    dir.entries()
}
