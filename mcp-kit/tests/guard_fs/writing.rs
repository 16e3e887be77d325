//! Writing: whole or not at all, never elsewhere, never more than the quota.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use mcp_kit::guard::{FileErrorKind, IfExists, ListLimits};

use crate::{SECRET, Scratch, path};

const BLOCK: u64 = 4096;
/// The folder `docs` and its file.
const FIRST: u64 = 2 * BLOCK;

#[tokio::test]
async fn files_are_written_moved_and_deleted() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 20);
    assert_eq!((dir.used(), dir.quota()), (FIRST, 1 << 20));
    let (new, moved) = (path("docs/new.txt"), path("moved.txt"));
    dir.write(&new, "one", IfExists::Fail).await.unwrap();
    let again = dir.write(&new, "two", IfExists::Fail).await;
    assert_eq!(scratch.refused(again), FileErrorKind::Exists);
    assert_eq!(dir.read_text(&new, 9).await.unwrap(), "one");
    dir.write(&new, vec![b'x'; 5000], IfExists::Replace)
        .await
        .unwrap();
    assert_eq!(dir.used(), FIRST + 2 * BLOCK);

    dir.rename(&new, &moved, IfExists::Fail).await.unwrap();
    let again = dir
        .rename(&path("docs/notes.txt"), &moved, IfExists::Fail)
        .await;
    assert_eq!(scratch.refused(again), FileErrorKind::Exists);
    // Onto itself nothing is replaced.
    dir.rename(&moved, &moved, IfExists::Replace).await.unwrap();
    assert_eq!(dir.used(), FIRST + 2 * BLOCK);
    dir.rename(&path("docs/notes.txt"), &moved, IfExists::Replace)
        .await
        .unwrap();
    assert_eq!(dir.read_text(&moved, 9).await.unwrap(), "notes");
    assert_eq!(dir.used(), FIRST);

    dir.create_folder(&path("a/b/c")).await.unwrap();
    dir.create_folder(&path("a/b")).await.unwrap();
    assert_eq!(dir.used(), FIRST + 3 * BLOCK);
    let kind = scratch.refused(dir.create_folder(&path("moved.txt/d")).await);
    assert_eq!(kind, FileErrorKind::NotFolder);
    assert_eq!(
        scratch.refused(dir.remove_folder(&path("a/b")).await),
        FileErrorKind::NotEmpty
    );
    dir.remove_folder(&path("a/b/c")).await.unwrap();
    assert_eq!(
        scratch.refused(dir.remove_folder(&path("moved.txt")).await),
        FileErrorKind::NotFolder
    );
    dir.remove_file(&moved).await.unwrap();
    assert_eq!(
        scratch.refused(dir.remove_file(&moved).await),
        FileErrorKind::NotFound
    );
    assert_eq!(
        scratch.refused(dir.remove_file(&path("a")).await),
        FileErrorKind::IsFolder
    );
    assert_eq!(scratch.names("."), ["a", "docs"]);
    // What was counted step by step is what a new start counts.
    assert_eq!(dir.used(), scratch.writable(1 << 20).used());
}

#[tokio::test]
async fn refused_writes_leave_nothing_behind() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 20);
    for (at, to_create, to_replace) in [
        (".", FileErrorKind::IsFolder, FileErrorKind::IsFolder),
        ("docs", FileErrorKind::Exists, FileErrorKind::IsFolder),
        ("none/x", FileErrorKind::NotFound, FileErrorKind::NotFound),
        (
            "docs/notes.txt/x",
            FileErrorKind::NotFolder,
            FileErrorKind::NotFolder,
        ),
    ] {
        for (existing, kind) in [(IfExists::Fail, to_create), (IfExists::Replace, to_replace)] {
            let outcome = dir.write(&path(at), "x", existing).await;
            assert_eq!(scratch.refused(outcome), kind, "{at} {existing:?}");
        }
    }
    let error = dir.write(&path("none/x"), "x", IfExists::Fail).await;
    assert_eq!(error.unwrap_err().to_string(), "\"none\" does not exist.");
    assert_eq!(
        scratch.refused(dir.remove_folder(&path(".")).await),
        FileErrorKind::Denied
    );
    let from = path("docs");
    let kind = scratch.refused(dir.rename(&from, &path("x"), IfExists::Fail).await);
    assert_eq!(kind, FileErrorKind::IsFolder);
    assert_eq!(scratch.names("."), ["docs"]);
    assert_eq!(scratch.names("docs"), ["notes.txt"]);
    assert_eq!(dir.used(), FIRST);
}

#[tokio::test]
async fn a_link_is_replaced_and_deleted_itself_and_never_written_through() {
    let scratch = Scratch::new();
    scratch.link("../secret.txt", "out");
    scratch.link("docs/notes.txt", "in");
    scratch.link("..", "up");
    let dir = scratch.writable(1 << 20);
    for name in ["out", "in"] {
        let name = path(name);
        let kind = scratch.refused(dir.write(&name, "new", IfExists::Fail).await);
        assert_eq!(kind, FileErrorKind::Exists);
        dir.write(&name, "new", IfExists::Replace).await.unwrap();
        assert_eq!(dir.read_text(&name, 9).await.unwrap(), "new");
    }
    for outside in ["up/new", "up/secret.txt", "up/inside-too/new"] {
        let outside = path(outside);
        let inside = path("docs/notes.txt");
        for kind in [
            scratch.refused(dir.write(&outside, "x", IfExists::Replace).await),
            scratch.refused(dir.remove_file(&outside).await),
            scratch.refused(dir.remove_folder(&outside).await),
            scratch.refused(dir.create_folder(&outside).await),
            scratch.refused(dir.rename(&outside, &path("stolen"), IfExists::Fail).await),
            scratch.refused(dir.rename(&inside, &outside, IfExists::Replace).await),
        ] {
            assert_eq!(kind, FileErrorKind::Outside, "{outside}");
        }
    }
    dir.remove_file(&path("up")).await.unwrap();
    assert_eq!(
        fs::read_to_string(scratch.outside("secret.txt")).unwrap(),
        SECRET
    );
    assert_eq!(
        fs::read_to_string(scratch.inside("docs/notes.txt")).unwrap(),
        "notes"
    );
    assert!(!scratch.outside("new").exists() && !scratch.outside("inside-too/new").exists());
    assert_eq!(dir.used(), scratch.writable(1 << 20).used());
}

#[tokio::test]
async fn a_replaced_file_keeps_its_permissions_but_not_those_of_another_user() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 20);
    let script = scratch.inside("script");
    fs::write(&script, "old").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o4750)).unwrap();
    dir.write(&path("script"), "new", IfExists::Replace)
        .await
        .unwrap();
    let mode = fs::metadata(&script).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o750);
}

/// Another user of the host who may not read the file may not read what replaces it either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_content_of_a_private_file_is_private_while_it_is_written() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 30);
    let secret = scratch.inside("secret");
    fs::write(&secret, "old").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let content = vec![b'x'; 64 << 20];
    let writing = dir.clone();
    let write = tokio::spawn(async move {
        let at = path("secret");
        writing.write(&at, content, IfExists::Replace).await
    });
    let mut met = 0;
    while !write.is_finished() {
        for name in scratch.names(".") {
            if name.starts_with(".mcp-kit-")
                && let Ok(unfinished) = fs::metadata(scratch.inside(&name))
            {
                assert_eq!(unfinished.permissions().mode() & 0o777, 0o600);
                met += 1;
            }
        }
        tokio::task::yield_now().await;
    }
    write.await.unwrap().unwrap();
    assert!(met > 0, "the write was not met in its middle");
}

/// What is neither a file, a folder nor a link belongs to another program.
#[tokio::test]
async fn pipes_and_sockets_are_neither_replaced_nor_moved_nor_deleted() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 20);
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, scratch.inside("fifo"), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scratch.inside("socket")).unwrap();
    let notes = path("docs/notes.txt");
    for name in ["fifo", "socket"] {
        let at = path(name);
        for kind in [
            scratch.refused(dir.write(&at, "x", IfExists::Replace).await),
            scratch.refused(dir.remove_file(&at).await),
            scratch.refused(dir.rename(&at, &path("moved"), IfExists::Fail).await),
            scratch.refused(dir.rename(&notes, &at, IfExists::Replace).await),
        ] {
            assert_eq!(kind, FileErrorKind::NotRegular, "{name}");
        }
    }
    assert_eq!(scratch.names("."), ["docs", "fifo", "socket"]);
}

/// Another program makes files larger and adds some; the client deletes and replaces them.
#[tokio::test]
async fn files_of_other_programs_give_back_nothing_that_was_not_counted() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 30);
    dir.write(&path("own"), vec![0; 10 << 12], IfExists::Fail)
        .await
        .unwrap();
    for name in ["log", "moved-over"] {
        dir.write(&path(name), "x", IfExists::Fail).await.unwrap();
    }
    let counted = FIRST + 12 * BLOCK;
    assert_eq!(dir.used(), counted);
    for name in ["log", "moved-over", "docs/notes.txt", "added"] {
        fs::write(scratch.inside(name), vec![1; 5 << 12]).unwrap();
    }
    fs::create_dir(scratch.inside("added-too")).unwrap();
    dir.remove_file(&path("added")).await.unwrap();
    dir.remove_folder(&path("added-too")).await.unwrap();
    assert_eq!(dir.used(), counted);
    dir.remove_file(&path("log")).await.unwrap();
    assert_eq!(dir.used(), counted - BLOCK);
    dir.write(&path("docs/notes.txt"), "x", IfExists::Replace)
        .await
        .unwrap();
    assert_eq!(dir.used(), counted - BLOCK);
    dir.rename(&path("own"), &path("moved-over"), IfExists::Replace)
        .await
        .unwrap();
    assert_eq!(dir.used(), counted - 2 * BLOCK);
    dir.remove_file(&path("moved-over")).await.unwrap();
    assert_eq!(dir.used(), FIRST);
    assert_eq!(dir.used(), scratch.writable(1 << 20).used());
}

/// A killed server's file is removed once no running server can still write it.
#[tokio::test]
async fn temporary_files_of_killed_servers_are_removed_after_a_day() {
    let scratch = Scratch::new();
    let day = Duration::from_secs(24 * 60 * 60);
    let (old, young) = (".mcp-kit-0123456789abcdef", ".mcp-kit-0123456789abcde0");
    let (another, elsewhere) = (".mcp-kit-settings", "docs/.mcp-kit-0123456789abcdef");
    for (name, age) in [
        (old, day + day / 24),
        (young, day - day / 24),
        (another, 2 * day),
        (elsewhere, 2 * day),
    ] {
        let file = fs::File::create(scratch.inside(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
    assert_eq!(scratch.writable(1 << 20).used(), FIRST + 2 * BLOCK);
    assert_eq!(scratch.names("."), [young, another, "docs"]);
    assert_eq!(scratch.names("docs"), ["notes.txt"]);
}

#[tokio::test]
async fn a_quota_counts_everything_and_gives_back_what_is_deleted() {
    let scratch = Scratch::new();
    let dir = scratch.writable(FIRST + 3 * BLOCK);
    let (a, b) = (path("a"), path("b"));
    dir.write(&a, vec![0; 8192], IfExists::Fail).await.unwrap();
    let error = dir
        .write(&b, vec![0; 4097], IfExists::Fail)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "There is no room for \"b\": the folder may hold 20480 bytes. Delete something first."
    );
    // Empty files and folders count too.
    dir.write(&b, "", IfExists::Fail).await.unwrap();
    let full = FileErrorKind::QuotaExceeded;
    assert_eq!(scratch.refused(dir.create_folder(&path("c")).await), full);
    assert_eq!(
        scratch.refused(dir.write(&path("c"), "", IfExists::Fail).await),
        full
    );
    // Nothing new, so nothing that needs room.
    dir.create_folder(&path("docs")).await.unwrap();
    // The old content stays until the new one is complete, so both need room.
    assert_eq!(
        scratch.refused(dir.write(&a, vec![0; 8192], IfExists::Replace).await),
        full
    );
    dir.remove_file(&a).await.unwrap();
    dir.write(&a, vec![0; 8192], IfExists::Fail).await.unwrap();
    assert_eq!(dir.used(), dir.quota());
}

/// Writers, replacers and deleters at once: at no time more than the quota, and in the end
/// what is counted is what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_never_exceed_the_quota() {
    let scratch = Scratch::new();
    let quota = FIRST + 20 * BLOCK;
    let dir = scratch.writable(quota);
    let writers = (0..32).map(|writer: usize| {
        let dir = dir.clone();
        tokio::spawn(async move {
            let mut refused = 0;
            for turn in 0..20 {
                let at = path(&format!("file-{}", (writer + turn) % 8));
                let content = vec![7; 1 + (writer * 997 + turn * 4099) % 16_000];
                match dir.write(&at, content, IfExists::Replace).await {
                    Ok(()) => {}
                    Err(error) if error.kind() == FileErrorKind::QuotaExceeded => refused += 1,
                    Err(error) => panic!("{error:?}"),
                }
                assert!(dir.used() <= quota);
                if turn % 5 == 4 {
                    let _ = dir.remove_file(&at).await;
                }
            }
            refused
        })
    });
    let mut refused = 0;
    for writer in writers.collect::<Vec<_>>() {
        refused += writer.await.unwrap();
    }
    assert!(refused > 0, "the quota was never met");
    assert_eq!(dir.used(), scratch.writable(quota).used());
    assert!(
        scratch
            .names(".")
            .iter()
            .all(|name| name == "docs" || name.starts_with("file-"))
    );
}

/// Of many that create one file, one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_is_given_once() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 20);
    let writers: Vec<_> = (0..24)
        .map(|writer| {
            let dir = dir.clone();
            tokio::spawn(async move {
                dir.write(&path("one"), format!("writer {writer}"), IfExists::Fail)
                    .await
            })
        })
        .collect();
    let mut written = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(()) => written += 1,
            Err(error) => assert_eq!(error.kind(), FileErrorKind::Exists),
        }
    }
    assert_eq!(written, 1);
    assert_eq!(scratch.names("."), ["docs", "one"]);
    assert_eq!(dir.used(), FIRST + BLOCK);
}

/// Dropped in the middle: the old content stays, no temporary file remains, and the bytes are
/// given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_write_leaves_what_was_there() {
    let scratch = Scratch::new();
    let dir = scratch.writable(1 << 30);
    let notes = path("docs/notes.txt");
    let mut met = false;
    for _ in 0..50 {
        let write = dir.write(&notes, vec![b'x'; 200 << 20], IfExists::Replace);
        let mut write = Box::pin(write);
        // The first poll hands the work to its thread.
        let started = std::future::poll_fn(|context| {
            std::task::Poll::Ready(write.as_mut().poll(context).is_pending())
        });
        assert!(started.await, "200 MiB are not written at once");
        while dir.used() == FIRST {
            tokio::task::yield_now().await;
        }
        met = scratch
            .names("docs")
            .iter()
            .any(|name| name.starts_with(".mcp-kit-"));
        // No listing shows it.
        let mut listing = dir
            .list(&path("docs"), ListLimits::default())
            .await
            .unwrap();
        while let Some(entry) = listing.next().await.unwrap() {
            assert_eq!(entry.path, notes);
        }
        drop(write);
        while dir.used() > FIRST {
            tokio::task::yield_now().await;
        }
        assert_eq!(scratch.names("docs"), ["notes.txt"]);
        assert_eq!(dir.read_text(&notes, 9).await.unwrap(), "notes");
        if met {
            break;
        }
    }
    assert!(met, "no write was met in its middle");
}
