//! Listing: depth, limits, and what is left out.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use mcp_kit::guard::{FileErrorKind, FileKind, ListLimits, SandboxDir};

use crate::{Scratch, path};

async fn listed(dir: &SandboxDir, folder: &str, limits: ListLimits) -> (BTreeSet<String>, bool) {
    let mut listing = dir.list(&path(folder), limits).await.unwrap();
    let mut names = BTreeSet::new();
    while let Some(entry) = listing.next().await.unwrap() {
        // A folder comes before its contents.
        if let Some(folder) = entry.path.parent().filter(|folder| !folder.is_root()) {
            let is_listed = names.contains(folder.as_str());
            assert!(is_listed || limits.depth == 1, "{}", entry.path);
        }
        assert!(names.insert(entry.path.to_string()), "{} twice", entry.path);
    }
    (names, listing.has_more())
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

const ALL: ListLimits = ListLimits::new(usize::MAX).depth(32);

#[tokio::test]
async fn a_listing_goes_as_deep_and_as_far_as_it_may() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    fs::create_dir_all(scratch.inside("docs/old/older")).unwrap();
    fs::write(scratch.inside("docs/old/older/a"), "").unwrap();
    fs::write(scratch.inside("top"), "").unwrap();
    let everything = names(&[
        "docs",
        "docs/notes.txt",
        "docs/old",
        "docs/old/older",
        "docs/old/older/a",
        "top",
    ]);
    let depth = |depth| ListLimits::new(100).depth(depth);
    for (at, limits, expected) in [
        (".", depth(1), names(&["docs", "top"])),
        (
            ".",
            depth(2),
            names(&["docs", "docs/notes.txt", "docs/old", "top"]),
        ),
        (".", ALL, everything),
        ("docs", depth(1), names(&["docs/notes.txt", "docs/old"])),
        ("docs/old/older", depth(1), names(&["docs/old/older/a"])),
    ] {
        assert_eq!(
            listed(&dir, at, limits).await,
            (expected, false),
            "{at} {limits:?}"
        );
    }
    for (entries, found, has_more) in [(5, 5, true), (6, 6, false), (7, 6, false), (0, 0, true)] {
        let (names, more) = listed(&dir, ".", ListLimits::new(entries).depth(32)).await;
        assert_eq!((names.len(), more), (found, has_more), "{entries}");
    }
    let kind = scratch.refused(dir.list(&path("top"), ALL).await);
    assert_eq!(kind, FileErrorKind::NotFolder);
    let kind = scratch.refused(dir.list(&path("none"), ALL).await);
    assert_eq!(kind, FileErrorKind::NotFound);
}

#[tokio::test]
async fn links_are_listed_and_not_followed_and_names_no_path_can_have_are_left_out() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    scratch.link("..", "up");
    scratch.link(".", "again");
    let not_utf8 = std::ffi::OsStr::from_bytes(b"not-\xff-utf8");
    fs::write(scratch.inside("").join(not_utf8), "").unwrap();
    fs::write(scratch.inside("new\nline"), "").unwrap();
    fs::write(scratch.inside("back\\slash"), "").unwrap();
    fs::write(scratch.inside(".mcp-kit-0123"), "unfinished").unwrap();
    let (found, _) = listed(&dir, ".", ALL).await;
    assert_eq!(found, names(&["again", "docs", "docs/notes.txt", "up"]));
    let mut listing = dir.list(&path("."), ALL).await.unwrap();
    while let Some(entry) = listing.next().await.unwrap() {
        let (kind, size) = match entry.path.as_str() {
            "docs" => (FileKind::Folder, 0),
            "docs/notes.txt" => (FileKind::File, 5),
            _ => (FileKind::Link, 0),
        };
        assert_eq!((entry.info.kind, entry.info.size), (kind, size));
    }
}

/// The system opens a folder of another process for the superuser, and may refuse to read it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_inside_that_can_be_opened_and_not_read_ends_no_listing() {
    let dir = SandboxDir::open("/proc/1").unwrap();
    let limits = ListLimits::new(usize::MAX).depth(2);
    let (names, _) = listed(&dir, ".", limits).await;
    assert!(names.contains("map_files") && names.contains("status"));
}
