//! Keys in a file, and what happens when it changes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use mcp_kit::auth::ApiKeys;
use tokio::time::advance;

use crate::log;
#[cfg(unix)]
use crate::support::set_mode;
use crate::support::{Folder, ask, name};

const A_SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_file_has_one_entry_a_line_and_comments() {
    let folder = Folder::new("lines");
    let text = "\u{feff}# who may call\r\n\n  alice:alice-key-0123456:admin  # the owner\r\n\
                bob:bob-key-0123456789 expires=9999-01-01 # leaves then\n#carol:carol-key\n";
    let keys = ApiKeys::from_file(folder.private("keys", text)).unwrap();
    assert!(
        ask(&keys, "alice-key-0123456")
            .await
            .unwrap()
            .unwrap()
            .has_scope("admin")
    );
    assert_eq!(name(&keys, "bob-key-0123456789").await.unwrap(), "bob");
    assert_eq!(name(&keys, "carol-key").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_read_again_before_the_next_key_is_checked() {
    let folder = Folder::new("changed");
    let path = folder.private("keys", "a:key-1\n");
    let keys = ApiKeys::from_file(&path).unwrap();
    assert!(name(&keys, "key-1").await.is_some());
    // In place, of the same length, within the same tick of the file's clock.
    for (old, new) in [("key-1", "key-2"), ("key-2", "key-3")] {
        fs::write(&path, format!("a:{new}\n")).unwrap();
        advance(A_SECOND).await;
        assert_eq!(name(&keys, old).await, None);
        assert!(name(&keys, new).await.is_some());
    }
    // Replaced by another file.
    let next = folder.private("next", "a:key-4\n");
    fs::rename(next, &path).unwrap();
    advance(A_SECOND).await;
    assert_eq!(name(&keys, "key-3").await, None);
    assert!(name(&keys, "key-4").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn requests_at_once_all_see_the_changed_file() {
    let folder = Folder::new("at-once");
    let path = folder.private("keys", "a:old-key\n");
    let keys = ApiKeys::from_file(&path).unwrap();
    fs::write(&path, "a:new-key\n").unwrap();
    advance(A_SECOND).await;
    let (first, second, third) = tokio::join!(
        name(&keys, "old-key"),
        name(&keys, "old-key"),
        name(&keys, "new-key")
    );
    assert_eq!((first, second, third), (None, None, Some("a".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn the_file_is_looked_at_once_a_second_at_most() {
    let folder = Folder::new("rarely");
    let path = folder.private("keys", "a:old-key\n");
    let keys = ApiKeys::from_file(&path).unwrap();
    fs::write(&path, "a:new-key\n").unwrap();
    advance(A_SECOND / 2).await;
    assert!(name(&keys, "old-key").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_became_unusable_keeps_the_keys_before_it() {
    log::capture();
    let folder = Folder::new("broken");
    let path = folder.private("keys", "a:good-key-012345678\n");
    let shown = path.to_str().unwrap().to_owned();
    let keys = ApiKeys::from_file(&path).unwrap();
    let breakings: [&dyn Fn(&Path); 5] = [
        &|path| fs::write(path, "a:good-key-012345678\n\nhunter2 hunter2\n").unwrap(),
        &|path| fs::write(path, "a:good-key-012345678\nb:éhunter2").unwrap(),
        &|path| fs::write(path, b"a:good-key-012345678\nb:\xffhunter2").unwrap(),
        &|path| fs::write(path, "#".repeat((8 << 20) + 1)).unwrap(),
        &|path| fs::remove_file(path).unwrap(),
    ];
    let expected = [
        "line 3: only one `expires=…`",
        "line 2: the key contains characters other than visible ASCII",
        "line 2: this is not UTF-8",
        "the file is larger than 8 MiB",
        "the file cannot be read",
    ];
    for (index, (breaking, expected)) in breakings.iter().zip(expected).enumerate() {
        breaking(&path);
        for _ in 0..3 {
            advance(A_SECOND).await;
            assert!(name(&keys, "good-key-012345678").await.is_some());
        }
        // Logged once, however often the file was looked at.
        let lines = log::lines_with(&shown);
        assert_eq!(lines.len(), index + 1, "{lines:#?}");
        assert!(
            lines[index].starts_with("ERROR") && lines[index].contains(expected),
            "{lines:#?}"
        );
        assert!(!lines[index].contains("hunter2") && !lines[index].contains("good-key"));
    }
    folder.private("keys", "a:next-key-012345678\n");
    advance(A_SECOND).await;
    assert_eq!(name(&keys, "good-key-012345678").await, None);
    assert!(name(&keys, "next-key-012345678").await.is_some());
}

/// A change of the file that may fail.
type Change = fn(&Path) -> std::io::Result<()>;

#[tokio::test(start_paused = true)]
async fn keys_of_a_file_that_cannot_be_read_are_taken_for_a_minute() {
    log::capture();
    let folder = Folder::new("unreadable");
    let changes: &[(&str, Change)] = &[
        ("gone", |path| fs::remove_file(path)),
        ("folder", |path| {
            fs::remove_file(path).and_then(|()| fs::create_dir(path))
        }),
        #[cfg(unix)]
        ("pipe", |path| {
            fs::remove_file(path)?;
            let mkfifo = std::process::Command::new("mkfifo").arg(path).status()?;
            assert!(mkfifo.success());
            Ok(())
        }),
    ];
    for &(name, change) in changes {
        let path = folder.private(name, "a:good-key-012345678\n");
        let keys = ApiKeys::from_file(&path).unwrap();
        change(&path).unwrap();
        for seconds in [1, 29, 29] {
            advance(seconds * A_SECOND).await;
            assert!(ask(&keys, "good-key-012345678").await.unwrap().is_some());
        }
        advance(A_SECOND).await;
        for key in ["good-key-012345678", "bad-key"] {
            let error = ask(&keys, key).await.unwrap_err();
            assert!(error.is_unavailable(), "{name}: {error:?}");
        }
        let lines = log::lines_with(path.to_str().unwrap());
        assert!(
            lines.len() == 1 && lines[0].contains("a minute at most"),
            "{lines:?}"
        );
        // A file that can be read again is used at once.
        let next = folder.private("next", "a:next-key-012345678\n");
        let _ = fs::remove_dir(&path);
        fs::rename(next, &path).unwrap();
        advance(A_SECOND).await;
        assert!(ask(&keys, "good-key-012345678").await.unwrap().is_none());
        assert!(ask(&keys, "next-key-012345678").await.unwrap().is_some());
    }
}

/// Blocking tools wait in the same pool of threads, for as long as they like.
#[test]
fn a_changed_file_is_read_while_every_blocking_thread_is_taken() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async {
        tokio::task::spawn_blocking(move || gate.recv());
        let folder = Folder::new("full-pool");
        let path = folder.private("keys", "a:old-key\n");
        let keys = ApiKeys::from_file(&path).unwrap();
        fs::write(&path, "a:new-key\n").unwrap();
        advance(A_SECOND).await;
        assert_eq!(name(&keys, "old-key").await, None);
        assert!(name(&keys, "new-key").await.is_some());
    });
    drop(release);
}

#[tokio::test(start_paused = true)]
async fn an_emptied_file_lets_no_client_in() {
    log::capture();
    let folder = Folder::new("emptied");
    let path = folder.private("keys", "a:good-key-012345678\n");
    let keys = ApiKeys::from_file(&path).unwrap();
    fs::write(&path, "# nobody\n").unwrap();
    advance(A_SECOND).await;
    assert_eq!(name(&keys, "good-key-012345678").await, None);
    let lines = log::lines_with(path.to_str().unwrap());
    assert!(
        lines.len() == 1 && lines[0].contains("admits no caller"),
        "{lines:?}"
    );
}

#[test]
fn a_file_that_cannot_be_used_at_the_start_is_an_error() {
    let folder = Folder::new("start");
    let missing = ApiKeys::from_file(folder.file("missing"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("missing: the file cannot be read: "),
        "{missing}"
    );
    fs::create_dir(folder.file("folder")).unwrap();
    let error = ApiKeys::from_file(folder.file("folder"))
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("this is not a regular file"), "{error}");
    let list = folder.private("list", "a:secret,b:secret\n");
    let error = ApiKeys::from_file(list).unwrap_err().to_string();
    assert!(
        error.contains("line 1: there is a comma in it") && !error.contains("secret"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_everyone_can_read_is_warned_of() {
    log::capture();
    let folder = Folder::new("open");
    for (mode, warnings) in [(0o600, 0), (0o640, 0), (0o644, 1), (0o602, 2)] {
        let path = folder.private("keys", "a:good-key-012345678\n");
        set_mode(&path, mode);
        ApiKeys::from_file(&path).unwrap();
        let lines = log::lines_with(path.to_str().unwrap());
        assert_eq!(lines.len(), warnings, "{mode:o}: {lines:?}");
        assert!(
            lines.iter().all(|line| line.contains("chmod 600")),
            "{lines:?}"
        );
    }
}
