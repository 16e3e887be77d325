//! Huge files and folders: the guard's memory does not depend on their size. A program of its
//! own, since it measures the memory of the whole process.

#![cfg(target_os = "linux")]
// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use mcp_kit::guard::{FileErrorKind, ListLimits, SandboxDir, SandboxPath};

/// A folder that is removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let name = format!("guard-fs-memory-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn path(text: &str) -> SandboxPath {
    text.parse().unwrap()
}

/// One after the other: each measures the process.
#[tokio::test]
async fn memory_does_not_depend_on_what_the_folder_holds() {
    let scratch = Scratch::new();
    let dir = SandboxDir::open(&scratch.0).unwrap();
    ten_gigabytes(&scratch.0, &dir).await;
    many_entries(&scratch.0, &dir).await;
}

/// The resident memory of this process in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// Read in pieces, and refused as a whole.
async fn ten_gigabytes(folder: &Path, dir: &SandboxDir) {
    let size = 10 << 30;
    let file = fs::File::create(folder.join("huge")).unwrap();
    file.set_len(size).unwrap();
    let huge = path("huge");
    let before = resident();
    let error = dir.read(&huge, 1 << 20).await.unwrap_err();
    assert_eq!(error.kind(), FileErrorKind::TooLarge);
    assert_eq!(dir.read_range(&huge, size - 3, 100).await.unwrap(), [0; 3]);
    let mut reader = dir.reader(&huge, size - (128 << 20)).await.unwrap();
    assert_eq!(reader.info().size, size);
    let mut read = 0;
    while let Some(piece) = reader.chunk().await.unwrap() {
        read += piece.len();
    }
    assert_eq!(read, 128 << 20);
    let grown = resident().saturating_sub(before);
    assert!(grown < 50 << 20, "{grown} bytes more");
}

/// `ENTRIES` changes how many.
async fn many_entries(folder: &Path, dir: &SandboxDir) {
    let many: usize = std::env::var("ENTRIES").map_or(100_000, |many| many.parse().unwrap());
    fs::create_dir(folder.join("many")).unwrap();
    for number in 0..many {
        fs::File::create(folder.join(format!("many/file-{number:07}.txt"))).unwrap();
    }
    let before = resident();
    let limits = ListLimits::new(usize::MAX).depth(2);
    let mut listing = dir.list(&path("many"), limits).await.unwrap();
    let mut found = 0;
    while let Some(entry) = listing.next().await.unwrap() {
        assert_eq!(entry.path.as_str().len(), "many/file-0000000.txt".len());
        found += 1;
    }
    assert_eq!((found, listing.has_more()), (many, false));
    let mut listing = dir
        .list(&path("many"), ListLimits::default())
        .await
        .unwrap();
    let mut found = 0;
    while listing.next().await.unwrap().is_some() {
        found += 1;
    }
    assert_eq!((found, listing.has_more()), (1000, true));
    let grown = resident().saturating_sub(before);
    assert!(grown < 20 << 20, "{grown} bytes more");
}
