//! The bytes that a writable folder may hold, and how they are counted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use cap_std::fs::{Dir, DirEntry, Metadata};
use cap_std::time::SystemTime;

use super::error::{FileError, FileErrorKind};
use super::list::contents;
use super::path::{SandboxPath, TEMPORARY};

use crate::support::lock::Lock;

/// Everything takes whole blocks, so that empty files and folders are also
/// limited.
const BLOCK: u64 = 4096;

/// Returns what a file of `length` bytes counts.
pub(super) fn cost(length: u64) -> u64 {
    length.div_ceil(BLOCK).max(1).saturating_mul(BLOCK)
}

/// What counts for something that exists.
fn cost_of(metadata: &Metadata) -> u64 {
    cost(if metadata.is_file() {
        metadata.len()
    } else {
        0
    })
}

/// The identity of a file or folder, independent of its names.
#[cfg(unix)]
type Id = (u64, u64);
/// All have one identity: the system reports no number for them.
#[cfg(not(unix))]
type Id = ();

#[cfg(unix)]
fn id_of(metadata: &Metadata) -> Id {
    use cap_std::fs::MetadataExt;

    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn id_of(_: &Metadata) -> Id {}

/// The bytes that are counted, and for what.
#[derive(Debug, Default)]
pub(super) struct Used {
    total: u64,
    /// What was counted for each file, for all of its names together. Other programs can make
    /// it larger; deleting it then must not give back what was never taken.
    each: HashMap<Id, u64>,
}

impl Used {
    /// Counts everything inside a folder, and removes what killed servers left.
    pub(super) fn count(dir: &Dir) -> io::Result<Self> {
        const DEEPEST: usize = 256;
        let mut used = Self::default();
        let mut open = vec![dir.entries()?];
        while let Some(entries) = open.last_mut() {
            let Some(entry) = entries.next().transpose()? else {
                open.pop();
                continue;
            };
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            if is_left_over(&entry, &metadata) && entry.remove_file().is_ok() {
                continue;
            }
            used.add(cost_of(&metadata), &metadata);
            used.total = used.total.saturating_add(cost_of(&metadata));
            if metadata.is_dir() {
                if open.len() == DEEPEST {
                    return Err(io::Error::other(
                        "its folders are nested more than 256 levels deep, so its files cannot be counted",
                    ));
                }
                open.push(contents(&entry)?);
            }
        }
        Ok(used)
    }

    fn add(&mut self, bytes: u64, metadata: &Metadata) {
        let counted = self.each.entry(id_of(metadata)).or_default();
        *counted = counted.saturating_add(bytes);
    }

    /// Counts what exists now in place of the bytes that were reserved for it.
    pub(super) fn keep(&mut self, mut reserved: Reserved, metadata: &Metadata) {
        self.add(reserved.bytes, metadata);
        reserved.bytes = 0;
    }

    /// Gives back the bytes of a removed name of a file or a folder.
    pub(super) fn give_back(&mut self, metadata: &Metadata) {
        let Entry::Occupied(mut counted) = self.each.entry(id_of(metadata)) else {
            return;
        };
        let bytes = cost_of(metadata).min(*counted.get());
        *counted.get_mut() -= bytes;
        if *counted.get() == 0 {
            counted.remove();
        }
        self.total = self.total.saturating_sub(bytes);
    }
}

/// Whether it is the file of a write that no server can still be working on:
/// each piece that is written changes its time.
fn is_left_over(entry: &DirEntry, metadata: &Metadata) -> bool {
    const AGE: Duration = Duration::from_secs(24 * 60 * 60);
    let name = entry.file_name();
    let digits = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY));
    let is_ours = digits.is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    let changed = metadata.modified().ok().map(SystemTime::into_std);
    let age = changed.and_then(|changed| changed.elapsed().ok());
    is_ours && metadata.is_file() && age.is_some_and(|age| age > AGE)
}

/// A limit on bytes that all handles of a folder share.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) limit: u64,
    pub(super) used: Lock<Used>,
}

impl Quota {
    pub(super) fn new(limit: u64, used: Used) -> Self {
        Self {
            limit,
            used: Lock::new(used),
        }
    }

    pub(super) fn used(&self) -> u64 {
        self.used.lock().total
    }

    /// Takes `bytes` until the result is dropped, or for good with [`Used::keep`].
    pub(super) fn reserve(
        self: &Arc<Self>,
        path: &SandboxPath,
        bytes: u64,
    ) -> Result<Reserved, FileError> {
        let mut used = self.used.lock();
        let after = used
            .total
            .checked_add(bytes)
            .filter(|after| *after <= self.limit);
        let Some(after) = after else {
            let (kind, limit) = (FileErrorKind::QuotaExceeded, self.limit);
            return Err(FileError::with_limit(kind, path.as_str(), limit));
        };
        used.total = after;
        Ok(Reserved {
            quota: Arc::clone(self),
            bytes,
        })
    }
}

/// Bytes that are counted for something that does not exist yet.
#[derive(Debug)]
pub(super) struct Reserved {
    quota: Arc<Quota>,
    bytes: u64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut used = self.quota.used.lock();
            used.total = used.total.saturating_sub(self.bytes);
        }
    }
}
