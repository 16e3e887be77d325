//! Keys in a file that is read again when it changes.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::error::ApiKeysError;
use super::parse::{self, Parsed};
use super::table::Table;
use crate::auth::AuthError;
use crate::auth::flight::Flight;
use crate::context::{Credential, Principal};

/// How old a look at the file may be when a key is checked against it.
const FRESH: Duration = Duration::from_secs(1);

/// How long requests wait for a look at the file, which may be on a network.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file changed less than this before it was read may have been changed again
/// since without its times showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// The largest file: about 50,000 entries.
const LARGEST: u64 = 8 << 20;

pub(super) struct FileKeys {
    this: Weak<Self>,
    path: PathBuf,
    table: RwLock<Table>,
    seen: Mutex<Seen>,
    start: Instant,
    /// Milliseconds after `start` at which the file was looked at.
    looked: AtomicU64,
    /// Whoever finds the last look too old waits here for the next one.
    looking: Flight,
}

/// What the file was like when it was last looked at.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    content: Option<[u8; 32]>,
    /// What was logged of it, so that the same is not logged every second.
    complaint: Option<String>,
}

impl FileKeys {
    pub(super) fn open(path: PathBuf) -> Result<Arc<Self>, ApiKeysError> {
        let (content, metadata) = read(&path)?;
        let none = Table::new(&origin(&path), Parsed::default())?;
        let keys = Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            path,
            table: RwLock::new(none),
            seen: Mutex::new(Seen {
                stamp: Some(Stamp::of(&metadata)),
                content: Some(Sha256::digest(&*content).into()),
                complaint: None,
            }),
            start: Instant::now(),
            looked: AtomicU64::new(0),
            looking: Flight::default(),
        });
        let table = keys.parse(&content)?;
        warn_of(&keys.path, &metadata, &table);
        keys.replace(table);
        Ok(keys)
    }

    pub(super) fn len(&self) -> usize {
        self.table().len()
    }

    pub(super) async fn find(self: &Arc<Self>, key: &str) -> Result<Option<Principal>, AuthError> {
        if self.is_due() {
            // Boxed: most requests need no room for it.
            Box::pin(self.look_again()).await;
        }
        self.table().find(key)
    }

    /// Milliseconds since `start`.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_due(&self) -> bool {
        let since = self
            .now()
            .saturating_sub(self.looked.load(Ordering::Acquire));
        Duration::from_millis(since) >= FRESH
    }

    /// Looks at the file on a thread for blocking work. The requests that come
    /// meanwhile wait: a key that was removed before them must not pass.
    async fn look_again(self: &Arc<Self>) {
        // A look that hangs stays in flight, and no second thread is given to it.
        let look = self.looking.join(
            || self.is_due(),
            || {
                let keys = Arc::clone(self);
                tokio::task::spawn_blocking(move || keys.look())
            },
        );
        if tokio::time::timeout(PATIENCE, look).await.is_err() {
            let path = self.path.display();
            tracing::error!(
                target: super::TARGET,
                "{path}: the file system does not answer; the keys read before stay in use"
            );
            self.looked.store(self.now(), Ordering::Release);
        }
    }

    fn look(&self) {
        let begun = self.now();
        self.look_once();
        self.looked.fetch_max(begun, Ordering::AcqRel);
    }

    fn look_once(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = fs::metadata(&self.path).ok().map(|file| Stamp::of(&file));
        if stamp.as_ref().is_some_and(|stamp| stamp.is_settled) && stamp == seen.stamp {
            return;
        }
        match self.read_again(&mut seen) {
            Ok(()) => seen.complaint = None,
            Err(error) => {
                let complaint = error.to_string();
                if seen.complaint.as_ref() != Some(&complaint) {
                    tracing::error!(
                        target: super::TARGET,
                        error = complaint,
                        "the keys file cannot be used; the keys read before stay in use"
                    );
                    seen.complaint = Some(complaint);
                }
            }
        }
    }

    fn read_again(&self, seen: &mut Seen) -> Result<(), ApiKeysError> {
        let (content, metadata) = read(&self.path)?;
        let digest = Some(Sha256::digest(&*content).into());
        let is_same = seen.content == digest;
        seen.stamp = Some(Stamp::of(&metadata));
        seen.content = digest;
        if is_same {
            // What was wrong with it still is.
            return match &seen.complaint {
                Some(_) => self.parse(&content).map(drop),
                None => Ok(()),
            };
        }
        let table = self.parse(&content)?;
        warn_of(&self.path, &metadata, &table);
        let keys = table.len();
        self.replace(table);
        tracing::info!(target: super::TARGET, keys, "the keys file has changed and was read again");
        Ok(())
    }

    fn parse(&self, content: &[u8]) -> Result<Table, ApiKeysError> {
        let parsed = parse::lines(text(&self.path, content)?);
        self.table().after(&origin(&self.path), parsed, || {
            Arc::new(KeyInFile(Weak::clone(&self.this)))
        })
    }

    fn replace(&self, table: Table) {
        let mut place = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, table);
        drop(place);
        drop(before);
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that is in the file.
struct KeyInFile(Weak<FileKeys>);

impl Credential for KeyInFile {
    fn look(&self) {
        if let Some(keys) = self.0.upgrade()
            && keys.is_due()
        {
            tokio::spawn(async move { keys.look_again().await });
        }
    }
}

/// What tells that a file was changed or replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Which file it is, and when anything about it changed.
    identity: [u64; 4],
    /// Whether any later change shows in the fields above.
    is_settled: bool,
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        let modified = file.modified().ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        Self {
            size: file.len(),
            modified,
            identity: identity(file),
            is_settled: age.is_some_and(|age| age > SETTLED),
        }
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> [u64; 4] {
    use std::os::unix::fs::MetadataExt as _;
    let changed = [
        file.ctime().cast_unsigned(),
        file.ctime_nsec().cast_unsigned(),
    ];
    [file.dev(), file.ino(), changed[0], changed[1]]
}

#[cfg(windows)]
fn identity(file: &Metadata) -> [u64; 4] {
    use std::os::windows::fs::MetadataExt as _;
    let attributes = file.file_attributes().into();
    [file.creation_time(), file.last_write_time(), attributes, 0]
}

fn origin(path: &Path) -> String {
    path.display().to_string()
}

/// The file's bytes, and what it was like just before.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), ApiKeysError> {
    let cannot = |error: std::io::Error| {
        ApiKeysError::whole(origin(path), format!("the file cannot be read: {error}"))
    };
    // Opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(ApiKeysError::whole(
            origin(path),
            "this is not a regular file",
        ));
    }
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    // With room enough, nothing is moved and left behind in freed memory.
    let room = usize::try_from(metadata.len().min(LARGEST)).unwrap_or(0) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(LARGEST + 1)
        .read_to_end(&mut content)
        .map_err(cannot)?;
    if u64::try_from(content.len()).is_ok_and(|length| length > LARGEST) {
        let what = format!("the file is larger than {} MiB", LARGEST >> 20);
        return Err(ApiKeysError::whole(origin(path), what));
    }
    Ok((content, metadata))
}

fn text<'a>(path: &Path, content: &'a [u8]) -> Result<&'a str, ApiKeysError> {
    str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        ApiKeysError::whole(origin(path), format!("line {line}: this is not UTF-8"))
    })
}

/// Logs what is unwise about the file as a whole. Who may read it is looked at
/// on Unix only; Windows' access lists are the operator's to check.
fn warn_of(path: &Path, file: &Metadata, table: &Table) {
    let path = path.display();
    if is_open_to_all(file) {
        tracing::warn!(
            target: super::TARGET,
            "{path}: every user of this machine can read or change these keys; `chmod 600` the file"
        );
    }
    if table.len() == 0 {
        tracing::warn!(target: super::TARGET, "{path}: there are no keys in it; nobody is let in by it");
    }
}

#[cfg(unix)]
fn is_open_to_all(file: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.permissions().mode() & 0o006 != 0
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Metadata) -> bool {
    false
}
