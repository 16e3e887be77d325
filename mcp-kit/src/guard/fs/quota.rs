//! The bytes that a writable folder may hold, and how they are counted.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, Metadata};

use super::error::{FileError, FileErrorKind};
use super::list::contents;
use super::path::SandboxPath;

/// Everything takes whole blocks, so that empty files and folders have a limit too.
const BLOCK: u64 = 4096;

/// What a file of `length` bytes counts.
pub(super) fn cost(length: u64) -> u64 {
    length.div_ceil(BLOCK).max(1).saturating_mul(BLOCK)
}

/// What counts for something that exists.
pub(super) fn cost_of(metadata: &Metadata) -> u64 {
    cost(if metadata.is_file() {
        metadata.len()
    } else {
        0
    })
}

/// What everything inside a folder counts together.
pub(super) fn count(dir: &Dir) -> io::Result<u64> {
    const DEEPEST: usize = 256;
    let mut used: u64 = 0;
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
        used = used.saturating_add(cost_of(&metadata));
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

/// A limit on bytes that all handles of a folder share.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) limit: u64,
    used: Mutex<u64>,
}

impl Quota {
    pub(super) fn new(limit: u64, used: u64) -> Self {
        Self {
            limit,
            used: Mutex::new(used),
        }
    }

    pub(super) fn used(&self) -> u64 {
        *self.lock()
    }

    /// Held while names are exchanged, so that what is replaced is counted once.
    pub(super) fn lock(&self) -> MutexGuard<'_, u64> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `bytes` until the result is dropped, or for good with [`Reserved::keep`].
    pub(super) fn reserve(
        self: &Arc<Self>,
        path: &SandboxPath,
        bytes: u64,
    ) -> Result<Reserved, FileError> {
        let mut used = self.lock();
        let after = used.checked_add(bytes).filter(|after| *after <= self.limit);
        let Some(after) = after else {
            let (kind, limit) = (FileErrorKind::QuotaExceeded, self.limit);
            return Err(FileError::with_limit(kind, path.as_str(), limit));
        };
        *used = after;
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

impl Reserved {
    /// It exists now.
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut used = self.quota.lock();
            *used = used.saturating_sub(self.bytes);
        }
    }
}
