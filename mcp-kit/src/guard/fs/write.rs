//! Changes a folder: with a separate type, so that a folder that was opened for
//! reading has no such methods.

use std::io::{self, Write as _};
use std::ops::Deref;
use std::sync::Arc;

use cap_std::fs::{Dir, File, Metadata, OpenOptions};

use super::SandboxDir;
use super::error::{FileError, FileErrorKind};
use super::path::{SandboxPath, TEMPORARY};
use super::quota::{Quota, Used, cost};
use super::read::resolved;
use super::work::Caller;
use crate::support::reference::Reference;

/// How much is written between two checks whether the caller still waits.
const PIECE: usize = 64 * 1024;

/// What happens to an existing file with the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfExists {
    /// It is kept, and the call fails with [`FileErrorKind::Exists`].
    Fail,
    /// It is replaced. If it is a link, the link is replaced and its target stays as it is.
    Replace,
}

/// A [`SandboxDir`] whose files can also be changed; from [`SandboxDir::open_writable`].
///
/// It dereferences to a `SandboxDir` for reading, so that a tool that reads and
/// writes needs one handle; a `SandboxDir` does not convert back. Give tools
/// that only read the `SandboxDir` ([`WritableDir::read_only`]): then nothing
/// in them can write.
///
/// ```compile_fail,E0599
/// use mcp_kit::guard::{FileError, IfExists, SandboxDir, SandboxPath};
///
/// async fn save(dir: SandboxDir, path: SandboxPath) -> Result<(), FileError> {
///     dir.write(&path, "text", IfExists::Fail).await // a `SandboxDir` has no `write`
/// }
/// ```
///
/// # Quota
///
/// Each file counts its length in whole blocks of 4,096 bytes, at least one; each folder, and
/// everything else, one block. So a quota also limits how many files there are. A file that is
/// being written counts in full from the beginning, beside the one that it will replace:
/// concurrent writes cannot exceed the quota, and neither can the disk space in use.
///
/// What other programs add or change meanwhile is counted at the next start.
/// Until then, deleting or replacing a file releases only the bytes that were
/// counted for it: none for a file that another program added. (On Windows it
/// releases the file's size, up to what was counted for all files.) The record
/// of what was counted takes about 40 bytes of memory for each file and folder.
/// A clone shares the quota; a second
/// [`open_writable`](SandboxDir::open_writable) of the same folder has its own
/// quota.
///
/// # Names
///
/// Files that are being written have a temporary name beside their own, which no listing shows
/// and no path can have. It is removed if the write fails or is cancelled. If the process is
/// killed meanwhile, a file `.mcp-kit-…` remains and counts. `open_writable` removes those that
/// are older than a day: a younger one may belong to another server that runs.
#[derive(Clone, Debug)]
pub struct WritableDir {
    dir: SandboxDir,
    quota: Arc<Quota>,
}

impl Deref for WritableDir {
    type Target = SandboxDir;

    fn deref(&self) -> &SandboxDir {
        &self.dir
    }
}

impl WritableDir {
    pub(super) fn new(dir: SandboxDir, limit: u64, used: Used) -> Self {
        Self {
            dir,
            quota: Arc::new(Quota::new(limit, used)),
        }
    }

    /// Returns the same folder without the means to change it.
    #[must_use]
    pub fn read_only(&self) -> SandboxDir {
        self.dir.clone()
    }

    /// Returns how many bytes count at the moment, unfinished writes included.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.quota.used()
    }

    /// Returns how many bytes may count.
    #[must_use]
    pub fn quota(&self) -> u64 {
        self.quota.limit
    }

    /// Writes a whole file: afterwards the path has the new content or what was there before,
    /// never a part, even after a crash.
    ///
    /// A new file gets the permissions that the process's umask leaves. A replaced file's
    /// permissions to read, write and execute are kept; its owner, ACLs and other attributes are
    /// not: they become those of a new file.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::Exists`], [`FileErrorKind::QuotaExceeded`],
    /// [`FileErrorKind::NotFound`] if its folder does not exist, [`FileErrorKind::IsFolder`],
    /// [`FileErrorKind::NotRegular`], and what the system reports.
    pub async fn write(
        &self,
        path: &SandboxPath,
        content: impl Into<Vec<u8>>,
        existing: IfExists,
    ) -> Result<(), FileError> {
        let (quota, at, content) = (Arc::clone(&self.quota), path.clone(), content.into());
        let work = self.dir.run(path, move |dir, caller| {
            let bytes = cost(content.len() as u64);
            let reserved = quota.reserve(&at, bytes)?;
            let place = Place::find(dir, &at)?;
            if existing == IfExists::Fail && place.exists() {
                return Err(FileError::new(FileErrorKind::Exists, at.as_str()));
            }
            let before = place.replaceable(&at)?;
            // A link has no permissions to keep from others.
            let private = before.as_ref().is_some_and(Metadata::is_file);
            let failed = |error| FileError::of_io(&at, error);
            let file = Temporary::write(&place.folder, &content, private, caller);
            let file = file.map_err(failed)?;
            let written = file.file.metadata().map_err(failed)?;
            let mut used = quota.used.lock();
            let replaced = place.replaceable(&at)?;
            if let Some(mode_of) = replaced.as_ref().or(before.as_ref()) {
                file.take_permissions(mode_of).map_err(failed)?;
            }
            file.rename(place.name, existing).map_err(failed)?;
            if let Some(replaced) = replaced {
                used.give_back(&replaced);
            }
            used.keep(reserved, &written);
            Ok(())
        });
        work.await
    }

    /// Creates a folder, and the folders that it is in. A folder that exists is left as it is.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::NotFolder`] if something else has the name,
    /// [`FileErrorKind::QuotaExceeded`], and what the system reports.
    pub async fn create_folder(&self, path: &SandboxPath) -> Result<(), FileError> {
        let (quota, at) = (Arc::clone(&self.quota), path.clone());
        let work = self.dir.run(path, move |dir, _| {
            let text = at.as_str();
            let ends = text.match_indices('/').map(|(end, _)| end);
            for end in ends.chain([text.len()]) {
                let part = &text[..end];
                if dir.is_dir(part) {
                    continue;
                }
                let reserved = quota.reserve(&at, cost(0))?;
                let failed = |error| FileError::of_io(&at, error);
                let mut used = quota.used.lock();
                match dir.create_dir(part) {
                    Ok(()) => used.keep(reserved, &dir.metadata(part).map_err(failed)?),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        if !dir.metadata(part).map_err(failed)?.is_dir() {
                            return Err(FileError::new(FileErrorKind::NotFolder, text));
                        }
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
            Ok(())
        });
        work.await
    }

    /// Moves a file to another path. A link is moved, not its target; folders are not moved.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::NotFound`] for either path's folder or the file itself,
    /// [`FileErrorKind::Exists`], [`FileErrorKind::IsFolder`], [`FileErrorKind::NotRegular`],
    /// [`FileErrorKind::OtherDisk`], and what the system reports.
    pub async fn rename(
        &self,
        from: &SandboxPath,
        to: &SandboxPath,
        existing: IfExists,
    ) -> Result<(), FileError> {
        let quota = Arc::clone(&self.quota);
        let (about, from, to) = (from, from.clone(), to.clone());
        let work = self.dir.run(about, move |dir, _| {
            let (old, new) = (Place::find(dir, &from)?, Place::find(dir, &to)?);
            let mut used = quota.used.lock();
            let not_found = || FileError::new(FileErrorKind::NotFound, from.as_str());
            old.replaceable(&from)?.ok_or_else(not_found)?;
            let replaced = new.replaceable(&to)?;
            if existing == IfExists::Fail && replaced.is_some() {
                return Err(FileError::new(FileErrorKind::Exists, to.as_str()));
            }
            let moved = give_name((&old.folder, old.name), (&new.folder, new.name), existing);
            moved.map_err(|error| FileError::of_io(&to, error))?;
            // Two names of one file: the system leaves both as they are.
            if let Some(replaced) = replaced.filter(|_| !old.exists()) {
                used.give_back(&replaced);
            }
            Ok(())
        });
        work.await
    }

    /// Deletes a file. Of a link the link is deleted, not its target.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::NotFound`], [`FileErrorKind::IsFolder`], [`FileErrorKind::NotRegular`], and
    /// what the system reports.
    pub async fn remove_file(&self, path: &SandboxPath) -> Result<(), FileError> {
        let (quota, at) = (Arc::clone(&self.quota), path.clone());
        let work = self.dir.run(path, move |dir, _| {
            let place = Place::find(dir, &at)?;
            let mut used = quota.used.lock();
            let not_found = || FileError::new(FileErrorKind::NotFound, at.as_str());
            let removed = place.replaceable(&at)?.ok_or_else(not_found)?;
            let outcome = place.folder.remove_file(place.name);
            outcome.map_err(|error| FileError::of_io(&at, error))?;
            used.give_back(&removed);
            Ok(())
        });
        work.await
    }

    /// Deletes an empty folder.
    ///
    /// # Errors
    ///
    /// [`FileErrorKind::NotEmpty`], [`FileErrorKind::NotFound`],
    /// [`FileErrorKind::NotFolder`], [`FileErrorKind::Denied`] for the sandbox's own folder, and
    /// what the system reports.
    pub async fn remove_folder(&self, path: &SandboxPath) -> Result<(), FileError> {
        let (quota, at) = (Arc::clone(&self.quota), path.clone());
        if path.is_root() {
            return Err(FileError::new(FileErrorKind::Denied, path.as_str()));
        }
        let work = self.dir.run(path, move |dir, _| {
            let failed = |error| FileError::of_io(&at, error);
            let place = Place::find(dir, &at)?;
            let mut used = quota.used.lock();
            let removed = place.folder.symlink_metadata(place.name).map_err(failed)?;
            place.folder.remove_dir(place.name).map_err(failed)?;
            used.give_back(&removed);
            Ok(())
        });
        work.await
    }
}

/// A name in an open folder. What is done to it happens in that folder, whatever becomes of
/// the path that led there.
struct Place<'a> {
    folder: Dir,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn find(dir: &Dir, path: &'a SandboxPath) -> Result<Self, FileError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(FileError::new(FileErrorKind::IsFolder, path.as_str()));
        };
        let folder = match parent.as_str() {
            "." => dir.try_clone(),
            folder => resolved(|| dir.open_dir(folder)),
        };
        // The message is about the folder: that the file does not exist yet is as it should be.
        let folder = folder.map_err(|error| FileError::of_io(&parent, error))?;
        Ok(Self { folder, name })
    }

    fn exists(&self) -> bool {
        self.folder.symlink_metadata(self.name).is_ok()
    }

    /// The file or the link that has the name.
    fn replaceable(&self, path: &SandboxPath) -> Result<Option<Metadata>, FileError> {
        let refused = |kind| Err(FileError::new(kind, path.as_str()));
        match self.folder.symlink_metadata(self.name) {
            Ok(metadata) if metadata.is_dir() => refused(FileErrorKind::IsFolder),
            Ok(metadata) if metadata.is_file() || metadata.is_symlink() => Ok(Some(metadata)),
            Ok(_) => refused(FileErrorKind::NotRegular),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::of_io(path, error)),
        }
    }
}

/// A file under its temporary name, which dropping removes.
struct Temporary<'a> {
    folder: &'a Dir,
    name: String,
    file: File,
}

impl<'a> Temporary<'a> {
    /// If it is `private`, other users of the host cannot read it before it has its permissions.
    #[cfg_attr(not(unix), allow(unused_variables))]
    fn write(folder: &'a Dir, content: &[u8], private: bool, caller: &Caller) -> io::Result<Self> {
        let name = format!("{TEMPORARY}{}", Reference::new());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if private {
            use cap_std::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = folder.open_with(&name, &options)?;
        let mut written = Self { folder, name, file };
        for piece in content.chunks(PIECE) {
            if caller.has_left() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            written.file.write_all(piece)?;
        }
        // Before the name: after a crash it must not be an empty file's.
        written.file.sync_all()?;
        Ok(written)
    }

    /// Rights to read, write and execute, without the bits that run a program as another user.
    /// A replaced link has none: what it is replaced by gets those of a new file.
    fn take_permissions(&self, from: &Metadata) -> io::Result<()> {
        if !from.is_file() {
            return Ok(());
        }
        let permissions = from.permissions();
        #[cfg(unix)]
        let permissions = {
            use cap_std::fs::PermissionsExt;
            cap_std::fs::Permissions::from_mode(permissions.mode() & 0o777)
        };
        self.file.set_permissions(permissions)
    }

    fn rename(&self, name: &str, existing: IfExists) -> io::Result<()> {
        give_name((self.folder, &self.name), (self.folder, name), existing)
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // It has its own name now, or there is nothing more to be done.
        let _ = self.folder.remove_file(&self.name);
    }
}

/// Renames, within one step in which nothing else can take the new name.
fn give_name(from: (&Dir, &str), to: (&Dir, &str), existing: IfExists) -> io::Result<()> {
    match existing {
        IfExists::Replace => from.0.rename(from.1, to.0, to.1),
        IfExists::Fail => rename_to_free_name(from, to),
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_to_free_name(from: (&Dir, &str), to: (&Dir, &str)) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;

    match renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE) {
        // The file system cannot do this.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_to_free_name(from, to),
        outcome => Ok(outcome?),
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
use link_to_free_name as rename_to_free_name;

/// A hard link is never made over something that exists.
fn link_to_free_name(from: (&Dir, &str), to: (&Dir, &str)) -> io::Result<()> {
    from.0.hard_link(from.1, to.0, to.1)?;
    from.0.remove_file(from.1)
}
