//! Reading: links, races, what is not a file, and sizes.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcp_kit::guard::{FileErrorKind, FileKind, SandboxDir};

use crate::{SECRET, Scratch, path};

#[tokio::test]
async fn links_are_followed_as_long_as_they_stay_inside() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    scratch.link("docs/notes.txt", "final");
    scratch.link("docs", "folder");
    scratch.link("../docs/./notes.txt", "docs/up-and-down");
    scratch.link("final", "chain");
    for inside in ["final", "folder/notes.txt", "docs/up-and-down", "chain"] {
        assert_eq!(
            dir.read_text(&path(inside), 5).await.unwrap(),
            "notes",
            "{inside}"
        );
        assert_eq!(dir.info(&path(inside)).await.unwrap().size, 5);
    }

    scratch.link("../secret.txt", "out");
    scratch.link(scratch.outside("secret.txt"), "absolute");
    // Absolute links are refused even if they lead back in.
    scratch.link(scratch.inside("docs/notes.txt"), "absolute-in");
    scratch.link("..", "up");
    scratch.link("docs/../../secret.txt", "winding");
    scratch.link("../inside-too", "sibling");
    scratch.link("/proc/self/cwd", "magic");
    scratch.link("/", "root");
    scratch.link("loop", "loop");
    for outside in [
        "out",
        "absolute",
        "absolute-in",
        "up/secret.txt",
        "up/inside/docs/notes.txt",
        "winding",
        "sibling/secret.txt",
        "magic/Cargo.toml",
        "root/etc/passwd",
        "loop",
    ] {
        let outside = path(outside);
        for kind in [
            scratch.refused(dir.read(&outside, 100).await),
            scratch.refused(dir.info(&outside).await),
            scratch.refused(dir.reader(&outside, 0).await),
            scratch.refused(dir.list(&outside, Default::default()).await),
        ] {
            assert_eq!(kind, FileErrorKind::Outside, "{outside}");
        }
    }
    scratch.link("nowhere", "dangling");
    assert_eq!(
        scratch.refused(dir.read(&path("dangling"), 9).await),
        FileErrorKind::NotFound
    );
}

/// A thread swaps a file, or a folder on the way, for a link that leads out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_swapped_during_a_race_never_show_what_is_outside() {
    let scratch = Scratch::new();
    fs::write(scratch.inside("swapped"), "notes").unwrap();
    scratch.link("../secret.txt", "other");
    fs::create_dir(scratch.inside("way")).unwrap();
    fs::write(scratch.inside("way/secret.txt"), "notes").unwrap();
    scratch.link("../inside-too", "other-way");
    let dir = scratch.open();
    let ends = Arc::new(AtomicBool::new(false));
    let swaps = {
        let (folder, ends) = (scratch.inside(""), Arc::clone(&ends));
        std::thread::spawn(move || {
            let swap = |a: &str, b: &str| {
                let folder = fs::File::open(&folder).unwrap();
                let exchange = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(&folder, a, &folder, b, exchange).unwrap();
            };
            while !ends.load(Ordering::Relaxed) {
                swap("swapped", "other");
                swap("way", "other-way");
            }
        })
    };
    let (mut read, mut refused) = (0, 0);
    let mut turns = 0;
    // Both must have been met; it is over long before the last turn.
    while (turns < 500 || read == 0 || refused == 0) && turns < 200_000 {
        turns += 1;
        for name in ["swapped", "way/secret.txt"] {
            match dir.read_text(&path(name), 100).await {
                Ok(text) => {
                    assert_ne!(text, SECRET);
                    read += 1;
                }
                Err(error) => {
                    let kind = error.kind();
                    let expected = [
                        FileErrorKind::Outside,
                        FileErrorKind::NotFound,
                        // Where there is no openat2.
                        FileErrorKind::NotFolder,
                    ];
                    assert!(expected.contains(&kind), "{error:?}");
                    refused += 1;
                }
            }
        }
    }
    ends.store(true, Ordering::Relaxed);
    swaps.join().unwrap();
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[tokio::test]
async fn what_is_not_a_file_is_refused_without_waiting_for_it() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let fifo = scratch.inside("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scratch.inside("socket")).unwrap();
    // The pipe has no writer, so a plain open would never return.
    for name in ["fifo", "socket"] {
        let name = path(name);
        for kind in [
            scratch.refused(dir.read(&name, 100).await),
            scratch.refused(dir.reader(&name, 0).await),
            scratch.refused(dir.read_range(&name, 0, 1).await),
        ] {
            assert_eq!(kind, FileErrorKind::NotRegular, "{name}");
        }
        assert_eq!(dir.info(&name).await.unwrap().kind, FileKind::Other);
    }
    let devices = SandboxDir::open("/dev").unwrap();
    for name in ["null", "zero", "tty"] {
        let outcome = devices.read(&path(name), 100).await;
        assert!(outcome.is_err(), "{name}");
    }
    assert_eq!(
        scratch.refused(dir.read(&path("docs"), 9).await),
        FileErrorKind::IsFolder
    );
}

#[tokio::test]
async fn sizes_have_a_limit_and_ranges_an_end() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let notes = path("docs/notes.txt");
    assert_eq!(dir.read(&notes, 5).await.unwrap(), b"notes");
    let error = dir.read(&notes, 4).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"docs/notes.txt\" has more than 4 bytes, which is the limit here."
    );
    for (offset, length, expected) in [
        (0, 2, "no"),
        (1, 2, "ot"),
        (3, 100, "es"),
        (5, 1, ""),
        (u64::MAX, usize::MAX, ""),
        (0, 0, ""),
        (0, usize::MAX, "notes"),
    ] {
        let bytes = dir.read_range(&notes, offset, length).await.unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            expected,
            "{offset} {length}"
        );
    }
    fs::write(scratch.inside("empty"), "").unwrap();
    assert_eq!(dir.read(&path("empty"), 0).await.unwrap(), b"");
    fs::write(scratch.inside("latin1"), b"caf\xe9").unwrap();
    let kind = scratch.refused(dir.read_text(&path("latin1"), 9).await);
    assert_eq!(kind, FileErrorKind::NotText);
    fs::write(scratch.inside("..dots.txt"), "dots").unwrap();
    assert_eq!(dir.read_text(&path("..dots.txt"), 9).await.unwrap(), "dots");
    fs::write(scratch.inside("żółć 🦀.md"), "crab").unwrap();
    assert_eq!(dir.read_text(&path("żółć 🦀.md"), 9).await.unwrap(), "crab");
}

/// Above the size that is allocated at once, what is returned has no room left over.
#[tokio::test]
async fn a_large_file_takes_no_more_memory_than_its_size() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    for size in [10, (4 << 20) + 10, 13 << 20] {
        fs::write(scratch.inside("large"), vec![b'x'; size]).unwrap();
        let bytes = dir.read(&path("large"), 20 << 20).await.unwrap();
        assert_eq!(bytes.len(), size);
        assert!(bytes.capacity() <= size + 64, "{}", bytes.capacity());
    }
}

#[tokio::test]
async fn a_reader_survives_files_that_grow_or_are_cut() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let content: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    fs::write(scratch.inside("log"), &content).unwrap();
    let mut reader = dir.reader(&path("log"), 0).await.unwrap();
    let first = reader.chunk().await.unwrap().unwrap();
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(scratch.inside("log"))
        .unwrap();
    log.write_all(b"more").unwrap();
    let mut read = first;
    while let Some(piece) = reader.chunk().await.unwrap() {
        assert!(piece.len() <= 64 * 1024);
        read.extend(piece);
    }
    assert_eq!(read, content);
    assert_eq!(reader.offset(), 200_000);

    let mut reader = dir.reader(&path("log"), 1000).await.unwrap();
    assert_eq!(
        reader.chunk().await.unwrap().unwrap()[..],
        content[1000..1000 + 64 * 1024]
    );
    log.set_len(70_000).unwrap();
    let mut rest = 0;
    while let Some(piece) = reader.chunk().await.unwrap() {
        rest += piece.len();
    }
    assert_eq!(rest, 70_000 - 1000 - 64 * 1024);
}

#[tokio::test]
async fn a_handle_keeps_its_folder_when_the_name_leads_elsewhere() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    fs::rename(scratch.inside(""), scratch.outside("moved")).unwrap();
    std::os::unix::fs::symlink(scratch.outside("inside-too"), scratch.outside("inside")).unwrap();
    assert_eq!(
        dir.read_text(&path("docs/notes.txt"), 9).await.unwrap(),
        "notes"
    );
    let kind = scratch.refused(dir.read(&path("secret.txt"), 100).await);
    assert_eq!(kind, FileErrorKind::NotFound);
}

#[test]
fn the_operator_reads_which_folder_cannot_be_opened() {
    let scratch = Scratch::new();
    for missing in [scratch.outside("missing"), scratch.outside("secret.txt")] {
        let error = SandboxDir::open(&missing).unwrap_err().to_string();
        let expected = format!("cannot open the folder {}: ", missing.display());
        assert!(error.starts_with(&expected), "{error}");
    }
    assert_eq!(format!("{:?}", scratch.open()), "SandboxDir");
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_move_while_a_file_is_read() {
    let scratch = Scratch::new();
    let dir = scratch.open();
    let timer = tokio::spawn(tokio::time::sleep(Duration::from_secs(1)));
    for _ in 0..100 {
        dir.read(&path("docs/notes.txt"), 5).await.unwrap();
    }
    assert!(!timer.is_finished());
}
