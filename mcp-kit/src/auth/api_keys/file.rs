//! API keys in a file, which is read again when it changes.
//!
//! A request is checked against a state of the file that is at most one second
//! old. Reading the file may hang, so it is done on separate threads
//! ([`lookup`](crate::support::lookup)), once at a time:
//!
//! | the file | the keys read before |
//! |---|---|
//! | is unchanged | in force |
//! | can be read, and has new keys | replaced |
//! | can be read, and has a mistake | in force, with an error in the log |
//! | cannot be read, or there is no answer | in force for a minute, with an error in the log; then requests are refused with 503 |

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::error::ApiKeysError;
use super::parse::{self, Parsed};
use super::table::Table;
use crate::auth::AuthError;
use crate::caller::{Credential, Principal};
use crate::support::lock::Lock;
use crate::support::lookup::{FILES, Unfinished};
use crate::support::task::Flight;

/// The maximum age of the last look at the file when a key is checked against
/// it.
const FRESH: Duration = Duration::from_secs(1);

/// How long requests wait for a look at the file, which may be on a network. If
/// a look takes longer, later requests do not wait for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long keys stay valid while the file cannot be read.
const KEPT: Duration = Duration::from_secs(60);

/// A file changed less than this before it was read may have been changed again
/// since without its times showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// The largest file: about 50,000 entries.
const LARGEST: u64 = 8 << 20;

pub(super) struct FileKeys {
    this: Weak<Self>,
    path: PathBuf,
    table: RwLock<Table>,
    seen: Lock<Seen>,
    start: Instant,
    /// When the last finished look began, in milliseconds after `start`.
    looked: AtomicU64,
    /// When the last look that could read the file began, in milliseconds after
    /// `start`.
    read: AtomicU64,
    /// Requests that find the last look too old wait here for the next one.
    looking: Flight,
    looks: Looks,
    patience: Duration,
}

/// Looks at the file, by their numbers. A look that ends while it is found to
/// be late cannot stay late forever.
#[derive(Default)]
struct Looks {
    begun: AtomicU64,
    ended: AtomicU64,
    late: AtomicU64,
}

/// The state of the file at the last look.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    content: Option<[u8; 32]>,
    /// The last problem that was logged, so that it is not logged again every
    /// second.
    complaint: Option<String>,
}

impl FileKeys {
    pub(super) fn open(path: PathBuf) -> Result<Arc<Self>, ApiKeysError> {
        Self::open_with(path, PATIENCE)
    }

    fn open_with(path: PathBuf, patience: Duration) -> Result<Arc<Self>, ApiKeysError> {
        // Starts the thread before anything can take the last one.
        let _ = FILES.start(|| {});
        let (content, metadata) = read(&path)?;
        let none = Table::new(&origin(&path), Parsed::default())?;
        let keys = Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            path,
            table: RwLock::new(none),
            seen: Lock::new(Seen {
                stamp: Some(Stamp::of(&metadata)),
                content: Some(Sha256::digest(&*content).into()),
                complaint: None,
            }),
            start: Instant::now(),
            looked: AtomicU64::new(0),
            read: AtomicU64::new(0),
            looking: Flight::default(),
            looks: Looks::default(),
            patience,
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
        if self.is_in_force() {
            self.table().find(key)
        } else {
            Err(AuthError::unavailable(Unreadable(origin(&self.path))))
        }
    }

    /// Returns milliseconds since `start`.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        let moment = moment.load(Ordering::Acquire);
        Duration::from_millis(self.now().saturating_sub(moment))
    }

    fn is_due(&self) -> bool {
        self.since(&self.looked) >= FRESH && !self.looks.is_late()
    }

    /// Whether the keys that were read from the file may still be used.
    fn is_in_force(&self) -> bool {
        self.since(&self.read) < KEPT
    }

    /// Looks at the file. Requests that arrive meanwhile wait: a key that was
    /// removed before they arrived must not be accepted.
    async fn look_again(self: &Arc<Self>) {
        let look = || {
            let keys = Arc::clone(self);
            tokio::spawn(async move { keys.look_in_time().await })
        };
        self.looking.join(|| self.is_due(), look).await;
    }

    async fn look_in_time(self: Arc<Self>) {
        let number = self.looks.begun.fetch_add(1, Ordering::AcqRel) + 1;
        // A thread outside the runtime does not know the runtime's clock.
        let begun = self.now();
        let keys = Arc::clone(&self);
        let look = FILES.run(self.patience, move || keys.look(number, begun));
        let Err(why) = look.await else { return };
        self.looks.late.fetch_max(number, Ordering::AcqRel);
        if why != Unfinished::Slow {
            // It never began, or will not end: the next one does not wait for
            // it.
            self.looks.ended.fetch_max(number, Ordering::AcqRel);
            self.looked.fetch_max(self.now(), Ordering::AcqRel);
        }
        let error: &(dyn std::error::Error + 'static) = &why;
        tracing::error!(
            target: super::TARGET,
            error,
            "{}: the file system does not answer; the keys read before stay in use for a minute at most",
            self.path.display()
        );
    }

    fn look(&self, number: u64, begun: u64) {
        if self.look_once() {
            self.read.fetch_max(begun, Ordering::AcqRel);
        }
        self.looked.fetch_max(begun, Ordering::AcqRel);
        self.looks.ended.fetch_max(number, Ordering::AcqRel);
    }

    /// Whether the file could be read.
    fn look_once(&self) -> bool {
        let mut seen = self.seen.lock();
        let stamp = fs::metadata(&self.path).ok().map(|file| Stamp::of(&file));
        if stamp.as_ref().is_some_and(|stamp| stamp.is_settled) && stamp == seen.stamp {
            return true;
        }
        let (problem, was_read) = match read(&self.path) {
            Ok((content, metadata)) => (self.take_over(&mut seen, &content, &metadata).err(), true),
            Err(error) => (Some(error), false),
        };
        let Some(problem) = problem else {
            seen.complaint = None;
            return was_read;
        };
        let complaint = problem.to_string();
        if seen.complaint.as_ref() == Some(&complaint) {
            return was_read;
        }
        if was_read {
            tracing::error!(
                target: super::TARGET,
                error = complaint,
                "the keys file cannot be used; the keys read before stay in use"
            );
        } else {
            // Its times may be the same when it exists again.
            seen.stamp = None;
            tracing::error!(
                target: super::TARGET,
                error = complaint,
                "the keys file cannot be read; the keys read before stay in use for a minute at most"
            );
        }
        seen.complaint = Some(complaint);
        was_read
    }

    fn take_over(
        &self,
        seen: &mut Seen,
        content: &[u8],
        metadata: &Metadata,
    ) -> Result<(), ApiKeysError> {
        let digest = Some(Sha256::digest(content).into());
        let is_same = seen.content == digest;
        seen.stamp = Some(Stamp::of(metadata));
        seen.content = digest;
        if is_same {
            // The content is the same, and so is its problem.
            return match &seen.complaint {
                Some(_) => self.parse(content).map(drop),
                None => Ok(()),
            };
        }
        let table = self.parse(content)?;
        warn_of(&self.path, metadata, &table);
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

/// A key in the file.
struct KeyInFile(Weak<FileKeys>);

impl Credential for KeyInFile {
    fn is_in_force(&self) -> bool {
        let Some(keys) = self.0.upgrade() else {
            return false;
        };
        // Read before the next look begins: a stream is checked against the last.
        let is_in_force = keys.is_in_force();
        if keys.is_due() {
            tokio::spawn(async move { keys.look_again().await });
        }
        is_in_force
    }
}

impl Looks {
    /// Whether a look is still running that requests no longer wait for.
    fn is_late(&self) -> bool {
        self.late.load(Ordering::Acquire) > self.ended.load(Ordering::Acquire)
    }
}

/// Why no key of the file is accepted.
#[derive(Debug)]
struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, seconds) = (&self.0, KEPT.as_secs());
        write!(
            f,
            "{path}: the keys file could not be read for {seconds} seconds, so that none of its keys is taken; make it readable again"
        )
    }
}

impl std::error::Error for Unreadable {}

/// The data by which a change or a replacement of the file is detected.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// The file's identity, and when any of its metadata changed.
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

/// Reads the file's bytes, one more than the limit if it is too large, and its
/// metadata just before.
fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), ApiKeysError> {
    let cannot = |error: std::io::Error| {
        ApiKeysError::whole(origin(path), format!("the file cannot be read: {error}"))
    };
    let file = open_at_once(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if !metadata.is_file() {
        return Err(ApiKeysError::whole(
            origin(path),
            "this is not a regular file",
        ));
    }
    // With enough room, the bytes are not moved and left behind in freed
    // memory.
    let room = usize::try_from(metadata.len().min(LARGEST)).unwrap_or(0) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(LARGEST + 1)
        .read_to_end(&mut content)
        .map_err(cannot)?;
    Ok((content, metadata))
}

/// Opens the file. If there is a pipe in its place, does not wait for the other
/// end.
#[cfg(unix)]
fn open_at_once(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

fn text<'a>(path: &Path, content: &'a [u8]) -> Result<&'a str, ApiKeysError> {
    if u64::try_from(content.len()).is_ok_and(|length| length > LARGEST) {
        let what = format!("the file is larger than {} MiB", LARGEST >> 20);
        return Err(ApiKeysError::whole(origin(path), what));
    }
    str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        ApiKeysError::whole(origin(path), format!("line {line}: this is not UTF-8"))
    })
}

/// Logs warnings about the file as a whole. Its permissions are checked on Unix
/// only; on Windows the operator must check the access lists.
fn warn_of(path: &Path, file: &Metadata, table: &Table) {
    let path = path.display();
    if is_open_to_all(file) {
        tracing::warn!(
            target: super::TARGET,
            "{path}: every user of this machine can read or change these keys; `chmod 600` the file"
        );
    }
    if table.len() == 0 {
        tracing::warn!(target: super::TARGET, "{path}: it has no keys, so it admits no caller; add an entry such as name:key");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::await_holding_lock, reason = "it is what hangs")]
    #[tokio::test(start_paused = true)]
    async fn keys_stay_in_force_for_a_minute_while_the_file_system_does_not_answer() {
        let name = format!("mcp-kit-hung-keys-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, "alice:alice-key\n").unwrap();
        let keys = FileKeys::open_with(path.clone(), Duration::from_millis(5)).unwrap();
        // A look blocks here, as at a file system that hangs.
        let hang = keys.seen.lock();
        for seconds in [1, 1, 57] {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            let alice = keys.find("alice-key").await.unwrap().unwrap();
            assert_eq!(alice.name(), "alice");
        }
        // One look hangs, and no second one begins.
        assert_eq!(keys.looks.begun.load(Ordering::Acquire), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        let error = keys.find("alice-key").await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            error.is_unavailable() && source.contains("60 seconds"),
            "{source}"
        );
        drop(hang);
        while keys.looks.is_late() {
            std::thread::yield_now();
        }
        assert!(keys.find("alice-key").await.unwrap().is_some());
        fs::remove_file(&path).unwrap();
    }
}
